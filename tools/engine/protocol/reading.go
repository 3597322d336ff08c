package protocol

import (
	"io"
	"os"
	"strconv"

	"pullguard.invalid/tools/engine/read"
)

// A reading answers a read request.
type reading struct {
	*session
	request
	kinds     map[string]bool // nil: all
	out       []byte
	objects   int
	withKinds int
	found     []read.Object
}

// read reads a file or a text, and writes its contents.
func (s *session) read(asked request) {
	r := &reading{session: s, request: asked}
	if asked.Kinds != nil {
		r.kinds = map[string]bool{}
		for _, kind := range asked.Kinds {
			r.kinds[kind] = true
		}
	}
	if r.Dialect == "" {
		r.Dialect = read.Kubernetes
	}
	isPath := asked.Source == "path"
	if asked.IsInput && isPath && asked.index != nil {
		asked.index.addFile(asked.ID, indexedFile{path: string(asked.data), name: asked.Name})
	}
	reader := &read.Reader{Limits: asked.limits, Dialect: r.Dialect}
	var result read.Result
	if asked.First {
		result = r.first(reader, isPath)
	} else {
		splitter := read.Splitter{
			Name:      asked.Name,
			FirstLine: asked.FirstLine,
			Dialect:   r.Dialect,
			Limits:    asked.limits,
			Problem:   func(problem read.Problem) { s.problems(asked.ID, []read.Problem{problem}) },
			Parts:     func(part read.Part) { r.part(reader, part) },
		}
		if isPath {
			result = splitter.SplitPath(string(asked.data))
		} else {
			result = splitter.SplitText(asked.data)
		}
	}
	s.badByte(asked.ID)
	entry := doneWith(asked.ID, result, r.objects)
	entry.DocumentsWithKind = r.withKinds
	s.record(entry, nil)
}

// first reads only the first document.
func (r *reading) first(reader *read.Reader, isPath bool) read.Result {
	text := r.data
	if isPath {
		file, err := os.Open(string(r.data))
		if err == nil {
			defer file.Close()
			text, err = io.ReadAll(io.LimitReader(file, int64(r.request.limits.MaxDocument)+1))
		}
		if err != nil {
			return read.Result{Err: err}
		}
	}
	document, problems := reader.ReadFirst(text, max(r.FirstLine, 1))
	r.problems(r.ID, problems)
	if document != nil {
		r.document(document)
		r.write(r.out)
	}
	return read.Result{Documents: 1}
}

func (r *reading) part(reader *read.Reader, part read.Part) {
	r.out = r.out[:0]
	for _, span := range part.Spans {
		document, problems := reader.Read(part, span)
		if len(problems) > 0 {
			r.write(r.out)
			r.out = r.out[:0]
			r.problems(r.ID, problems)
		}
		if document != nil {
			if !r.document(document) {
				reader.Release(document)
			}
		}
	}
	r.write(r.out)
	r.flush()
}

// document appends the records of a document. It returns isKept=true if the index keeps the document.
func (r *reading) document(d *read.Document) (isKept bool) {
	if d.IsObject() {
		r.withKinds++
	}
	r.found = d.Objects(r.found[:0])
	r.objects += len(r.found)
	if r.IsInput {
		var remembering *index
		if r.Source == "path" {
			remembering = r.request.index
		}
		isKept = r.seen(remembering, r.ID, d, r.found)
	}
	if r.Unit == "documents" {
		out := appendPlace(r.out, "document", r.ID, d.Index)
		out = append(append(append(out, `,"format":"`...), d.Format...), `","begin":`...)
		out = strconv.AppendInt(append(strconv.AppendInt(out, d.Begin, 10), `,"end":`...), d.End, 10)
		if d.IsEmpty() {
			r.out = append(strconv.AppendInt(append(out, `,"line":`...), int64(d.Line), 10), ",\"value\":null}\n"...)
			return isKept
		}
		whole := read.Object{InheritedVersion: -1}
		r.out = r.rest(d.AppendJSON(append(r.line(out, d, whole), `,"value":`...), 0), d, whole)
		return isKept
	}
	for _, o := range r.found {
		if r.kinds == nil || r.kinds[d.Group(o)+"/"+o.Kind] {
			out := r.line(appendItem(appendPlace(r.out, "object", r.ID, d.Index), o.Items), d, o)
			r.out = r.rest(d.AppendObject(append(out, `,"object":`...), o), d, o)
		}
	}
	return isKept
}

func (r *reading) line(out []byte, d *read.Document, o read.Object) []byte {
	return strconv.AppendInt(append(out, `,"line":`...), int64(d.LineOf(o.Node)), 10)
}

// rest appends the lines of the values in an object, if they were asked for, and the end of the record.
func (r *reading) rest(out []byte, d *read.Document, o read.Object) []byte {
	if r.Lines {
		out = d.AppendAllLines(append(out, `,"lines":`...), o)
	}
	return append(out, '}', '\n')
}
