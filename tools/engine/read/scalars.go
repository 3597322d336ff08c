package read

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// The plain scalars that are not strings for Kubernetes (YAML 1.1 as in go-yaml v2), except numbers.
var words = map[string]Kind{
	"": Null, "~": Null, "null": Null, "Null": Null, "NULL": Null,
	"true": True, "True": True, "TRUE": True,
	"y": True, "Y": True, "yes": True, "Yes": True, "YES": True,
	"on": True, "On": True, "ON": True,
	"false": False, "False": False, "FALSE": False,
	"n": False, "N": False, "no": False, "No": False, "NO": False,
	"off": False, "Off": False, "OFF": False,
}

// What the first character of a plain scalar tells.
const (
	startsString = iota
	startsWord   // perhaps one of words
	startsNumber // perhaps a number
)

var startOf = func() (table [256]uint8) {
	for _, b := range []byte("yYnNtTfFoO~") {
		table[b] = startsWord
	}
	for _, b := range []byte("+-.0123456789") {
		table[b] = startsNumber
	}
	return table
}()

const (
	longestWord    = 5
	longestInteger = 18 // digits that always fit into 64 bits
)

// plain adds the value of a plain scalar. It returns false if the scalar needs the full parser. It appends numbers with a
// fraction to decoded, in JSON's notation.
func (t *Tape) plain(pos, start, end int) bool {
	scalar := t.source[start:end]
	switch startOf[scalar[0]] {
	case startsWord:
		if len(scalar) <= longestWord {
			if k, found := words[string(scalar)]; found {
				t.add(k, pos, start, end, false)
				return true
			}
		}
	case startsNumber:
		if !isString(scalar) {
			return t.number(pos, start, end)
		}
	}
	t.add(String, pos, start, end, false)
	return true
}

// isString tells whether a scalar that begins like a number is not a number in any notation of YAML 1.1.
func isString(scalar []byte) bool {
	unsigned := scalar
	if scalar[0] == '+' || scalar[0] == '-' {
		unsigned = scalar[1:]
	}
	if len(unsigned) == 0 {
		return true
	}
	allowed := inDecimals
	switch first := unsigned[0]; {
	case first == '.':
		if len(unsigned) == len(".inf") {
			return false
		}
	case first == '0' || first == '_':
		allowed = inNumbers // allow prefixes for other bases
	case first < '1' || first > '9':
		return true
	}
	dots, before := 0, byte(0)
	for _, b := range unsigned {
		switch {
		case allowed[b]:
		case b == '.':
			if dots++; dots > 1 {
				return true
			}
		case b == '+' || b == '-':
			if before != 'e' && before != 'E' && before != 'b' && before != 'o' {
				return true
			}
		default:
			return true
		}
		before = b
	}
	return false
}

// The characters of decimal numbers and of those in another base, without points and signs.
var inDecimals, inNumbers = bytesIn("0123456789_eE"), bytesIn("0123456789_abcdefABCDEFxXoO")

func bytesIn(text string) (table [256]bool) {
	for _, b := range []byte(text) {
		table[b] = true
	}
	return table
}

// number adds a number in one of the plain notations: decimal, octal as in file modes, or with a fraction.
func (t *Tape) number(pos, start, end int) bool {
	digits := t.source[start:end]
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	whole := 0
	for whole < len(digits) && digits[whole] >= '0' && digits[whole] <= '9' {
		whole++
	}
	switch {
	case whole == 0:
		return false
	case whole == len(digits):
		if digits[0] == '0' && len(digits) > 1 {
			return !negative && t.octal(pos, digits[1:])
		}
		if len(digits) > longestInteger || negative && digits[0] == '0' {
			return false
		}
		t.add(Number, pos, start, end, false)
		return true
	case digits[whole] != '.' || digits[0] == '0' && whole > 1 || len(bytes.Trim(digits[whole+1:], "0123456789")) > 0:
		return false
	}
	value, err := strconv.ParseFloat(string(t.source[start:end]), 64)
	if err != nil {
		return false
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return false
	}
	from := len(t.decoded)
	t.decoded = append(t.decoded, encoded...)
	t.add(Number, pos, from, len(t.decoded), true)
	return true
}

func (t *Tape) octal(pos int, digits []byte) bool {
	if len(digits) > 10 {
		return false
	}
	value := int64(0)
	for _, b := range digits {
		if b > '7' {
			return false
		}
		value = value*8 + int64(b-'0')
	}
	from := len(t.decoded)
	t.decoded = strconv.AppendInt(t.decoded, value, 10)
	t.add(Number, pos, from, len(t.decoded), true)
	return true
}

// isPlainKey tells whether a plain scalar, as a key, is the same string in JSON.
func isPlainKey(key []byte) bool {
	switch startOf[key[0]] {
	case startsWord:
		_, found := words[string(key)]
		return !found
	case startsNumber:
		if isString(key) {
			return true
		}
		if len(key) > longestInteger || key[0] == '0' && len(key) > 1 {
			return false
		}
		for _, b := range key {
			if b < '0' || b > '9' {
				return false
			}
		}
	}
	return true
}
