package main

import (
	"bytes"
	"unicode/utf8"
)

// Bytes that end a run of ordinary ASCII text.
var isOdd = func() (table [256]bool) {
	for b := range table {
		table[b] = b < ' ' && b != '\n' || b >= 0x7f
	}
	table['\t'] = false
	return table
}()

// normal returns the text of a document with line feeds for the ends of its lines, or false if it holds anything that is
// not UTF-8, that YAML does not have, or that some readers take for the end of a line and others do not. buffer is used
// where the text has to change.
func normal(source, buffer []byte) (out, spare []byte, ok bool) {
	hasReturns := false
	for at := 0; at < len(source); {
		b := source[at]
		if !isOdd[b] {
			at++
			continue
		}
		if b == '\r' {
			if at+1 == len(source) || source[at+1] != '\n' {
				return nil, buffer, false
			}
			hasReturns = true
			at++
			continue
		}
		r, size := utf8.DecodeRune(source[at:])
		if b < 0x80 || r == utf8.RuneError || r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			return nil, buffer, false
		}
		at += size
	}
	if !hasReturns {
		return source, buffer, true
	}
	buffer = buffer[:0]
	for {
		at := bytes.IndexByte(source, '\r')
		if at < 0 {
			buffer = append(buffer, source...)
			return buffer, buffer, true
		}
		buffer = append(buffer, source[:at]...)
		source = source[at+1:]
	}
}
