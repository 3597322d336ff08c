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

// normal returns the text of a document with line feeds as its line ends. It returns ok=false if the text is not UTF-8, or has
// characters that YAML does not allow or that only some readers treat as a line end. It uses buffer if the text has to
// change.
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

// notYAML returns a problem with the first character that YAML does not allow, or nil.
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
					Message: "a NUL byte: the file is damaged, or is not UTF-8 text",
					Remedy:  "remove it, or save the file as UTF-8",
				}
			}
			return &Problem{
				Line: line, Message: fmt.Sprintf("the character U+%04X, which YAML does not allow", r), Remedy: "remove it",
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

// validUTF8 returns a text with U+FFFD in place of bytes that are not UTF-8, and the position of the first such byte, or -1.
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

// byteOrder returns the byte order of a UTF-16 text with a byte order mark, and the name of its encoding. It returns nil for any
// other text.
func byteOrder(text []byte) (order binary.ByteOrder, encoding string) {
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		return binary.LittleEndian, "UTF-16-LE"
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		return binary.BigEndian, "UTF-16-BE"
	}
	return nil, ""
}

// fromUTF16 converts a UTF-16 text to UTF-8. It also returns the line, from 1, of the first invalid character, or 0.
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
