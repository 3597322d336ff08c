// Package protocol answers the requests of PROTOCOL.md.
package protocol

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// Version is the version of PROTOCOL.md.
const Version = 1

// A request is a client's request. PROTOCOL.md says which fields belong to which type.
type request struct {
	Type        string       `json:"type"`
	ID          int          `json:"id"`
	Size        int          `json:"size"`
	Name        string       `json:"name"`
	Namespace   string       `json:"namespace"`
	Replace     bool         `json:"replace"`
	Source      string       `json:"source"`
	Dialect     read.Dialect `json:"dialect"`
	Unit        string       `json:"unit"`
	Lines       bool         `json:"lines"`
	Kinds       []string     `json:"kinds"`
	First       bool         `json:"first"`
	FirstLine   int          `json:"firstLine"`
	IsInput     bool         `json:"isInput"`
	IsInstalled bool         `json:"isInstalled"`
	Entry       string       `json:"entry"`
	RegoVersion string       `json:"regoVersion"`

	data []byte
	// The limits of the session at the time of the request.
	limits read.Limits
	index  *index
}

const longestLine = 1 << 20 // of a request

// next reads a request. It returns io.EOF at the end of the requests.
func next(input *bufio.Reader) (asked request, err error) {
	line, err := input.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		return asked, err
	case err == io.EOF:
		return asked, errors.New("a request is cut off")
	case err != nil:
		return asked, err
	}
	if err := json.Unmarshal(line, &asked); err != nil || asked.Size < 0 {
		return asked, fmt.Errorf("a request cannot be read: %.200q", line)
	}
	asked.data = make([]byte, asked.Size)
	if _, err := io.ReadFull(input, asked.data); err != nil {
		return asked, errors.New("a request is cut off")
	}
	return asked, nil
}

// A writer writes whole records.
type writer struct {
	mutex  sync.Mutex
	stream *bufio.Writer
}

// write writes whole records.
func (w *writer) write(records []byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.stream.Write(records)
}

func (w *writer) flush() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.stream.Flush()
}

// record writes a record, followed by data if it is not nil.
func (w *writer) record(fields any, data []byte) {
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err) // every record can be encoded
	}
	w.write(append(append(line, '\n'), data...))
}

// A done record is the last record of a successful request.
type done struct {
	Type              string                    `json:"type"`
	ID                int                       `json:"id"`
	Documents         int                       `json:"documents,omitempty"`
	DocumentsWithKind int                       `json:"documentsWithKind,omitempty"`
	Objects           int                       `json:"objects,omitempty"`
	Errno             int                       `json:"errno,omitempty"`
	Blank             bool                      `json:"blank,omitempty"`
	Known             map[string]map[string]any `json:"known,omitempty"`
	Ambiguous         []string                  `json:"ambiguous,omitempty"`
	Inventory         json.RawMessage           `json:"inventory,omitempty"`
	Answers           []judge.Answer            `json:"answers,omitempty"`
	Size              int                       `json:"size,omitempty"`
	counts
}

// counts are the numbers of objects that are excluded by their namespace, or whose namespace is a placeholder.
type counts struct {
	Unprotected  map[string]int `json:"unprotected,omitempty"`
	Placeholders map[string]int `json:"placeholders,omitempty"`
}

func countsOf(file *judge.File) counts { return counts{file.Unprotected(), file.Placeholders()} }

func doneWith(id int, result read.Result, objects int) done {
	entry := done{Type: "done", ID: id, Documents: result.Documents, Objects: objects, Blank: result.IsBlank}
	if result.Err != nil {
		number := syscall.EIO
		errors.As(result.Err, &number)
		entry.Errno = int(number)
	}
	return entry
}

func (w *writer) failed(id int, message string, timedOut bool) {
	w.record(struct {
		Type     string `json:"type"`
		ID       int    `json:"id"`
		Message  string `json:"message"`
		TimedOut bool   `json:"timedOut,omitempty"`
	}{"failed", id, message, timedOut}, nil)
}

// failedAt writes why a request failed, and the line of its text with the error; 0 if not known.
func (w *writer) failedAt(id int, message string, line int) {
	w.record(struct {
		Type    string `json:"type"`
		ID      int    `json:"id"`
		Message string `json:"message"`
		Line    int    `json:"line,omitempty"`
	}{"failed", id, message, line}, nil)
}

func (w *writer) problem(id int, problem read.Problem) {
	entry := struct {
		Type       string `json:"type"`
		ID         int    `json:"id"`
		Document   *int   `json:"document,omitempty"`
		Line       int    `json:"line,omitempty"`
		Message    string `json:"message"`
		Remedy     string `json:"remedy"`
		IsTemplate bool   `json:"isTemplate,omitempty"`
	}{"error", id, nil, problem.Line, problem.Message, problem.Remedy, problem.IsTemplate}
	if problem.Document != read.WholeFile {
		entry.Document = &problem.Document
	}
	w.record(entry, nil)
}

// appendPlace appends the beginning of a record about an object or a document.
func appendPlace(out []byte, kind string, id, document int) []byte {
	out = append(append(append(out, `{"type":"`...), kind...), `","id":`...)
	out = strconv.AppendInt(out, int64(id), 10)
	return strconv.AppendInt(append(out, `,"document":`...), int64(document), 10)
}

// appendItem appends the indices of an object in its Lists.
func appendItem(out []byte, item []int) []byte {
	out = append(out, `,"item":[`...)
	for _, place := range item {
		out = append(strconv.AppendInt(out, int64(place), 10), ',')
	}
	return read.Closed(out, ']')
}
