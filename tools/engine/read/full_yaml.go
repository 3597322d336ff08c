package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	kubernetes "sigs.k8s.io/yaml"
)

// A Dialect is a way to read YAML.
type Dialect string

// The dialects.
const (
	Kubernetes Dialect = "kubernetes" // sigs.k8s.io/yaml: go-yaml v2, then JSON
	Gator      Dialect = "gator"      // Gatekeeper's gator: go-yaml v3, then JSON
)

// A fullParser reads one document of any YAML into a tape. The value is that of the dialect's own library. The nodes of go-yaml
// v3 are only used for lines, and to locate errors.
type fullParser struct {
	text    []byte
	lines   lineTable
	limits  Limits
	dialect Dialect
}

// readFull reads the first document of a text. With a value, it returns the problems for which Kubernetes would refuse it;
// without a value, the reasons. first is the line of the file on which the text begins. With isAlone, text after the document
// is a problem.
func (r *Reader) readFull(text []byte, first int, isAlone bool) (t *Tape, problems []Problem) {
	p := fullParser{text: text, lines: newLineTable(text, first), limits: r.Limits, dialect: r.Dialect}
	if problem := notYAML(text, first); problem != nil {
		return nil, p.broken(problem)
	}
	nodes := p.parse()
	if nodes.err != nil && nodes.root == nil && p.hasAliases() {
		return nil, p.broken(p.syntaxProblem(nodes.err)) // the size of what they stand for is not known
	}
	if nodes.root != nil {
		if problem := p.measure(nodes.root); problem != nil {
			return nil, p.broken(problem)
		}
	}
	var duplicates []duplicate
	if nodes.root != nil {
		duplicates = p.duplicates(nodes.root)
	}
	encoded, err := p.decode(nodes, duplicates)
	if err != nil {
		if nodes.root != nil {
			if problem := p.explain(nodes.root, nodes.root); problem != nil {
				return nil, p.broken(problem)
			}
			if len(duplicates) > 0 && p.dialect == Gator {
				return nil, duplicateProblems(duplicates) // go-yaml v3 rejects them
			}
		}
		return nil, p.broken(p.syntaxProblem(err))
	}
	t = &Tape{}
	t.reset(encoded)
	if encoded == nil {
		return t, nil
	}
	if _, _, ok := t.readJSON(p.limits.MaxDepth); !ok {
		return nil, p.broken(tooDeep(p.limits.MaxDepth, first))
	}
	t.lines = make([]int, len(t.nodes))
	if nodes.err == nil || nodes.root != nil && p.isAll(nodes, encoded) {
		a := arranger{fullParser: &p, tape: t}
		a.arrange(0, nodes.root, p.line(nodes.root))
		t.nodes, t.lines = a.nodes, a.lines
		problems = duplicateProblems(duplicates)
	}
	if nodes.rest > 0 && isAlone {
		problems = append(problems, Problem{
			Line: nodes.rest, Message: "Kubernetes does not read what follows here", Remedy: "put a line `---` before it, or remove it",
		})
	}
	return t, problems
}

// nodes are the result of go-yaml v3 for the document.
type nodes struct {
	root *yaml3.Node // nil if the document is empty
	rest int         // the line of what follows the document, or 0
	err  error       // why the whole text cannot be read; root may then be that of the text before the error
	text []byte      // the text that was read
}

// parse returns the nodes of the document. go-yaml v3 reads beyond the document, so the text after the document may be what it
// cannot read.
func (p *fullParser) parse() (found nodes) {
	const mostTries = 4
	found.text = p.text
	for range mostTries {
		decoder := yaml3.NewDecoder(bytes.NewReader(found.text))
		var document yaml3.Node
		err := decoder.Decode(&document)
		if err == io.EOF {
			return found
		}
		if err == nil {
			found.root = document.Content[0]
			if rest := p.rest(decoder); rest > 0 {
				found.rest = rest
			}
			return found
		}
		if found.err == nil {
			found.err = err
		}
		found.rest, _ = p.parseError(err)
		before := p.text[:p.lines.start(found.rest)]
		if len(before) >= len(found.text) {
			return found
		}
		found.text = before
	}
	return found
}

// isAll tells whether the text that could be read with nodes has the same value as the whole text.
func (p *fullParser) isAll(found nodes, encoded []byte) bool {
	same, err := kubernetes.YAMLToJSON(found.text)
	return err == nil && bytes.Equal(same, encoded)
}

func (p *fullParser) hasAliases() bool {
	return bytes.IndexByte(p.text, '&') >= 0 && bytes.IndexByte(p.text, '*') >= 0
}

// broken returns the problem of a document without a value.
func (p *fullParser) broken(problem *Problem) []Problem {
	problem.IsTemplate = isTemplate(p.text)
	return []Problem{*problem}
}

// decode returns the document as JSON, according to its dialect, or nil if it is empty.
func (p *fullParser) decode(found nodes, duplicates []duplicate) ([]byte, error) {
	root := found.root
	if root == nil && found.err == nil {
		return nil, nil
	}
	if p.dialect == Kubernetes {
		text := p.text
		if found.err == nil && len(duplicates) > 0 && p.dropOddDuplicates(root) {
			var err error
			if text, err = yaml3.Marshal(root); err != nil {
				return nil, err
			}
		}
		encoded, err := kubernetes.YAMLToJSON(text)
		var notFinite *json.UnsupportedValueError
		if errors.As(err, &notFinite) {
			return p.withWords()
		}
		if err != nil && found.err == nil && p.writeOutMergedLists(root) {
			text, failed := yaml3.Marshal(root)
			if failed != nil {
				return nil, err
			}
			return kubernetes.YAMLToJSON(text)
		}
		return encoded, err
	}
	if found.err != nil {
		return nil, found.err
	}
	if root.Kind == yaml3.MappingNode {
		value := map[string]any{}
		if err := root.Decode(&value); err != nil {
			return nil, err
		}
		return json.Marshal(value)
	}
	var value any
	if err := root.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// withWords returns the document as JSON, with words for numbers that JSON does not have.
func (p *fullParser) withWords() ([]byte, error) {
	var value any
	if err := yaml2.Unmarshal(p.text, &value); err != nil {
		return nil, err
	}
	text, err := yaml2.Marshal(wordsFor(value))
	if err != nil {
		return nil, err
	}
	return kubernetes.YAMLToJSON(text)
}

func wordsFor(value any) any {
	switch value := value.(type) {
	case map[any]any:
		for key, entry := range value {
			value[key] = wordsFor(entry)
		}
	case []any:
		for i, entry := range value {
			value[i] = wordsFor(entry)
		}
	case float64:
		switch {
		case math.IsNaN(value):
			return ".nan"
		case math.IsInf(value, 1):
			return ".inf"
		case math.IsInf(value, -1):
			return "-.inf"
		}
	}
	return value
}

// line returns the line of the file for a node. The line of an alias is that of its anchor.
func (p *fullParser) line(n *yaml3.Node) int { return p.lines.of(target(n).Line) }

func target(n *yaml3.Node) *yaml3.Node {
	if n.Kind == yaml3.AliasNode {
		return n.Alias
	}
	return n
}

// measure returns a problem if the document exceeds a limit, or if its anchors contain themselves.
func (p *fullParser) measure(root *yaml3.Node) *Problem {
	const open = -1
	sizes := map[*yaml3.Node]int{} // by node with an anchor: the bytes of its scalars, or open
	aliased := 0
	var problem *Problem
	var measure func(n *yaml3.Node, depth int) int
	measure = func(n *yaml3.Node, depth int) (size int) {
		switch n.Kind {
		case yaml3.ScalarNode:
			size = len(n.Value)
		case yaml3.AliasNode:
			size = sizes[n.Alias]
			aliased += max(size, 0)
			if size == open {
				problem = &Problem{
					Line: p.lines.of(n.Line), Message: "the anchor &" + n.Value + " contains itself", Remedy: correct,
				}
			} else if aliased > p.limits.MaxAliased {
				problem = p.tooMuchAliased(p.lines.of(n.Line))
			}
		default:
			if depth++; depth > p.limits.MaxDepth {
				problem = tooDeep(p.limits.MaxDepth, p.lines.of(n.Line))
			}
			if n.Anchor != "" {
				sizes[n] = open
			}
			for _, inside := range n.Content {
				if problem != nil {
					return size
				}
				size += measure(inside, depth)
			}
		}
		if n.Anchor != "" {
			sizes[n] = size
		}
		return size
	}
	measure(root, 0)
	return problem
}

// rest returns the line of the first text after the document, or 0.
func (p *fullParser) rest(decoder *yaml3.Decoder) int {
	var next yaml3.Node
	switch err := decoder.Decode(&next); {
	case err == nil:
		return p.lines.of(next.Line)
	case err == io.EOF:
		return 0
	default:
		line, _ := p.parseError(err)
		return line
	}
}
