package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"

	"pullguard.invalid/tools/engine/read"
)

// A Survey finds objects of kinds that no constraint selects and that may hold something for policies, wherever it is. Rego
// decides what that is: unjudged.hints and unjudged.objects.
type Survey struct {
	Hints   string  `json:"hints"`   // the text of unjudged.hints
	Objects Modules `json:"objects"` // unjudged.objects, and what it imports

	rules   *Rules
	keys    map[string]read.Kind
	texts   [][]byte
	skipped map[string]bool
	lists   map[string]bool
	groups  map[string]bool
}

// An Unjudged is an object of a kind that no constraint selects, and that holds something that a policy could judge.
type Unjudged struct {
	File     *File
	Document *read.Document
	Object   read.Object
	Holds    string `json:"holds"`
	Remedy   string `json:"remedy"`
}

var kinds = map[string]read.Kind{"array": read.Sequence, "string": read.String}

// load reads what to look for. It is a constant, so nothing has to be compiled.
func (s *Survey) load() error {
	s.rules = &Rules{}
	module, err := ast.ParseModule("hints.rego", s.Hints)
	if err != nil {
		return err
	}
	var hints struct {
		Keys    map[string]string `json:"keys"`
		Texts   []string          `json:"texts"`
		Skipped []string          `json:"skipped"`
		Lists   []string          `json:"lists"`
		Groups  []string          `json:"groups"`
	}
	for _, rule := range module.Rules {
		if rule.Head.Name == "wanted" {
			if err := ast.As(rule.Head.Value.Value, &hints); err != nil {
				return err
			}
		}
	}
	s.keys, s.skipped, s.lists, s.groups = map[string]read.Kind{}, set(hints.Skipped), set(hints.Lists), set(hints.Groups)
	for key, kind := range hints.Keys {
		s.keys[key] = kinds[kind]
	}
	for _, text := range hints.Texts {
		s.texts = append(s.texts, []byte(text))
	}
	return nil
}

func set(words []string) map[string]bool {
	found := map[string]bool{}
	for _, word := range words {
		found[word] = true
	}
	return found
}

// malformed returns the key in a pod spec of an object whose value must be a list and is not, or -1.
func (s *Survey) malformed(t *read.Tape, o read.Object) int {
	if !s.groups[t.Group(o)] {
		return -1
	}
	return s.malformedBelow(t, o.Node, false)
}

func (s *Survey) malformedBelow(t *read.Tape, node int, isSpec bool) int {
	if t.Kind(node) != read.Mapping {
		return -1
	}
	for at, end := node+1, t.Next(node); at < end; at = t.Next(at + 1) {
		key := string(t.Text(at))
		if kind := t.Kind(at + 1); isSpec && kind != read.Sequence && kind != read.Null && s.lists[key] {
			return at
		}
		if found := s.malformedBelow(t, at+1, key == "spec"); found >= 0 {
			return found
		}
	}
	return -1
}

// parts returns an object as the input of unjudged.objects, or nil if it holds nothing of interest.
func (s *Survey) parts(t *read.Tape, o read.Object, limits read.Limits) []byte {
	var out []byte
	for at, end := o.Node+1, t.Next(o.Node); at < end; at = t.Next(at + 1) {
		if !s.skipped[string(t.Text(at))] {
			out = s.inside(out, t, at+1, false, limits)
		}
	}
	if out == nil {
		return nil
	}
	whole := read.AppendString([]byte(`{"kind":`), []byte(o.Kind))
	for name, at := range map[string]int{"apiVersion": t.Version(o), "metadata": t.Get(o.Node, "metadata")} {
		if at >= 0 {
			whole = t.AppendJSON(append(read.AppendString(append(whole, ','), []byte(name)), ':'), at)
		}
	}
	whole = append(append(whole, `,"parts":[`...), out...)
	return append(read.Closed(whole, ']'), '}')
}

// inside appends the parts of interest in a node: the outermost mappings, and those in texts.
func (s *Survey) inside(out []byte, t *read.Tape, node int, isText bool, limits read.Limits) []byte {
	switch t.Kind(node) {
	case read.Mapping:
		for at, end := node+1, t.Next(node); at < end; at = t.Next(at + 1) {
			if kind, isWanted := s.keys[string(t.Text(at))]; isWanted && t.Kind(at+1) == kind {
				return append(t.AppendJSON(beginPart(out, isText), node), "},"...)
			}
		}
		for at, end := node+1, t.Next(node); at < end; at = t.Next(at + 1) {
			out = s.inside(out, t, at+1, isText, limits)
		}
	case read.Sequence:
		for at, end := node+1, t.Next(node); at < end; at = t.Next(at) {
			out = s.inside(out, t, at, isText, limits)
		}
	case read.String:
		if !isText && s.isWanted(t.Text(node)) {
			out = s.insideText(out, t.Text(node), limits)
		}
	}
	return out
}

func beginPart(out []byte, isText bool) []byte {
	out = strconv.AppendBool(append(out, `{"isText":`...), isText)
	return append(out, `,"value":`...)
}

func (s *Survey) isWanted(text []byte) bool {
	for _, wanted := range s.texts {
		if bytes.Contains(text, wanted) {
			return true
		}
	}
	return false
}

// insideText appends the parts of interest in the documents of a text, and the text itself if it cannot be read.
func (s *Survey) insideText(out []byte, text []byte, limits read.Limits) []byte {
	reader := read.Reader{Limits: limits, Dialect: read.Kubernetes}
	isBroken := false
	splitter := read.Splitter{
		Dialect: read.Kubernetes,
		Limits:  limits,
		Problem: func(read.Problem) { isBroken = true },
		Parts: func(p read.Part) {
			for _, span := range p.Spans {
				document, _ := reader.Read(p, span)
				if document == nil {
					isBroken = true
				} else if !document.IsEmpty() {
					out = s.inside(out, document.Tape, 0, true, limits)
				}
			}
		},
	}
	splitter.SplitText(bytes.Clone(text))
	if isBroken {
		out = append(read.AppendString(beginPart(out, true), text), "},"...)
	}
	return out
}

// ask returns the answers of unjudged.objects: what each object holds, or nil.
func (s *Survey) ask(objects [][]byte) ([]*Unjudged, error) {
	input := append(bytes.Join(append([][]byte{[]byte(`{"objects":[`)}, bytes.Join(objects, []byte{','})), nil), "]}"...)
	value, err := s.rules.Query(s.Objects, "data.unjudged.objects.found", input)
	if err != nil {
		return nil, err
	}
	var found []*Unjudged
	encoded, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(encoded, &found)
	}
	if err == nil && len(found) != len(objects) {
		err = fmt.Errorf("unjudged.objects has %d answers to %d objects", len(found), len(objects))
	}
	return found, err
}
