package protocol

import (
	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/read"
)

// installers returns the objects of a document that install charts.
func (s *session) installers(d *read.Document, objects []read.Object) (found []read.Object) {
	for _, o := range objects {
		if isOneOf(s.installerKinds, d, o) {
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

// questionsAbout returns questions about an object and the outermost mappings in a value in it.
func questionsAbout(text, line int, d *read.Document, node int, path []any) []builds.Question {
	found := []builds.Question{{Text: text, Line: line, Path: []any{}}}
	for _, own := range mappings(d, node, path) {
		if len(own) > 0 {
			found = append(found, builds.Question{Text: text, Line: line, Path: own})
		}
	}
	return found
}
