package read

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
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

// notYAML returns what is wrong with the first character of a text that YAML does not have; nil if it has none.
func notYAML(text []byte, firstLine int) *Problem {
	for at := 0; at < len(text); {
		r, size := rune(text[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[at:])
		}
		if !isYAML(r) {
			line := firstLine + bytes.Count(text[:at], lineFeed)
			if r == 0 {
				return &Problem{
					Line:    line,
					Message: "a NUL byte: the file is damaged, or no text in UTF-8",
					Remedy:  "remove it, or save the file as UTF-8",
				}
			}
			return &Problem{
				Line: line, Message: fmt.Sprintf("the character U+%04X, which YAML does not have", r), Remedy: "remove it",
			}
		}
		at += size
	}
	return nil
}

func isYAML(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xa0:
		return r < 0x7f || r == 0x85
	}
	return r != 0xfffe && r != 0xffff
}

// validUTF8 returns a text with U+FFFD in the place of bytes that are not UTF-8, and where the first of those is, or -1.
func validUTF8(text []byte) (valid []byte, bad int) {
	if utf8.Valid(text) {
		return text, -1
	}
	for bad < len(text) {
		r, size := utf8.DecodeRune(text[bad:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		bad += size
	}
	return bytes.ToValidUTF8(text, []byte(string(utf8.RuneError))), bad
}

// byteOrder returns the byte order of a text in UTF-16 that begins with a byte order mark, and the name of its encoding; nil
// if it is another one.
func byteOrder(text []byte) (order binary.ByteOrder, encoding string) {
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		return binary.LittleEndian, "UTF-16-LE"
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		return binary.BigEndian, "UTF-16-BE"
	}
	return nil, ""
}

// fromUTF16 returns a text in UTF-16 in UTF-8, and the line, from 1, of the first character that is not UTF-16, or 0.
func fromUTF16(text []byte, order binary.ByteOrder) (out []byte, badLine int) {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	out = make([]byte, 0, len(text))
	bad := func() {
		if badLine == 0 {
			badLine = 1 + bytes.Count(out, lineFeed)
		}
	}
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if i+1 < len(units) {
				second = rune(units[i+1])
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				bad()
			} else {
				i++
			}
		}
		out = utf8.AppendRune(out, r)
	}
	if len(text)%2 > 0 {
		bad()
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	return out, badLine
}
