package kustomize

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
)

// A marker replaces each pull policy and each tag in the files that a build reads by a mark, and records the place of each
// mark.
type marker struct {
	places []builds.Place
	marked map[string][]byte // cached, because a file can be read several times
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

// An edit replaces a word in a line.
type edit struct {
	line, from, to int // the line, counted from 0, and byte offsets
	word           string
}

func (m *marker) mark(path string, text []byte) []byte {
	if !bytes.ContainsAny(text, ":") {
		return text
	}
	lines := strings.SplitAfter(string(text), "\n")
	var edits []edit
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			break // the end of the text, or an error that kustomize reports
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
