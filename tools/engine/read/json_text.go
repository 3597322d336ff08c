package read

// AppendJSON appends a value as JSON.
func (t *Tape) AppendJSON(out []byte, index int) []byte {
	switch t.Kind(index) {
	case True:
		return append(out, "true"...)
	case False:
		return append(out, "false"...)
	case Number:
		return append(out, t.Text(index)...)
	case String:
		return AppendString(out, t.Text(index))
	case Mapping:
		return t.appendEntries(append(out, '{'), index)
	case Sequence:
		out = append(out, '[')
		for at, end := index+1, t.Next(index); at < end; at = t.Next(at) {
			out = append(t.AppendJSON(out, at), ',')
		}
		return Closed(out, ']')
	default:
		return append(out, "null"...)
	}
}

func (t *Tape) appendEntries(out []byte, index int) []byte {
	for at, end := index+1, t.Next(index); at < end; at = t.Next(at + 1) {
		out = t.appendEntry(out, at)
	}
	return Closed(out, '}')
}

// appendEntry appends the entry of a mapping whose key is the given node, and a comma.
func (t *Tape) appendEntry(out []byte, key int) []byte {
	out = append(AppendString(out, t.Text(key)), ':')
	return append(t.AppendJSON(out, key+1), ',')
}

// Closed replaces a trailing comma, if any, by a bracket.
func Closed(out []byte, bracket byte) []byte {
	if out[len(out)-1] == ',' {
		out[len(out)-1] = bracket
		return out
	}
	return append(out, bracket)
}

const hexadecimals = "0123456789abcdef"

// AppendString appends a text, which must be valid UTF-8, as a JSON string.
func AppendString(out, s []byte) []byte {
	out = append(out, '"')
	from := 0
	for at, b := range s {
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		out = append(out, s[from:at]...)
		if b < ' ' {
			out = append(out, '\\', 'u', '0', '0', hexadecimals[b>>4], hexadecimals[b&15])
		} else {
			out = append(out, '\\', b)
		}
		from = at + 1
	}
	return append(append(out, s[from:]...), '"')
}
