package helm

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chart"

	"pullguard.invalid/tools/engine/builds"

	"pullguard.invalid/tools/engine/builds/nodes"
)

// A located is the place of an object in a template, and those of the fields of a mapping in it.
type located struct {
	object builds.Place
	name   string // the object's name in this rendering
	fields map[string]builds.Place
}

// A lineMark is a comment with the number of the template line that follows.
var lineMark = regexp.MustCompile(`^\s*#pgline([0-9]+)z\s*$`)

// A line that begins an entry of a mapping or a list. A comment before it has no effect.
var beginsEntry = regexp.MustCompile(`^([ \t]*)(?:- .*|-|(?:- )*["']?[\w./-]+["']?:(?:[ \t].*)?)$`)

// lines renders the chart once more, with a comment before each line of the templates.
func (c *Chart) lines(plain *chart.Chart, targets []*target) []located {
	out := make([]located, len(targets))
	var texts map[string]string
	var places []builds.Place
	for _, helpers := range []bool{true, false} {
		var err error
		places = nil
		own := withLineMarks(c, plain, c.chart.Name(), helpers, &places)
		if texts, err = c.rendered(own, c.given, false); err == nil {
			break
		}
	}
	documents := map[string][]*yaml.Node{}
	textLines := map[string][]string{}
	for _, t := range targets {
		documents[t.document] = parsed(texts[t.document])
		textLines[t.document] = strings.Split(texts[t.document], "\n")
	}
	for i, t := range targets {
		unknown := builds.Place{File: c.file(t.document), Line: 1}
		out[i] = located{object: unknown, name: t.name, fields: map[string]builds.Place{"": unknown}}
		for field := range t.was {
			out[i].fields[field] = unknown
		}
		object, _ := t.in(documents)
		if object == nil {
			continue
		}
		m := markedLines{textLines[t.document], places}
		out[i].name = scalar(nodes.Get(object, "metadata"), "name")
		out[i].object = m.first(unknown, object.Line)
		mapping := nodes.Follow(object, t.path)
		if mapping == nil || mapping.Kind != yaml.MappingNode {
			continue
		}
		// A line without a mark gets the place of the closest line above it on the path.
		above := append(linesAlong(object, t.path), object.Line)
		out[i].fields[""] = m.first(unknown, above...)
		for k := 0; k+1 < len(mapping.Content); k += 2 {
			key := mapping.Content[k]
			out[i].fields[key.Value] = m.first(unknown, append([]int{key.Line}, above...)...)
		}
	}
	return out
}

// linesAlong returns the lines of the nodes along a path, in reverse.
func linesAlong(object *yaml.Node, path []any) []int {
	var lines []int
	for i := range path {
		parent, node := nodes.Follow(object, path[:i]), nodes.Follow(object, path[:i+1])
		if node == nil {
			break
		}
		line := node.Line
		for k := 0; parent.Kind == yaml.MappingNode && k+1 < len(parent.Content); k += 2 {
			if parent.Content[k+1] == node {
				line = parent.Content[k].Line
			}
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	return lines
}

type markedLines struct {
	lines  []string
	places []builds.Place
}

// first returns the place for the first of some lines that has a mark before it. Lines are counted from 1.
func (m markedLines) first(unknown builds.Place, lines ...int) builds.Place {
	for _, line := range lines {
		if line < 2 || line > len(m.lines)+1 {
			continue
		}
		if match := lineMark.FindStringSubmatch(m.lines[line-2]); match != nil {
			if mark, err := strconv.Atoi(match[1]); err == nil && mark < len(m.places) {
				return m.places[mark]
			}
		}
	}
	return unknown
}

// withLineMarks returns a copy of a chart with line marks in its templates.
func withLineMarks(c *Chart, own *chart.Chart, full string, helpers bool, places *[]builds.Place) *chart.Chart {
	out := *own
	out.Templates = slices.Clone(own.Templates)
	for i, template := range out.Templates {
		base := template.Name[strings.LastIndexByte(template.Name, '/')+1:]
		if !helpers && strings.HasPrefix(base, "_") {
			continue
		}
		file := c.in(c.folders[full], template.Name)
		out.Templates[i] = &chart.File{Name: template.Name, Data: withMarks(template.Data, file, places)}
	}
	subcharts := make([]*chart.Chart, 0, len(own.Dependencies()))
	for _, sub := range own.Dependencies() {
		subcharts = append(subcharts, withLineMarks(c, sub, full+"/charts/"+sub.Name(), helpers, places))
	}
	out.SetDependencies(subcharts...)
	return &out
}

// withMarks returns a template with a mark before each line that begins an entry and is outside of actions.
func withMarks(text []byte, file string, places *[]builds.Place) []byte {
	tree := parse.New("")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(text), "", "", trees); err != nil {
		return text
	}
	type piece struct{ from, to int }
	var pieces []piece
	var visit func(node parse.Node)
	visit = func(node parse.Node) {
		switch node := node.(type) {
		case *parse.ListNode:
			if node != nil {
				for _, child := range node.Nodes {
					visit(child)
				}
			}
		case *parse.TextNode:
			pieces = append(pieces, piece{int(node.Pos), int(node.Pos) + len(node.Text)})
		case *parse.IfNode:
			visit(node.List)
			visit(node.ElseList)
		case *parse.RangeNode:
			visit(node.List)
			visit(node.ElseList)
		case *parse.WithNode:
			visit(node.List)
			visit(node.ElseList)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		visit(trees[name].Root)
	}
	slices.SortFunc(pieces, func(a, b piece) int { return a.from - b.from })
	var out []byte
	done := 0
	for _, p := range pieces {
		for at := p.from; at < p.to; {
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				end = len(text)
			} else {
				end += at
			}
			if startsLine := at == 0 || text[at-1] == '\n'; startsLine {
				if match := beginsEntry.FindSubmatch(bytes.TrimRight(text[at:end], "\r")); match != nil && at >= done {
					out = append(append(out, text[done:at]...), match[1]...)
					out = append(out, "#pgline"+strconv.Itoa(len(*places))+"z\n"...)
					*places = append(*places, builds.Place{File: file, Line: 1 + bytes.Count(text[:at], []byte{'\n'})})
					done = at
				}
			}
			at = end + 1
		}
	}
	return append(out, text[done:]...)
}
