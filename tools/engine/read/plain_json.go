package read

import (
	"strconv"
	"unicode/utf8"
)

// A jsonReader reads one JSON value into a tape. Its methods return false if the text is not JSON, or is nested too deep.
type jsonReader struct {
	*Tape
	pos           int
	maxDepth      int
	hasDuplicates bool
}

// readJSON reads the value at the beginning of the source, and returns its end. Duplicate keys of a mapping are all in the
// tape.
func (t *Tape) readJSON(maxDepth int) (end int, hasDuplicates, ok bool) {
	r := jsonReader{Tape: t, maxDepth: maxDepth}
	ok = r.value()
	return r.pos, r.hasDuplicates, ok
}

func (r *jsonReader) at(offset int) byte {
	if r.pos+offset < len(r.source) {
		return r.source[r.pos+offset]
	}
	return 0
}

func (r *jsonReader) skipBlank() {
	for r.pos < len(r.source) {
		switch r.source[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

func (r *jsonReader) value() bool {
	r.skipBlank()
	switch b := r.at(0); {
	case b == '{':
		return r.object()
	case b == '[':
		return r.array()
	case b == '"':
		return r.string()
	case b == '-' || b >= '0' && b <= '9':
		return r.numeral()
	}
	return r.word("null", Null) || r.word("true", True) || r.word("false", False)
}

func (r *jsonReader) word(word string, k Kind) bool {
	end := r.pos + len(word)
	if end > len(r.source) || string(r.source[r.pos:end]) != word {
		return false
	}
	r.add(k, r.pos, r.pos, end, false)
	r.pos = end
	return true
}

func (r *jsonReader) object() bool {
	index, ok := r.open(Mapping, r.pos, r.maxDepth)
	if !ok {
		return false
	}
	r.pos++
	r.skipBlank()
	if r.at(0) == '}' {
		r.pos++
		r.close(index)
		return true
	}
	for {
		r.skipBlank()
		if r.at(0) != '"' || !r.string() {
			return false
		}
		r.skipBlank()
		if r.at(0) != ':' {
			return false
		}
		r.pos++
		mark := len(r.nodes)
		if !r.value() {
			return false
		}
		r.nodes[mark].pos = r.nodes[mark-1].pos
		r.skipBlank()
		switch r.at(0) {
		case ',':
			r.pos++
		case '}':
			r.pos++
			r.close(index)
			r.hasDuplicates = r.hasDuplicates || r.Tape.hasDuplicates(index)
			return true
		default:
			return false
		}
	}
}

func (r *jsonReader) array() bool {
	index, ok := r.open(Sequence, r.pos, r.maxDepth)
	if !ok {
		return false
	}
	r.pos++
	r.skipBlank()
	if r.at(0) == ']' {
		r.pos++
		r.close(index)
		return true
	}
	for {
		if !r.value() {
			return false
		}
		r.skipBlank()
		switch r.at(0) {
		case ',':
			r.pos++
		case ']':
			r.pos++
			r.close(index)
			return true
		default:
			return false
		}
	}
}

func (r *jsonReader) string() bool {
	begin := r.pos
	r.pos++
	from, start := -1, r.pos
	for r.pos < len(r.source) {
		switch b := r.source[r.pos]; {
		case b == '"':
			if from < 0 {
				r.add(String, begin, start, r.pos, false)
			} else {
				from = r.flush(from, start, r.pos)
				r.add(String, begin, from, len(r.decoded), true)
			}
			r.pos++
			return true
		case b == '\\':
			from = r.flush(from, start, r.pos)
			if !r.escape() {
				return false
			}
			start = r.pos
		case b < ' ':
			return false
		default:
			r.pos++
		}
	}
	return false
}

func (r *jsonReader) escape() bool {
	b := r.at(1)
	if escapes[b] != 0 {
		r.decoded = append(r.decoded, escapes[b])
		r.pos += 2
		return true
	}
	value, ok := hexadecimal(r.source, r.pos+2)
	if b != 'u' || !ok {
		return false
	}
	r.pos += 6
	if value >= 0xd800 && value < 0xe000 {
		low, found := hexadecimal(r.source, r.pos+2)
		if value < 0xdc00 && r.at(0) == '\\' && r.at(1) == 'u' && found && low >= 0xdc00 && low < 0xe000 {
			value = 0x10000 + (value-0xd800)<<10 + (low - 0xdc00)
			r.pos += 6
		} else {
			value = utf8.RuneError // an unpaired surrogate, as in encoding/json
		}
	}
	r.decoded = utf8.AppendRune(r.decoded, value)
	return true
}

// numeral reads a number. A number that a float64 cannot hold becomes a string.
func (r *jsonReader) numeral() bool {
	begin := r.pos
	if r.at(0) == '-' {
		r.pos++
	}
	first := r.pos
	r.digits()
	if r.pos == first || r.pos > first+1 && r.source[first] == '0' {
		return false
	}
	kind := Number
	isShort := r.pos-first <= longestInteger
	if r.at(0) == '.' {
		r.pos++
		fraction := r.pos
		if r.digits(); r.pos == fraction {
			return false
		}
	}
	if b := r.at(0); b == 'e' || b == 'E' {
		isShort = false
		r.pos++
		if b := r.at(0); b == '+' || b == '-' {
			r.pos++
		}
		exponent := r.pos
		if r.digits(); r.pos == exponent {
			return false
		}
	}
	if !isShort {
		if _, err := strconv.ParseFloat(string(r.source[begin:r.pos]), 64); err != nil {
			kind = String
		}
	}
	r.add(kind, begin, begin, r.pos, false)
	return true
}

func (r *jsonReader) digits() {
	for b := r.at(0); b >= '0' && b <= '9'; b = r.at(0) {
		r.pos++
	}
}

// hexadecimal returns the value of four digits at an offset.
func hexadecimal(source []byte, at int) (value rune, ok bool) {
	if at+4 > len(source) {
		return 0, false
	}
	for _, b := range source[at : at+4] {
		switch {
		case b >= '0' && b <= '9':
			value = value<<4 | rune(b-'0')
		case b >= 'a' && b <= 'f':
			value = value<<4 | rune(b-'a'+10)
		case b >= 'A' && b <= 'F':
			value = value<<4 | rune(b-'A'+10)
		default:
			return 0, false
		}
	}
	return value, true
}
