package read

import (
	"bytes"
	"sort"
	"sync"
)

var lineFeed = []byte{'\n'}

// Formats of documents.
const (
	JSON = "json"
	YAML = "yaml"
)

// A Document is one that was read.
type Document struct {
	*Tape
	Index  int // its place among the documents of the file
	Line   int // of the file, from 1, on which its text begins
	Format string
	// Where its text stands in that of the file, in bytes of UTF-8 without a byte order mark.
	Begin, End int64
	countLines sync.Once
	breaks     []int // where the lines of the tape's source end, when somebody has asked for a line
}

// IsEmpty tells whether there is no value in it.
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
