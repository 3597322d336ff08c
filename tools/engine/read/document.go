package read

import (
	"bytes"
	"sort"
	"sync"
)

var lineFeed = []byte{'\n'}

// The formats of documents.
const (
	JSON = "json"
	YAML = "yaml"
)

// A Document is a document that was read.
type Document struct {
	*Tape
	Index  int // among the documents of the file
	Line   int // line of the file, from 1, on which its text begins
	Format string
	// The position of its text in the file's text, in bytes of UTF-8 without a byte order mark.
	Begin, End int64
	countLines sync.Once
	breaks     []int // the line ends of the tape's source, once a line is needed
}

// IsEmpty tells whether the document has no value.
func (d *Document) IsEmpty() bool { return len(d.nodes) == 0 }

// LineOf returns the line of the file, from 1, on which a node begins.
func (d *Document) LineOf(index int) int {
	if d.lines != nil {
		return d.Line + d.lines[index]
	}
	d.countLines.Do(func() {
		d.breaks = make([]int, 0, bytes.Count(d.source, lineFeed))
		for at := 0; ; at++ {
			next := bytes.IndexByte(d.source[at:], '\n')
			if next < 0 {
				break
			}
			at += next
			d.breaks = append(d.breaks, at)
		}
	})
	return d.Line + sort.SearchInts(d.breaks, int(d.nodes[index].pos))
}
