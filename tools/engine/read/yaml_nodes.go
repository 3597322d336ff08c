package read

import (
	"encoding/json"
	"errors"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	kubernetes "sigs.k8s.io/yaml"
)

func isMerge(n *yaml3.Node) bool {
	return n.Kind == yaml3.ScalarNode && n.Value == "<<" && n.ShortTag() == "!!merge"
}

// isMergeable tells whether `<<` accepts a value.
func isMergeable(n *yaml3.Node) bool {
	if target(n).Kind == yaml3.MappingNode {
		return true
	}
	if n.Kind != yaml3.SequenceNode {
		return false
	}
	for _, entry := range n.Content {
		if target(entry).Kind != yaml3.MappingNode {
			return false
		}
	}
	return true
}

// keyText returns the string that a scalar means as a key.
func (p *fullParser) keyText(key *yaml3.Node) (string, error) {
	key = target(key)
	isString := key.Style&yaml3.TaggedStyle == 0 && (key.Style != 0 || key.Value != "" && isPlainKey([]byte(key.Value)))
	if p.dialect == Gator || isString {
		return key.Value, nil
	}
	encoded, err := p.alone("? " + scalarText(key) + "\n: 0\n")
	if err != nil {
		return "", err
	}
	var mapping map[string]int
	if err := json.Unmarshal(encoded, &mapping); err != nil {
		return "", err
	}
	for text := range mapping {
		return text, nil
	}
	return "", errors.New("no key")
}

// valueOf returns the library's value of a scalar, read on its own, as JSON, or "" for a number that JSON does not have.
func (p *fullParser) valueOf(n *yaml3.Node) (string, error) {
	encoded, err := p.alone(scalarText(n))
	return string(encoded), err
}

// alone returns the library's JSON for another document.
func (p *fullParser) alone(text string) ([]byte, error) {
	var encoded []byte
	var err error
	if p.dialect == Kubernetes {
		encoded, err = kubernetes.YAMLToJSON([]byte(text))
	} else {
		var value any
		if err = yaml3.Unmarshal([]byte(text), &value); err == nil {
			encoded, err = json.Marshal(value)
		}
	}
	var notFinite *json.UnsupportedValueError
	if errors.As(err, &notFinite) {
		return nil, nil
	}
	return encoded, err
}

// scalarText returns a scalar as a document of its own: with its tag if it states one, and as a plain scalar only if it may be
// something other than a string.
func scalarText(n *yaml3.Node) string {
	quoted := string(AppendString(nil, []byte(n.Value)))
	switch {
	case n.Style&yaml3.TaggedStyle != 0:
		return "!<" + n.LongTag() + "> " + quoted
	case n.Style == 0 && (n.Value == "" || startOf[n.Value[0]] != startsString) && !strings.Contains(n.Value, "\n"):
		return n.Value
	}
	return quoted
}

// duplicates returns the duplicate keys of mappings, in the order of the document.
func (p *fullParser) duplicates(root *yaml3.Node) []duplicate {
	var found []duplicate
	var look func(n *yaml3.Node)
	look = func(n *yaml3.Node) {
		if n.Kind == yaml3.AliasNode {
			return
		}
		if n.Kind != yaml3.MappingNode {
			for _, inside := range n.Content {
				look(inside)
			}
			return
		}
		lines := make(map[string]int, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			text, err := p.keyText(key)
			// Kubernetes accepts several merge keys.
			if err == nil && !(isMerge(key) && p.dialect == Kubernetes) {
				if isMerge(key) {
					text = "<<"
				}
				line := p.lines.of(key.Line)
				if first, isThere := lines[text]; isThere {
					found = append(found, duplicate{text, line, first, n == root})
				} else {
					lines[text] = line
				}
			}
			look(n.Content[i+1])
		}
	}
	look(root)
	return found
}

// dropOddDuplicates keeps only the last of the entries whose keys differ but mean the same string, such as 1 and '1', because
// sigs.k8s.io/yaml keeps a random one. It tells whether there are any.
func (p *fullParser) dropOddDuplicates(n *yaml3.Node) bool {
	isOdd := false
	if n.Kind == yaml3.MappingNode {
		last := map[string]int{}
		for i := 0; i < len(n.Content); i += 2 {
			text, err := p.keyText(n.Content[i])
			if err != nil || isMerge(n.Content[i]) {
				continue
			}
			if before, isThere := last[text]; isThere {
				one, other := target(n.Content[before]), target(n.Content[i])
				isOdd = isOdd || one.Value != other.Value || one.ShortTag() != other.ShortTag()
			}
			last[text] = i
		}
		if isOdd {
			var kept []*yaml3.Node
			for i := 0; i < len(n.Content); i += 2 {
				text, err := p.keyText(n.Content[i])
				if place, isThere := last[text]; err != nil || !isThere || place == i || isMerge(n.Content[i]) {
					kept = append(kept, n.Content[i], n.Content[i+1])
				}
			}
			n.Content = kept
		}
	}
	for _, inside := range n.Content {
		if n.Kind != yaml3.AliasNode {
			isOdd = p.dropOddDuplicates(inside) || isOdd
		}
	}
	return isOdd
}

// writeOutMergedLists replaces aliases of lists under `<<` by the lists, and tells whether there are any. Go's readers reject
// such aliases; all others accept them.
func (p *fullParser) writeOutMergedLists(n *yaml3.Node) bool {
	found := false
	for i, inside := range n.Content {
		if n.Kind == yaml3.MappingNode && i%2 > 0 && isMerge(n.Content[i-1]) && target(inside).Kind == yaml3.SequenceNode {
			found = found || inside.Kind == yaml3.AliasNode
			n.Content[i] = &yaml3.Node{Kind: yaml3.SequenceNode, Line: inside.Line, Content: target(inside).Content}
		} else if inside.Kind != yaml3.AliasNode {
			found = p.writeOutMergedLists(inside) || found
		}
	}
	return found
}
