package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A Span is one document of a Part.
type Span struct {
	start, end int // offsets in the text of the part
	line       int // line of the file, from 1, on which it begins
	index      int // among the documents of the file
	begin      int64
	document   *Document // the document, if it has been read already
	problems   []Problem // problems with its separator or its JSON
}

// Index returns its index among the documents of the file.
func (s Span) Index() int { return s.index }

// A Part is some consecutive documents of a file.
type Part struct {
	Text  []byte
	Spans []Span
}

// A Splitter splits the text of a file into documents as Kubernetes does: at lines that begin with `---`, or after each of
// several JSON values.
type Splitter struct {
	Name      string // of the file, as shown to users
	FirstLine int    // line of the file, from 1, on which the text begins
	Dialect   Dialect
	Limits    Limits
	Parts     func(Part)    // receives the documents
	Problem   func(Problem) // receives the problems between documents

	input    io.Reader
	buffer   []byte // text that is read, and not yet in a part
	ended    bool   // the file has been read to its end
	line     int    // from 1, on which the buffer begins
	offset   int64  // of the buffer in the text of the file
	index    int    // of the first document in the buffer
	hasBegun bool   // there was a separator
	isBlank  bool
}

// A Result describes a file that has been split.
type Result struct {
	Documents int
	IsBlank   bool  // it has nothing but white space
	Err       error // why it could not be read to its end
}

const blockSize = 1 << 20

// SplitPath reads a file and emits its documents.
func (s *Splitter) SplitPath(path string) Result {
	input, err := os.Open(path)
	if err != nil {
		return Result{Err: err}
	}
	defer input.Close()
	s.input = input
	return s.split(firstBlock(input))
}

// SplitText emits the documents of a text.
func (s *Splitter) SplitText(text []byte) Result {
	s.buffer, s.ended = text, true
	return s.split(0)
}

func (s *Splitter) split(size int) Result {
	s.line = max(s.FirstLine, 1)
	err := s.fill(size)
	if err == nil {
		err = s.begin()
	}
	return Result{s.index, s.isBlank, err}
}

// firstBlock returns the size of the first read: for a small file its size, and one byte to notice its end.
func firstBlock(input *os.File) int {
	info, err := input.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return blockSize
	}
	return int(min(info.Size()+1, blockSize))
}

// fill reads until the buffer has the given size, or the file ends.
func (s *Splitter) fill(size int) error {
	if cap(s.buffer) < size && !s.ended {
		larger := make([]byte, len(s.buffer), size)
		copy(larger, s.buffer)
		s.buffer = larger
	}
	for !s.ended && len(s.buffer) < size {
		read, err := s.input.Read(s.buffer[len(s.buffer):size])
		s.buffer = s.buffer[:len(s.buffer)+read]
		if err == io.EOF {
			s.ended = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fillUntil reads until the buffer holds what is wanted, or the file ends. It returns ok=false if that exceeds the limit.
func (s *Splitter) fillUntil(isThere func() bool) (ok bool, err error) {
	for size := len(s.buffer) + blockSize; !s.ended && !isThere(); size *= 2 {
		if len(s.buffer) > s.Limits.MaxDocument {
			s.Problem(tooLarge(s.index, s.line))
			s.index++
			return false, nil
		}
		if err := s.fill(min(size, s.Limits.MaxDocument+1)); err != nil {
			return false, err
		}
	}
	return true, nil
}

func never() bool { return false }

// advance moves the buffer forward. isKept tells whether a part refers to the text before the new position.
func (s *Splitter) advance(at int, isKept bool) {
	s.line += bytes.Count(s.buffer[:at], lineFeed)
	s.offset += int64(at)
	s.buffer = s.buffer[at:]
	if isKept && !s.ended {
		s.buffer = append(make([]byte, 0, blockSize+len(s.buffer)), s.buffer...)
	}
}

func (s *Splitter) emit(text []byte, spans []Span) {
	if len(spans) > 0 {
		s.Parts(Part{text, spans})
	}
}

var byteOrderMark = []byte("\ufeff")

const blanks = " \t\r\n"

func (s *Splitter) begin() error {
	if problem := packed(s.buffer); problem != nil {
		s.Problem(*problem)
		return nil
	}
	if order, encoding := byteOrder(s.buffer); order != nil {
		if ok, err := s.fillUntil(never); !ok {
			return err
		}
		text, badLine := fromUTF16(s.buffer, order)
		if badLine > 0 {
			s.Problem(notText(encoding, badLine))
		}
		s.buffer = text
	}
	s.buffer = bytes.TrimPrefix(s.buffer, byteOrderMark)
	if bytes.IndexByte(s.buffer, '\r') >= 0 {
		hasLineFeed := func() bool { return bytes.IndexByte(s.buffer, '\n') >= 0 }
		if ok, err := s.fillUntil(hasLineFeed); !ok {
			return err
		}
		if !hasLineFeed() {
			// The file has carriage returns as line ends.
			s.buffer = bytes.ReplaceAll(s.buffer, []byte{'\r'}, lineFeed)
		}
	}
	first := bytes.TrimLeft(s.buffer, blanks)
	for len(first) == 0 && !s.ended {
		s.advance(bytes.LastIndexByte(s.buffer, '\n')+1, true)
		size := len(s.buffer) + blockSize
		if ok, err := s.fillUntil(func() bool { return len(s.buffer) >= size }); !ok {
			return err
		}
		first = bytes.TrimLeft(s.buffer, blanks)
	}
	if len(first) == 0 {
		s.isBlank = true
		return nil
	}
	if s.Dialect == Kubernetes && (first[0] == '{' || s.isNamedJSON()) {
		return s.splitJSON()
	}
	if line := s.directive(); line > 0 {
		s.Problem(Problem{
			Document: s.index, Line: line, Message: "Kubernetes does not read YAML directives", Remedy: "remove the line",
		})
	}
	return s.splitYAML()
}

func (s *Splitter) isNamedJSON() bool { return strings.EqualFold(filepath.Ext(s.Name), ".json") }

// directive returns the line of a directive before the first document, or 0.
func (s *Splitter) directive() int {
	rest, line := s.buffer, s.line
	for {
		text, after, found := bytes.Cut(rest, lineFeed)
		text = bytes.TrimRight(text, blanks)
		if bytes.HasPrefix(text, []byte{'%'}) {
			return line
		}
		if text = bytes.TrimLeft(text, blanks); !found || len(text) > 0 && text[0] != '#' {
			return 0
		}
		rest = after
		line++
	}
}

var separator = []byte("\n---")

func (s *Splitter) splitYAML() error {
	for size := blockSize; ; {
		if err := s.fill(size); err != nil {
			return err
		}
		spans, rest := s.spans()
		s.emit(s.buffer[:rest], spans)
		s.advance(rest, true)
		switch {
		case s.ended:
			return nil
		case rest > 0:
			size = max(blockSize, len(s.buffer)+blockSize/2)
		case size >= s.Limits.MaxDocument:
			if err := s.skipDocument(); err != nil {
				return err
			}
			size = blockSize
		default:
			size = min(2*size, s.Limits.MaxDocument)
		}
	}
}

// spans returns the complete documents in the buffer, and the offset of the first incomplete one.
func (s *Splitter) spans() (spans []Span, rest int) {
	text, line := s.buffer, s.line
	at := 0 // offset of a separator, or of the text before the first one
	for {
		span := Span{start: at, line: line}
		from := at // offset from which to search for the next separator
		if s.hasBegun || bytes.HasPrefix(text[at:], separator[1:]) {
			s.hasBegun = true
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				if !s.ended {
					return spans, at
				}
				end = len(text) - at
			}
			// The next separator may be on the next line.
			from = at + end
			after := text[at+len("---") : at+end]
			if content := bytes.TrimSpace(after); len(content) > 0 && content[0] != '#' {
				span.problems = []Problem{{
					Line: line, Message: "nothing but a comment may follow `---` on its line", Remedy: "put what follows on a line of its own",
				}}
			}
			if span.problems == nil || strings.IndexByte(blanks, after[0]) < 0 {
				span.start = min(from+1, len(text))
				span.line += span.start - from
			}
		}
		next := bytes.Index(text[from:], separator)
		span.end = len(text)
		if next >= 0 {
			span.end = from + next + 1
		} else if !s.ended {
			return spans, at
		}
		isDocument := true
		if !s.hasBegun {
			isDocument = !isPreamble(text[at:span.end])
		} else if next < 0 {
			// A separator at the very end does not begin a document.
			isDocument = span.problems != nil || len(bytes.Trim(text[span.start:], blanks)) > 0
		}
		if isDocument {
			span.index, span.begin = s.index, s.offset+int64(span.start)
			spans = append(spans, span)
			s.index++
		} else {
			s.check(text[at:span.end], line)
		}
		if next < 0 {
			return spans, len(text)
		}
		line += bytes.Count(text[at:span.end], lineFeed)
		at = span.end
		s.hasBegun = true
	}
}

// check reports bytes that are not UTF-8 in a text that does not belong to a document.
func (s *Splitter) check(text []byte, line int) {
	if _, bad := validUTF8(text); bad >= 0 {
		s.Problem(notText("UTF-8", line+bytes.Count(text[:bad], lineFeed)))
	}
}

// isPreamble tells whether a text has only blank lines, comments and directives.
func isPreamble(text []byte) bool {
	for len(text) > 0 {
		line, after, _ := bytes.Cut(text, lineFeed)
		content := bytes.TrimLeft(line, blanks)
		if len(content) > 0 && content[0] != '#' && line[0] != '%' {
			return false
		}
		text = after
	}
	return true
}

// skipDocument skips a document that is too large.
func (s *Splitter) skipDocument() error {
	s.Problem(tooLarge(s.index, s.line))
	s.index++
	for from := 1; ; from = 0 {
		if next := bytes.Index(s.buffer[from:], separator); next >= 0 {
			s.advance(from+next+1, true)
			s.hasBegun = true
			return nil
		}
		if s.ended {
			s.buffer = nil
			return nil
		}
		s.advance(len(s.buffer)-len(separator), true)
		if err := s.fill(blockSize); err != nil {
			return err
		}
	}
}

// splitJSON reads consecutive JSON values. From the first separator or comment on, the rest is YAML. As in kubectl, everything
// is YAML if the first value is YAML and not JSON.
func (s *Splitter) splitJSON() error {
	for size := blockSize; ; {
		if err := s.fill(size); err != nil {
			return err
		}
		spans, rest, next := s.values()
		isIncomplete := rest == 0 && next == moreJSON
		s.emit(s.buffer[:rest], spans)
		s.advance(rest, len(spans) > 0)
		switch {
		case next == thenYAML:
			return s.splitYAML()
		case next == brokenJSON:
			if isYAML, err := s.skipJSON(); err != nil || isYAML {
				if isYAML {
					return s.splitYAML()
				}
				return err
			}
			size = blockSize
		case s.ended:
			return nil
		case isIncomplete && size >= s.Limits.MaxDocument:
			s.Problem(tooLarge(s.index, s.line))
			s.index++
			return nil
		case isIncomplete:
			size = min(2*size, s.Limits.MaxDocument)
		default:
			size = max(blockSize, len(s.buffer)+blockSize/2)
		}
	}
}

// What follows some JSON values.
const (
	moreJSON = iota
	thenYAML
	brokenJSON
)

// values returns the complete JSON values in the buffer, the offset after them, and what follows.
func (s *Splitter) values() (spans []Span, rest, next int) {
	line, counted := s.line, 0
	for {
		at := len(s.buffer) - len(bytes.TrimLeft(s.buffer[rest:], blanks))
		text := s.buffer[at:]
		if len(text) == 0 || len(text) < len("---") && !s.ended {
			return spans, at, moreJSON
		}
		if text[0] == '#' || bytes.HasPrefix(text, separator[1:]) {
			return spans, at, thenYAML
		}
		if !s.ended && jsonEnd(text) == len(text) {
			return spans, at, moreJSON
		}
		line += bytes.Count(s.buffer[counted:at], lineFeed)
		counted = at
		document, problems := s.readJSON(text, line, s.offset+int64(at))
		if document == nil {
			if s.index == 0 {
				// It may be YAML, in which the blanks before it matter.
				at = bytes.LastIndexByte(s.buffer[:at], '\n') + 1
			}
			return spans, at, brokenJSON
		}
		rest = at + int(document.End-document.Begin)
		spans = append(spans, Span{start: at, end: rest, line: line, index: s.index, document: document, problems: problems})
		s.index++
	}
}

// readJSON reads the JSON value at the beginning of a text. Without a document, it returns the reasons as problems.
func (s *Splitter) readJSON(source []byte, line int, begin int64) (*Document, []Problem) {
	t := &Tape{}
	t.reset(source)
	end, hasDuplicates, ok := t.readJSON(s.Limits.MaxDepth)
	switch {
	case t.tooDeep:
		return nil, []Problem{*tooDeep(s.Limits.MaxDepth, line)}
	case !ok || end < len(source) && isWordByte(source[end]) && t.Kind(0) != Mapping && t.Kind(0) != Sequence:
		return nil, []Problem{jsonProblem(source, line)}
	}
	if text, bad := validUTF8(source[:end]); bad >= 0 {
		s.Problem(notText("UTF-8", line+bytes.Count(source[:bad], lineFeed)))
		t.reset(text)
		_, hasDuplicates, _ = t.readJSON(s.Limits.MaxDepth)
	} else {
		t.source = text
	}
	document := &Document{Tape: t, Index: s.index, Line: line, Format: JSON, Begin: begin, End: begin + int64(end)}
	if !hasDuplicates {
		return document, nil
	}
	return document, duplicateProblems(document.dropDuplicates())
}

// jsonProblem returns why a text does not begin with a JSON value.
func jsonProblem(text []byte, line int) Problem {
	var value any
	err := json.Unmarshal(text, &value)
	problem := Problem{Line: line, Message: "not valid JSON", Remedy: correct}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		problem.Message += ": " + syntax.Error()
		before := text[:max(syntax.Offset-1, 0)]
		if syntax.Offset == int64(len(text)) {
			before = bytes.TrimRight(before, blanks)
		}
		problem.Line += bytes.Count(before, lineFeed)
	}
	return problem
}

var (
	nextValue     = regexp.MustCompile(`\n(?:\{|---)`)
	looksLikeJSON = regexp.MustCompile(`^\s*\{\s*["}]`)
)

// skipJSON skips text that is not JSON at the beginning of the buffer. It returns isYAML=true if this and all that follows is
// YAML.
func (s *Splitter) skipJSON() (isYAML bool, err error) {
	if ok, err := s.fillUntil(never); !ok {
		s.buffer, s.ended = nil, true
		return false, err
	}
	if s.index == 0 && !s.isBrokenJSON() {
		return true, nil
	}
	_, problems := s.readJSON(bytes.TrimLeft(s.buffer, blanks), s.line, 0)
	end := len(s.buffer)
	if next := nextValue.FindIndex(s.buffer); next != nil {
		end = next[0] + 1
	}
	s.check(s.buffer[:end], s.line)
	problems[0].Document = s.index
	problems[0].IsTemplate = isTemplate(s.buffer[:end])
	s.Problem(problems[0])
	s.index++
	s.advance(end, false)
	return false, nil
}

// isBrokenJSON tells whether a text whose first value is neither JSON nor YAML is meant to be JSON.
func (s *Splitter) isBrokenJSON() bool {
	if !s.isNamedJSON() && !looksLikeJSON.Match(s.buffer) {
		return false
	}
	text := s.buffer
	if end := bytes.Index(text, separator); end >= 0 {
		text = text[:end+1]
	}
	reader := Reader{Limits: s.Limits, Dialect: s.Dialect}
	document, _ := reader.Read(Part{Text: text}, Span{end: len(text)})
	return document == nil
}

// jsonEnd returns the end of the JSON value at the beginning of a text, or the end of the text if the value is incomplete.
func jsonEnd(text []byte) int {
	depth := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			for at++; at < len(text) && text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
		default:
			if depth > 0 {
				continue
			}
			for at < len(text) && strings.IndexByte(" \t\r\n{}[],:\"", text[at]) < 0 {
				at++
			}
			return max(at, 1)
		}
		if depth <= 0 {
			return min(at+1, len(text))
		}
	}
	return len(text)
}
