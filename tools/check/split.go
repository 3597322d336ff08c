package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A span is one document of a part of a file.
type span struct {
	start, end int
	line       int   // from 1, on which it begins
	index      int   // its place among the documents of the file
	read       *tape // what it says, if that is known already
}

// A part is some of the documents of a file, one after the other.
type part struct {
	file  *file
	text  []byte
	spans []span
}

// A file is what has been read of one so far. It is whole when all its parts have been judged.
type file struct {
	id    int
	home  home
	mutex sync.Mutex
	// How many parts have not been judged, and one more until all have been made.
	waiting   int
	documents int
	objects   int
}

// A home is the namespace that the objects of a file go to.
type home struct {
	namespace string // of those that state none; "": not known
	replaces  bool   // and of those that state another one
}

const blockSize = 1 << 20

// A splitter cuts a file into documents as Kubernetes does: at lines that begin with `---`.
type splitter struct {
	*file
	input       io.Reader
	buffer      []byte // what has been read and is not yet in a part
	ended       bool   // there is nothing more to read
	line        int    // from 1, on which the buffer begins
	index       int    // of the document that the buffer begins with
	begun       bool   // a separator has come
	maxDocument int
	maxDepth    int
	parts       func(part)
	report      *report
}

// split reads a file and hands on its parts. What cannot be split for certain is reported as doubtful from there on.
func (s *splitter) split(path string) {
	input, err := os.Open(path)
	if err == nil {
		defer input.Close()
		s.input = input
		s.line = 1
		err = s.fill(firstBlock(input))
	}
	if err == nil {
		err = s.begin(strings.EqualFold(filepath.Ext(path), ".json"))
	}
	if err != nil {
		s.report.unreadable(s.id, err)
	}
}

// firstBlock returns how much of a file to read at first: all of a small one, and what shows that there is no more.
func firstBlock(input *os.File) int {
	info, err := input.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return blockSize
	}
	return int(min(info.Size()+1, blockSize))
}

// fill reads until the buffer holds so many bytes, or the file ends.
func (s *splitter) fill(size int) error {
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

var byteOrderMark = []byte("\xef\xbb\xbf")

func (s *splitter) begin(isJSON bool) error {
	if bytes.HasPrefix(s.buffer, byteOrderMark) {
		s.buffer = s.buffer[len(byteOrderMark):]
	}
	first := bytes.TrimLeft(s.buffer, " \t\r\n")
	for len(first) == 0 && !s.ended {
		if len(s.buffer) >= s.maxDocument {
			return s.doubtful()
		}
		if err := s.fill(len(s.buffer) + blockSize); err != nil {
			return err
		}
		first = bytes.TrimLeft(s.buffer, " \t\r\n")
	}
	switch {
	case len(first) == 0:
		if s.ended {
			s.report.blank(s.id)
		}
		return nil
	case first[0] >= 0x80 || first[0] < ' ' || s.isDirective(first):
		// Encodings, and blanks that only some take for blanks.
		return s.doubtful()
	case first[0] == '{' || isJSON:
		return s.splitJSON()
	}
	return s.splitYAML()
}

// isDirective tells whether a directive may come before all documents.
func (s *splitter) isDirective(first []byte) bool {
	for len(first) > 0 && first[0] == '#' {
		end := bytes.IndexByte(first, '\n')
		if end < 0 {
			return false
		}
		first = bytes.TrimLeft(first[end:], " \t\r\n")
	}
	return len(first) > 0 && first[0] == '%'
}

var separator = []byte("\n---")

func (s *splitter) splitYAML() error {
	for size := blockSize; ; {
		if err := s.fill(size); err != nil {
			return err
		}
		if newline := bytes.IndexByte(s.buffer, '\n'); newline < 0 && bytes.IndexByte(s.buffer, '\r') >= 0 {
			return s.doubtful() // carriage returns may be what ends lines here
		}
		spans, rest, ok := s.spans()
		if len(spans) > 0 {
			s.emit(s.buffer[:rest], spans)
		}
		s.line += bytes.Count(s.buffer[:rest], []byte{'\n'})
		s.buffer = s.buffer[rest:]
		switch {
		case !ok:
			return s.doubtful()
		case s.ended:
			return nil
		case rest > 0:
			// The part has the old buffer.
			s.buffer = append(make([]byte, 0, blockSize+len(s.buffer)), s.buffer...)
			size = max(blockSize, len(s.buffer)+blockSize/2)
		case size >= s.maxDocument:
			if err := s.skipDocument(); err != nil {
				return err
			}
			size = blockSize
		default:
			size = min(2*size, s.maxDocument)
		}
	}
}

// spans returns the documents in the buffer that are complete, and where the first one begins that is not. Not ok: the
// separator there is one that Kubernetes does not take.
func (s *splitter) spans() (spans []span, rest int, ok bool) {
	text, line := s.buffer, s.line
	at := 0 // where a separator or the text before the first one begins
	for {
		begin := at // of the document
		if s.begun || bytes.HasPrefix(text[at:], separator[1:]) {
			s.begun = true
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				if !s.ended {
					return spans, at, true
				}
				end = len(text) - at
			}
			after := bytes.Trim(text[at+3:at+end], " \t\r")
			if len(after) > 0 && after[0] != '#' {
				return spans, at, false
			}
			begin = min(at+end+1, len(text))
		}
		// A separator may follow at once.
		from := max(begin-1, 0)
		if begin == at {
			from = at
		}
		next := bytes.Index(text[from:], separator)
		end := len(text)
		if next >= 0 {
			end = from + next + 1
		} else if !s.ended {
			return spans, at, true
		}
		isDocument := true
		if begin == at {
			isDocument = !isPreamble(text[at:end])
		} else if next < 0 {
			isDocument = len(bytes.Trim(text[begin:end], " \t\r\n")) > 0
		}
		if isDocument {
			number := line
			if begin > at {
				number++
			}
			spans = append(spans, span{start: begin, end: end, line: number, index: s.index})
			s.index++
		}
		if next < 0 {
			return spans, len(text), true
		}
		line += bytes.Count(text[at:end], separator[:1])
		at = end
		s.begun = true
	}
}

// isPreamble tells whether a text is blank but for comments.
func isPreamble(text []byte) bool {
	for len(text) > 0 {
		text = bytes.TrimLeft(text, " \t\r\n")
		if len(text) == 0 {
			return true
		}
		if text[0] != '#' {
			return false
		}
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return true
		}
		text = text[end:]
	}
	return true
}

// splitJSON reads JSON values that follow each other.
func (s *splitter) splitJSON() error {
	for size := blockSize; ; {
		if err := s.fill(size); err != nil {
			return err
		}
		complete := 0
		var spans []span
		for at := complete; ; {
			for at < len(s.buffer) && bytes.IndexByte([]byte(" \t\r\n"), s.buffer[at]) >= 0 {
				at++
			}
			if at == len(s.buffer) {
				if s.ended {
					complete = at
				}
				break
			}
			end := jsonEnd(s.buffer[at:])
			if end == 0 && !s.ended {
				break
			}
			line := s.line + bytes.Count(s.buffer[:at], []byte{'\n'})
			read := s.readJSON(s.buffer[at : at+max(end, 0)])
			if read == nil {
				if len(spans) > 0 {
					s.emit(s.buffer[:at], spans)
				}
				s.line = line
				s.buffer = s.buffer[at:]
				return s.doubtful()
			}
			spans = append(spans, span{start: at, end: at + end, line: line, index: s.index, read: read})
			s.index++
			at += end
			complete = at
		}
		if len(spans) > 0 {
			s.emit(s.buffer[:complete], spans)
		}
		if s.ended {
			return nil
		}
		s.line += bytes.Count(s.buffer[:complete], []byte{'\n'})
		if complete > 0 {
			s.buffer = append(make([]byte, 0, blockSize+len(s.buffer)-complete), s.buffer[complete:]...)
			size = max(blockSize, len(s.buffer)+blockSize/2)
		} else if size >= s.maxDocument {
			return s.doubtful()
		} else {
			size = min(2*size, s.maxDocument)
		}
	}
}

// readJSON returns what a text says that is one JSON value, or nil where that is for the strict reader to say.
func (s *splitter) readJSON(source []byte) *tape {
	text, _, ok := normal(source, nil)
	if !ok {
		return nil
	}
	read := &tape{}
	read.reset(text)
	if end, ok := read.readJSON(s.maxDepth); !ok || end != len(text) {
		return nil
	}
	return read
}

// jsonEnd returns where the object or array ends that a text begins with; 0 if it does not end, -1 if it is neither.
func jsonEnd(text []byte) int {
	if text[0] != '{' && text[0] != '[' {
		return -1
	}
	depth := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		case '"':
			for at++; at < len(text) && text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
		}
	}
	return 0
}

func (s *splitter) emit(text []byte, spans []span) {
	s.mutex.Lock()
	s.waiting++
	s.documents = s.index
	s.mutex.Unlock()
	s.parts(part{s.file, text, spans})
}

// doubtful reports all that is left of the file.
func (s *splitter) doubtful() error {
	for size := len(s.buffer) + blockSize; !s.ended; size *= 2 {
		if len(s.buffer) > s.maxDocument {
			s.report.tooLarge(s.id, s.index, s.line)
			return nil
		}
		if err := s.fill(min(size, s.maxDocument+1)); err != nil {
			return err
		}
	}
	s.report.rest(s.id, s.index, s.line, s.buffer)
	return nil
}

// skipDocument leaves out a document that is too large.
func (s *splitter) skipDocument() error {
	s.report.tooLarge(s.id, s.index, s.line)
	s.index++
	s.mutex.Lock()
	s.documents = s.index
	s.mutex.Unlock()
	for from := 1; ; from = 0 {
		if next := bytes.Index(s.buffer[from:], separator); next >= 0 {
			end := from + next + 1
			s.line += bytes.Count(s.buffer[:end], []byte{'\n'})
			s.buffer = append(make([]byte, 0, blockSize), s.buffer[end:]...)
			s.begun = true
			return nil
		}
		if s.ended {
			s.buffer = nil
			return nil
		}
		keep := len(s.buffer) - len(separator)
		s.line += bytes.Count(s.buffer[:keep], []byte{'\n'})
		s.buffer = append(make([]byte, 0, blockSize), s.buffer[keep:]...)
		if err := s.fill(blockSize); err != nil {
			return err
		}
	}
}
