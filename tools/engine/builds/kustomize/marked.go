package kustomize

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resource"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
)

// A marker replaces each pull policy and each tag in the files that a build reads by a mark, and records the place of each
// mark.
type marker struct {
	places   []builds.Place
	replaced []string          // what each mark stands for; "" if it was added as a tag
	marked   map[string][]byte // cached, because a file can be read several times
	doubtful bool              // whether marks may change more than the values that they stand for
}

func newMarker() *marker { return &marker{marked: map[string][]byte{}} }

func (m *marker) change(path string, text []byte) []byte {
	if done, ok := m.marked[path]; ok {
		return done
	}
	done := m.mark(path, text)
	m.marked[path] = done
	return done
}

var (
	// What a text holds in which something can be marked.
	markable = regexp.MustCompile(`image|[pP]ullPolicy|tag|newTag`)
	// Values that are the same in every notation.
	plain = regexp.MustCompile(`^[A-Za-z0-9_.{}/:@$(), -]*$`)
	// What kustomize takes for the parts of an image.
	plainTag  = regexp.MustCompile(`^[A-Za-z0-9_.{}-]*$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9_./:-]+$`)
	// The fields of kustomizations that can do anything with values.
	doesAnything = []string{"tagSuffix", "transformers", "validators", "generators", "openapi"}
	// Those that do something with values that they name, or with those of files.
	readsValues = []string{"replacements", "vars", "secretGenerator", "labelSelector", "annotationSelector"}
	readsFiles  = []string{"path", "files", "envs", "env"}
)

// isDoubtful tells whether a part of a kustomization may read marks, instead of carrying them along.
func isDoubtful(node *yaml.Node) bool {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			if slices.Contains(doesAnything, child.Value) {
				return true
			}
			if slices.Contains(readsValues, child.Value) && (hasMarkable(node.Content[i+1]) || hasKey(node.Content[i+1], readsFiles)) {
				return true
			}
		}
		if isDoubtful(child) {
			return true
		}
	}
	return false
}

func hasMarkable(node *yaml.Node) bool {
	return markable.MatchString(node.Value) || slices.ContainsFunc(node.Content, hasMarkable)
}

// isHarmless tells whether marks have changed nothing in the output but the values that they stand for.
func (m *marker) isHarmless(objects []*resource.Resource) bool {
	return !m.doubtful && !slices.ContainsFunc(objects, func(object *resource.Resource) bool {
		// A generator makes the end of a name from the content.
		return object.GetKind() == "ConfigMap" && (hasMark(object.YNode()) || keyOf(object.YNode(), "binaryData") != nil)
	})
}

// unmarked returns an output in JSON with the values that the marks stand for.
func (m *marker) unmarked(text []byte) []byte {
	return marks.Replaced(text, func(mark int) (string, bool) {
		if mark >= len(m.replaced) {
			return "", false
		}
		return m.replaced[mark], true
	})
}

func hasMark(node *yaml.Node) bool {
	return len(marks.In(node.Value)) > 0 || slices.ContainsFunc(node.Content, hasMark)
}

// hasKey tells whether a mapping in a node has one of some keys.
func hasKey(node *yaml.Node, keys []string) bool {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && slices.Contains(keys, child.Value) || hasKey(child, keys) {
			return true
		}
	}
	return false
}

// An edit replaces a word in a line.
type edit struct {
	line, from, to int // the line, counted from 0, and byte offsets
	word           string
}

func (m *marker) mark(path string, text []byte) []byte {
	isKustomization := slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
	if !isKustomization && !markable.Match(text) {
		return text
	}
	if len(marks.In(string(text))) > 0 {
		m.doubtful = true
	}
	lines := strings.SplitAfter(string(text), "\n")
	var edits []edit
	decoder := yaml.NewDecoder(bytes.NewReader(blankDefinitions(text)))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			break // the end of the text, or an error that kustomize reports
		}
		if isKustomization && isDoubtful(&document) {
			m.doubtful = true
		}
		edits = m.collect(edits, path, &document, lines, 0, 0)
	}
	slices.SortFunc(edits, func(a, b edit) int {
		if a.line != b.line {
			return b.line - a.line
		}
		return b.from - a.from
	})
	for _, e := range edits {
		lines[e.line] = lines[e.line][:e.from] + e.word + lines[e.line][e.to:]
	}
	return []byte(strings.Join(lines, ""))
}

// collect finds the values to mark below a node of a text. below and right are its offset in the file, in lines and bytes.
func (m *marker) collect(edits []edit, path string, node *yaml.Node, lines []string, below, right int) []edit {
	for _, child := range node.Content {
		if node.Kind != yaml.MappingNode {
			edits = m.collect(edits, path, child, lines, below, right)
		}
	}
	if node.Kind == yaml.ScalarNode {
		// Kustomizations hold patches as texts.
		return m.collectText(edits, path, node, lines, below, right)
	}
	if node.Kind != yaml.MappingNode {
		return edits
	}
	changed := operationPath(node)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if key == "value" && strings.HasPrefix(changed, "/") {
			key = changed[strings.LastIndexByte(changed, '/')+1:]
		}
		word := ""
		mark := len(m.places)
		switch {
		case value.Kind != yaml.ScalarNode || value.Value == "" || strings.Contains(value.Value, "\n"):
		case key == "imagePullPolicy" || key == "newTag" || key == "pullPolicy" || key == "tag":
			word = marks.Word(mark)
		case key == "image":
			word, _ = marks.Image(value.Value, mark)
		}
		if e, ok := locate(value, lines, below, right); ok && word != "" {
			e.word = word
			edits = append(edits, e)
			own := value.Value
			if key == "image" {
				own = marks.Tag(own)
				m.doubtful = m.doubtful || !plainName.MatchString(marks.Name(value.Value)) || !plainTag.MatchString(own)
			}
			m.doubtful = m.doubtful || value.ShortTag() != "!!str" || !plain.MatchString(own)
			m.replaced = append(m.replaced, own)
			column := utf8.RuneCountInString(lines[e.line][:e.from]) + 1
			m.places = append(m.places, builds.Place{File: path, Line: e.line + 1, Column: column})
		} else {
			edits = m.collect(edits, path, value, lines, below, right)
		}
	}
	return edits
}

// operationPath returns the path of an operation in a JSON patch.
func operationPath(mapping *yaml.Node) string {
	found, isOperation := "", false
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		switch mapping.Content[i].Value {
		case "path":
			found = mapping.Content[i+1].Value
		case "op":
			isOperation = true
		}
	}
	if !isOperation {
		return ""
	}
	return found
}

// collectText finds the values to mark in a text that is itself YAML.
func (m *marker) collectText(edits []edit, path string, node *yaml.Node, lines []string, below, right int) []edit {
	if !strings.ContainsAny(node.Value, ":") || !strings.Contains(node.Value, "image") {
		return edits
	}
	if node.Style&yaml.LiteralStyle != 0 {
		first := strings.TrimLeft(node.Value, "\n")
		skipped := len(node.Value) - len(first)
		first, _, _ = strings.Cut(first, "\n")
		at := below + node.Line + skipped
		if at >= len(lines) {
			return edits
		}
		indent := strings.Index(strings.TrimRight(lines[at], "\r\n"), first)
		if indent < 0 || strings.TrimSpace(lines[at][:indent]) != "" {
			return edits
		}
		below, right = below+node.Line, indent
	} else {
		e, ok := locate(node, lines, below, right)
		if !ok {
			return edits
		}
		below, right = e.line, e.from
	}
	decoder := yaml.NewDecoder(strings.NewReader(node.Value))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil || document.Content[0].Kind == yaml.ScalarNode {
			return edits
		}
		edits = m.collect(edits, path, &document, lines, below, right)
	}
}

// locate returns the position of a scalar's value, if the value is on one line and unchanged.
func locate(node *yaml.Node, lines []string, below, right int) (edit, bool) {
	at := below + node.Line - 1
	if node.Kind != yaml.ScalarNode || at < 0 || at >= len(lines) {
		return edit{}, false
	}
	from := right
	for range node.Column - 1 {
		if from >= len(lines[at]) {
			return edit{}, false
		}
		_, size := utf8.DecodeRuneInString(lines[at][from:])
		from += size
	}
	if from > len(lines[at]) {
		return edit{}, false
	}
	found := strings.Index(lines[at][from:], node.Value)
	if found < 0 {
		return edit{}, false
	}
	return edit{line: at, from: from + found, to: from + found + len(node.Value)}, true
}
