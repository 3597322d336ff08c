package read

import (
	"bytes"
	"regexp"
)

// A lineTable translates go-yaml's line numbers to those of the file. In go-yaml other characters end lines as well; in the
// file only line feeds do.
type lineTable struct {
	text  []byte
	first int   // the line of the file on which the text begins
	last  int   // the last line that is not empty
	lines []int // by go-yaml's lines, from 0; nil if both are the same
}

var anyBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

func newLineTable(text []byte, first int) lineTable {
	table := lineTable{text: text, first: first}
	table.last = first + bytes.Count(bytes.TrimRight(text, blanks), lineFeed)
	hasOdd := bytes.Count(text, []byte{'\r'}) != bytes.Count(text, []byte("\r\n"))
	for _, odd := range []string{"\u0085", "\u2028", "\u2029"} {
		hasOdd = hasOdd || bytes.Contains(text, []byte(odd))
	}
	if hasOdd {
		line := first
		table.lines = []int{line}
		for _, found := range anyBreak.FindAllIndex(text, -1) {
			if text[found[1]-1] == '\n' {
				line++
			}
			table.lines = append(table.lines, line)
		}
	}
	return table
}

// of returns the line of the file for a line of go-yaml, from 1.
func (t lineTable) of(line int) int {
	line = max(line-1, 0)
	if t.lines == nil {
		return min(t.first+line, t.last)
	}
	return min(t.lines[min(line, len(t.lines)-1)], t.last)
}

// start returns the offset in the text at which a line of the file begins.
func (t lineTable) start(line int) int {
	at := 0
	for ; line > t.first; line-- {
		at += bytes.IndexByte(t.text[at:], '\n') + 1
	}
	return at
}
