package protocol

import (
	"slices"
	"strings"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/read"
)

// installers returns the objects of a document that install charts.
func (s *session) installers(d *read.Document, objects []read.Object) (found []read.Object) {
	for _, o := range objects {
		isKind := func(kind string) bool {
			group, isKind := strings.CutSuffix(kind, "/"+o.Kind)
			return isKind && group == d.Group(o)
		}
		if slices.ContainsFunc(s.installerKinds, isKind) {
			found = append(found, o)
		}
	}
	return found
}

// appendInstaller appends a record about an installer, without its places.
func appendInstaller(out []byte, id int, d *read.Document, o read.Object) []byte {
	out = appendItem(appendPlace(out, "installer", id, d.Index), o.Items)
	return d.AppendObject(append(out, `,"object":`...), o)
}

// mostMappings is the number of mappings of an installer whose places are looked for: the outermost ones.
const mostMappings = 1000

// questionsAbout returns questions about an object and the mappings in its spec.
func questionsAbout(text, line int, d *read.Document, o read.Object) []builds.Question {
	found := []builds.Question{{Text: text, Line: line, Path: []any{}}}
	type value struct {
		node int
		path []any
	}
	waiting := []value{{d.Get(o.Node, "spec"), []any{"spec"}}}
	if waiting[0].node < 0 {
		return found
	}
	for ; len(waiting) > 0 && len(found) < mostMappings; waiting = waiting[1:] {
		own := waiting[0]
		switch d.Kind(own.node) {
		case read.Mapping:
			found = append(found, builds.Question{Text: text, Line: line, Path: own.path})
			for at, end := own.node+1, d.Next(own.node); at < end; at = d.Next(at + 1) {
				waiting = append(waiting, value{at + 1, append(slices.Clone(own.path), string(d.Text(at)))})
			}
		case read.Sequence:
			i := 0
			for at, end := own.node+1, d.Next(own.node); at < end; at = d.Next(at) {
				waiting = append(waiting, value{at, append(slices.Clone(own.path), i)})
				i++
			}
		}
	}
	return found
}
