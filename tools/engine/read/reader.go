package read

import "bytes"

// A Reader reads documents one after the other, and reuses memory.
type Reader struct {
	Limits  Limits
	Dialect Dialect
	tapes   []*Tape
	buffer  []byte
}

// The number of tapes that are kept for reuse, and the largest size of one in nodes.
const (
	mostTapes   = 128
	largestTape = 1 << 12
)

// Read reads a document of a part. With a document, the problems are those for which Kubernetes would refuse it; without one,
// the reasons.
func (r *Reader) Read(p Part, s Span) (*Document, []Problem) {
	document, problems := r.read(p, s)
	for i := range problems {
		if problems[i].Document != WholeFile {
			problems[i].Document = s.index
		}
	}
	return document, problems
}

func (r *Reader) read(p Part, s Span) (*Document, []Problem) {
	if s.document != nil {
		return s.document, s.problems
	}
	source := p.Text[s.start:s.end]
	if len(source) > r.Limits.MaxDocument {
		return nil, []Problem{tooLarge(s.index, s.line)}
	}
	problems := s.problems
	t := r.readPlain(source)
	if t == nil {
		var more []Problem
		t, more = r.readAny(source, s.line, true)
		problems = append(problems, more...)
	}
	if t == nil {
		return nil, problems
	}
	if isObjectAsText(t) {
		problems = append(problems, Problem{
			Line: s.line, Message: "it is read as text, not as an object",
			Remedy: "begin comments with # in YAML, and leave them out of JSON",
		})
	}
	return &Document{
		Tape: t, Index: s.index, Line: s.line, Format: YAML, Begin: s.begin, End: s.begin + int64(len(source)),
	}, problems
}

// isObjectAsText tells whether a document that looks like an object is a string, such as JSON after a comment line.
func isObjectAsText(t *Tape) bool {
	return len(t.nodes) > 0 && t.Kind(0) == String && bytes.Contains(t.Text(0), []byte("apiVersion"))
}

// ReadFirst reads the first document of a text, as Go's yaml.Unmarshal does. It ignores what follows.
func (r *Reader) ReadFirst(text []byte, firstLine int) (*Document, []Problem) {
	if bytes.IndexByte(text, '\n') < 0 {
		text = bytes.ReplaceAll(text, []byte{'\r'}, lineFeed)
	}
	t, problems := r.readAny(text, firstLine, false)
	if t == nil {
		return nil, problems
	}
	return &Document{Tape: t, Line: firstLine, Format: YAML, End: int64(len(text))}, problems
}

// Release reuses the memory of a document that is no longer needed, unless it is large.
func (r *Reader) Release(d *Document) {
	if len(r.tapes) < mostTapes && cap(d.nodes) <= largestTape {
		d.Tape.reset(nil)
		r.tapes = append(r.tapes, d.Tape)
	}
}

// readPlain returns the tape of a document, or nil if the document needs the full parser.
func (r *Reader) readPlain(source []byte) *Tape {
	if r.Dialect != Kubernetes {
		return nil
	}
	text, buffer, ok := normal(source, r.buffer)
	r.buffer = buffer
	if !ok {
		return nil
	}
	t := &Tape{}
	if last := len(r.tapes) - 1; last >= 0 {
		t, r.tapes = r.tapes[last], r.tapes[:last]
	}
	if len(text) != len(source) {
		text = append([]byte(nil), text...) // the buffer is reused for the next document
	}
	t.reset(text)
	if !t.readYAML(r.Limits.MaxDepth) {
		r.tapes = append(r.tapes, t)
		return nil
	}
	return t
}

// readAny reads the first document of a text with the full parser, even if it has bytes that are not UTF-8.
func (r *Reader) readAny(source []byte, firstLine int, isAlone bool) (*Tape, []Problem) {
	text, bad := validUTF8(source)
	t, problems := r.readFull(bytes.TrimPrefix(text, byteOrderMark), firstLine, isAlone)
	if bad >= 0 {
		problems = append(problems, notText("UTF-8", firstLine+bytes.Count(source[:bad], lineFeed)))
	}
	return t, problems
}

// isTemplate tells whether a text that cannot be read looks like a Go or Jinja template.
func isTemplate(text []byte) bool {
	return bytes.Contains(text, []byte("{{")) || bytes.Contains(text, []byte("{%"))
}
