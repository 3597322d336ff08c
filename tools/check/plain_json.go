package main

import "unicode/utf8"

// A jsonReader reads one JSON value into a tape. As with YAML, false means that it is for the strict reader.
type jsonReader struct {
	*tape
	pos      int
	maxDepth int
}

// readJSON reads the value that the source begins with, and says where it ends.
func (t *tape) readJSON(maxDepth int) (end int, ok bool) {
	r := jsonReader{tape: t, maxDepth: maxDepth}
	ok = r.value()
	return r.pos, ok
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
	return r.word("null", null) || r.word("true", boolTrue) || r.word("false", boolFalse)
}

func (r *jsonReader) word(word string, k kind) bool {
	end := r.pos + len(word)
	if end > len(r.source) || string(r.source[r.pos:end]) != word {
		return false
	}
	r.add(k, r.pos, r.pos, end, false)
	r.pos = end
	return true
}

func (r *jsonReader) object() bool {
	index := r.open(mapping, r.pos)
	if r.depth > r.maxDepth {
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
			return !r.hasDuplicates(index)
		default:
			return false
		}
	}
}

func (r *jsonReader) array() bool {
	index := r.open(sequence, r.pos)
	if r.depth > r.maxDepth {
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
				r.add(text, begin, start, r.pos, false)
			} else {
				from = r.flush(from, start, r.pos)
				r.add(text, begin, from, len(r.decoded), true)
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
		if value >= 0xdc00 || r.at(0) != '\\' || r.at(1) != 'u' || !found || low < 0xdc00 || low >= 0xe000 {
			return false
		}
		value = 0x10000 + (value-0xd800)<<10 + (low - 0xdc00)
		r.pos += 6
	}
	r.decoded = appendRune(r.decoded, value)
	return true
}

// numeral reads a number that Python and Go write as it stands: an integer, or one with a few digits after a point.
func (r *jsonReader) numeral() bool {
	begin := r.pos
	if r.at(0) == '-' {
		r.pos++
	}
	first := r.pos
	r.digits()
	whole := r.pos - first
	if whole == 0 || whole > 1 && r.source[first] == '0' || r.source[first] == '0' && first > begin || whole > longestInteger {
		return false
	}
	if r.at(0) == '.' {
		r.pos++
		fraction := r.pos
		r.digits()
		places := r.pos - fraction
		if places == 0 || whole+places > longestFloat || r.source[first] == '0' && places > 3 ||
			places > 1 && r.source[r.pos-1] == '0' {
			return false
		}
	}
	if b := r.at(0); b == 'e' || b == 'E' || b == '.' {
		return false
	}
	r.add(number, begin, begin, r.pos, false)
	return true
}

func (r *jsonReader) digits() {
	for b := r.at(0); b >= '0' && b <= '9'; b = r.at(0) {
		r.pos++
	}
}

// hexadecimal returns the value of four digits at a place.
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

func appendRune(buffer []byte, r rune) []byte { return utf8.AppendRune(buffer, r) }
