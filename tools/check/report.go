package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
	"syscall"
)

// A report is what is written for pullguard to read: a line of JSON for each thing that was found, followed by as many
// bytes of raw data as its "size" says.
type report struct {
	mutex  sync.Mutex
	stream *bufio.Writer
}

func newReport(stream io.Writer) *report {
	return &report{stream: bufio.NewWriterSize(stream, 1<<16)}
}

// A record is one such line.
type record struct {
	Fatal    string `json:"fatal,omitempty"`
	File     *int   `json:"file,omitempty"`
	Document *int   `json:"document,omitempty"`
	Line     int    `json:"line,omitempty"`
	// What the raw data is: "document" is one YAML document, "rest" all documents from this one on.
	Doubtful string `json:"doubtful,omitempty"`
	Size     int    `json:"size,omitempty"`
	TooLarge bool   `json:"tooLarge,omitempty"`
	Errno    int    `json:"errno,omitempty"`
	Blank    bool   `json:"blank,omitempty"`
	// The file is done.
	Done      bool `json:"done,omitempty"`
	Documents int  `json:"documents,omitempty"`
	Objects   int  `json:"objects,omitempty"`
	// What was asked about the objects of a batch.
	Batch   *int     `json:"batch,omitempty"`
	Answers []answer `json:"answers,omitempty"`
	Failed  string   `json:"failed,omitempty"`
	Timeout bool     `json:"timeout,omitempty"`
}

func (r *report) write(entry record, data []byte) {
	entry.Size = len(data)
	line, err := json.Marshal(entry)
	if err != nil {
		panic(err) // there is nothing in a record that JSON does not have
	}
	r.writeLines(append(line, '\n'), data)
}

// writeLines writes whole lines.
func (r *report) writeLines(lines ...[]byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, line := range lines {
		r.stream.Write(line)
	}
}

func (r *report) flush() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.stream.Flush()
}

func (r *report) unreadable(file int, err error) {
	number := syscall.EIO
	errors.As(err, &number)
	r.write(record{File: &file, Errno: int(number)}, nil)
}

func (r *report) blank(file int) { r.write(record{File: &file, Blank: true}, nil) }

func (r *report) tooLarge(file, document, line int) {
	r.write(record{File: &file, Document: &document, Line: line, TooLarge: true}, nil)
}

func (r *report) doubtful(file, document, line int, text []byte) {
	r.write(record{File: &file, Document: &document, Line: line, Doubtful: "document"}, text)
}

func (r *report) rest(file, document, line int, text []byte) {
	r.write(record{File: &file, Document: &document, Line: line, Doubtful: "rest"}, text)
}

func (r *report) done(f *file) {
	r.write(record{File: &f.id, Done: true, Documents: f.documents, Objects: f.objects}, nil)
}

// appendFinding appends a line about an object that a constraint or a failure has something to say of.
func appendFinding(out []byte, p *pending, v verdict) []byte {
	t := p.tape
	out = strconv.AppendInt(append(out, `{"file":`...), int64(p.file.id), 10)
	out = strconv.AppendInt(append(out, `,"document":`...), int64(p.span.index), 10)
	out = append(out, `,"item":[`...)
	for _, place := range p.object.items {
		out = append(strconv.AppendInt(out, int64(place), 10), ',')
	}
	out = append(closed(out, ']'), `,"object":`...)
	out = t.appendObject(out, p.object)
	if v.failure != "" {
		out = appendString(append(out, `,"failure":`...), []byte(v.failure))
	} else {
		out = appendString(append(out, `,"namespace":`...), []byte(v.Namespace))
		responses, err := json.Marshal(v.Responses)
		if err != nil {
			panic(err)
		}
		out = append(append(out, `,"responses":`...), responses...)
	}
	out = append(out, `,"lines":`...)
	out = p.appendLines(out, v.Responses)
	return append(out, '}', '\n')
}

// appendNamespace appends a line about a Namespace in the input: its name, and its labels if it has any.
func appendNamespace(out []byte, t *tape, o object) []byte {
	if group, _ := t.str(t.get(o.node, "apiVersion")); hasSlash(group) {
		return out
	}
	metadata := t.get(o.node, "metadata")
	name := t.get(metadata, "name")
	if _, ok := t.str(name); !ok {
		return out
	}
	out = t.appendJSON(append(out, `{"labelled":`...), name)
	if labels := t.get(metadata, "labels"); labels >= 0 && t.nodes[labels].kind == mapping {
		out = t.appendJSON(append(out, `,"labels":`...), labels)
	}
	return append(out, '}', '\n')
}

func hasSlash(text string) bool {
	for i := range len(text) {
		if text[i] == '/' {
			return true
		}
	}
	return false
}
