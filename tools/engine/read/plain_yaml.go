package read

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxKey = 1000 // bytes; libyaml's limit is 1,024 characters
	root   = -1   // the column that encloses a document
)

// A yamlReader reads one document, in the part of YAML on which all readers agree, into a tape. Its methods return false if
// the document needs the full parser, which also reports errors.
//
// The full parser is needed for anchors, aliases, tags, merge keys, keys that are not strings, directives, tabs outside of
// text, duplicate keys, all errors, and some spellings that are rare and hard to get right.
type yamlReader struct {
	*Tape
	pos      int
	line     int // the offset at which the line of pos begins
	maxDepth int
}

// readYAML reads a document whose text is normal. A document without a value gives a tape without nodes.
func (t *Tape) readYAML(maxDepth int) bool {
	r := yamlReader{Tape: t, maxDepth: maxDepth}
	if bytes.HasPrefix(t.source, separator[1:]) || !r.skipBlank() {
		return false
	}
	if r.atEnd() {
		return true
	}
	if c := r.source[r.pos]; c == '|' || c == '>' {
		return false
	}
	return r.block(root) && r.skipBlank() && r.atEnd()
}

func (r *yamlReader) atEnd() bool { return r.pos >= len(r.source) }

func (r *yamlReader) column() int { return r.pos - r.line }

// at returns the byte at an offset from pos, or a line feed beyond the end.
func (r *yamlReader) at(offset int) byte {
	if r.pos+offset < len(r.source) {
		return r.source[r.pos+offset]
	}
	return '\n'
}

func isBlankOrBreak(b byte) bool { return b == ' ' || b == '\n' }

// skipBlank moves from the beginning or the indentation of a line to the next text.
func (r *yamlReader) skipBlank() bool {
	for !r.atEnd() {
		switch r.source[r.pos] {
		case ' ':
			r.pos++
		case '\n':
			r.pos++
			r.line = r.pos
		case '#':
			r.skipLine()
		case '\t':
			return false
		case '.':
			return r.column() > 0 || r.endsHere()
		default:
			return true
		}
	}
	return true
}

// endsHere tells whether a line `...` begins here, with nothing after it. If so, it skips the line.
func (r *yamlReader) endsHere() bool {
	if len(r.nodes) == 0 || r.at(1) != '.' || r.at(2) != '.' || !isBlankOrBreak(r.at(3)) {
		return false
	}
	r.pos += len("...")
	return r.endLine() && r.skipBlank() && r.atEnd()
}

// skipLine moves to the beginning of the next line.
func (r *yamlReader) skipLine() {
	end := bytes.IndexByte(r.source[r.pos:], '\n')
	if end < 0 {
		r.pos = len(r.source)
	} else {
		r.pos += end + 1
	}
	r.line = r.pos
}

// endLine skips what may follow a value on its line: spaces and a comment.
func (r *yamlReader) endLine() bool {
	begin := r.pos
	for r.at(0) == ' ' {
		r.pos++
	}
	switch b := r.at(0); {
	case b == '\n' || b == '#' && r.pos > begin:
		r.skipLine()
		return true
	}
	return false
}

// block reads the value at pos. It is inside of a mapping or list at a smaller column.
func (r *yamlReader) block(parent int) bool {
	switch b := r.source[r.pos]; b {
	case '-':
		if isBlankOrBreak(r.at(1)) {
			return r.blockSequence()
		}
	case '"', '\'':
		begin, line, mark := r.pos, r.line, len(r.nodes)
		if !r.quoted(parent) {
			return false
		}
		if r.line == line && r.colonFollows() {
			r.nodes = r.nodes[:mark]
			r.pos = begin
			return r.blockMapping()
		}
		return r.endLine()
	}
	if end := r.keyEnd(); end > 0 {
		return r.blockMapping()
	}
	return r.inline(parent)
}

// inline reads a value that is not a block collection, up to the end of its last line.
func (r *yamlReader) inline(parent int) bool {
	switch b := r.source[r.pos]; b {
	case '{', '[':
		return r.flow() && r.endLine()
	case '"', '\'':
		return r.quoted(parent) && r.endLine()
	case '|', '>':
		return r.blockScalar(parent)
	case '-':
		if isBlankOrBreak(r.at(1)) {
			return false
		}
	}
	return r.plainScalar(parent)
}

// notPlain are the bytes that cannot begin a plain scalar, or that begin something for the full parser.
var notPlain = func() (table [256]bool) {
	for _, b := range []byte(",[]{}#&*!|>'\"%@`?:\t\n ") {
		table[b] = true
	}
	return table
}()

// colonFollows tells whether the colon at pos makes a key of the text before it.
func (r *yamlReader) colonFollows() bool {
	at := 0
	for r.at(at) == ' ' {
		at++
	}
	return r.at(at) == ':'
}

// keyEnd returns the end of the plain key at pos, without the colon and spaces before it, or 0 if the line has no such key.
func (r *yamlReader) keyEnd() int {
	if notPlain[r.source[r.pos]] {
		return 0
	}
	for at := r.pos; at < len(r.source); at++ {
		switch r.source[at] {
		case ':':
			if at+1 == len(r.source) || isBlankOrBreak(r.source[at+1]) {
				for r.source[at-1] == ' ' {
					at--
				}
				return at
			}
		case '#':
			if r.source[at-1] == ' ' {
				return 0
			}
		case '\n', '\t':
			return 0
		}
	}
	return 0
}

// key reads a key, its colon and the spaces after it.
func (r *yamlReader) key() bool {
	begin, line := r.pos, r.line
	if b := r.source[r.pos]; b == '"' || b == '\'' {
		if !r.quoted(root) || r.line != line || !r.colonFollows() {
			return false
		}
	} else {
		end := r.keyEnd()
		if end == 0 || !isPlainKey(r.source[begin:end]) {
			return false
		}
		r.add(String, begin, begin, end, false)
		r.pos = end
	}
	if r.pos-begin > maxKey || string(r.Text(len(r.nodes)-1)) == "<<" {
		return false
	}
	for r.at(0) == ' ' {
		r.pos++
	}
	if r.pos-begin > maxKey {
		return false
	}
	r.pos++ // the colon
	if !isBlankOrBreak(r.at(0)) {
		return false
	}
	for r.at(0) == ' ' {
		r.pos++
	}
	return true
}

func (r *yamlReader) blockMapping() bool {
	column := r.column()
	index, ok := r.open(Mapping, r.pos, r.maxDepth)
	if !ok {
		return false
	}
	for {
		if r.at(0) == '-' && isBlankOrBreak(r.at(1)) || !r.key() {
			return false
		}
		mark := len(r.nodes)
		if b := r.at(0); b == '\n' || b == '#' {
			r.skipLine()
			if !r.entry(column, true) {
				return false
			}
		} else if !r.inline(column) {
			return false
		}
		r.nodes[mark].pos = r.nodes[mark-1].pos // the position of an entry is that of its key
		if !r.skipBlank() {
			return false
		}
		if r.atEnd() || r.column() < column {
			break
		}
		if r.column() > column {
			return false
		}
	}
	r.close(index)
	return !r.hasDuplicates(index)
}

// entry reads the value of a key or a dash at a column, if the value is on a later line; otherwise the value is null. The value
// of a key may be a list at the same column.
func (r *yamlReader) entry(column int, ofKey bool) bool {
	end := r.pos
	if !r.skipBlank() {
		return false
	}
	switch {
	case r.atEnd():
	case r.column() > column:
		return r.block(column)
	case ofKey && r.column() == column && r.at(0) == '-' && isBlankOrBreak(r.at(1)):
		return r.blockSequence()
	}
	r.add(Null, end-1, 0, 0, false)
	return true
}

func (r *yamlReader) blockSequence() bool {
	column := r.column()
	index, ok := r.open(Sequence, r.pos, r.maxDepth)
	if !ok {
		return false
	}
	for {
		r.pos++ // the dash
		for r.at(0) == ' ' {
			r.pos++
		}
		if b := r.at(0); b == '\n' || b == '#' {
			r.skipLine()
			if !r.entry(column, false) {
				return false
			}
		} else if !r.block(column) {
			return false
		}
		if !r.skipBlank() {
			return false
		}
		if r.atEnd() || r.column() < column || r.column() == column && !(r.at(0) == '-' && isBlankOrBreak(r.at(1))) {
			break
		}
		if r.column() > column {
			return false
		}
	}
	r.close(index)
	return true
}

// lineEnd returns the end of a plain scalar's text on this line, and whether a comment follows. It returns ok=false if a colon
// makes the text something else.
func (r *yamlReader) lineEnd() (end int, comment, ok bool) {
	at := r.pos
	for ; at < len(r.source); at++ {
		switch r.source[at] {
		case '\n':
			return trimmed(r.source, r.pos, at), false, true
		case ':':
			if at+1 == len(r.source) || isBlankOrBreak(r.source[at+1]) {
				return 0, false, false
			}
		case '#':
			if r.source[at-1] == ' ' {
				return trimmed(r.source, r.pos, at), true, true
			}
		case '\t':
			return 0, false, false
		}
	}
	return trimmed(r.source, r.pos, at), false, true
}

func trimmed(source []byte, begin, end int) int {
	for end > begin && source[end-1] == ' ' {
		end--
	}
	return end
}

// plainScalar reads a scalar without quotes, which may be folded from several lines, in a collection at a column.
func (r *yamlReader) plainScalar(parent int) bool {
	if b := r.source[r.pos]; notPlain[b] && !(b == ':' && !isBlankOrBreak(r.at(1))) {
		return false
	}
	begin := r.pos
	end, comment, ok := r.lineEnd()
	if !ok {
		return false
	}
	from := -1
	for {
		r.skipLine()
		if comment {
			break
		}
		breaks := 0
		for r.at(0) == '\n' || r.at(0) == ' ' {
			if r.atEnd() {
				break
			}
			if r.source[r.pos] == '\n' {
				breaks++
				r.line = r.pos + 1
			}
			r.pos++
		}
		if r.at(0) == '\t' {
			return false
		}
		if r.atEnd() || r.column() <= parent || r.at(0) == '#' {
			r.pos = r.line
			break
		}
		if r.column() == 0 && (r.at(0) == '.' || r.at(0) == '-') {
			return false
		}
		if from < 0 {
			from = len(r.decoded)
			r.decoded = append(r.decoded, r.source[begin:end]...)
		}
		r.fold(breaks)
		line := r.pos
		if end, comment, ok = r.lineEnd(); !ok {
			return false
		}
		r.decoded = append(r.decoded, r.source[line:end]...)
	}
	if from < 0 {
		return r.plain(begin, begin, end)
	}
	// A scalar with a space or a line feed inside is neither a number nor a word.
	r.add(String, begin, from, len(r.decoded), true)
	return true
}

// fold appends the meaning of a line break in a scalar, which is followed by the given number of empty lines.
func (r *yamlReader) fold(empty int) {
	if empty == 0 {
		r.decoded = append(r.decoded, ' ')
	}
	for ; empty > 0; empty-- {
		r.decoded = append(r.decoded, '\n')
	}
}

// quoted reads a scalar in quotes, and nothing after it.
func (r *yamlReader) quoted(parent int) bool {
	begin, quote := r.pos, r.source[r.pos]
	from := -1 // its offset in decoded, if it differs from the source
	r.pos++
	start := r.pos
	for {
		if r.atEnd() {
			return false
		}
		switch b := r.source[r.pos]; {
		case b == quote:
			if quote == '\'' && r.at(1) == '\'' {
				from = r.flush(from, start, r.pos+1)
				r.pos += 2
				start = r.pos
				continue
			}
			end := r.pos
			r.pos++
			if from < 0 {
				r.add(String, begin, start, end, false)
			} else {
				from = r.flush(from, start, end)
				r.add(String, begin, from, len(r.decoded), true)
			}
			return true
		case b == '\n':
			end := r.pos
			for end > start && r.source[end-1] == ' ' {
				end--
			}
			if end > start && r.source[end-1] == '\t' {
				return false
			}
			from = r.flush(from, start, end)
			empty, ok := r.skipBreaks(parent)
			if !ok {
				return false
			}
			r.fold(empty)
			start = r.pos
		case b == '\\' && quote == '"':
			from = r.flush(from, start, r.pos)
			if r.at(1) == '\n' {
				r.pos++
				empty, ok := r.skipBreaks(parent)
				if !ok || empty > 0 {
					return false
				}
			} else if !r.escape() {
				return false
			}
			start = r.pos
		default:
			r.pos++
		}
	}
}

// flush appends source[start:end] to decoded, for a scalar that begins at from; -1 means that it begins here.
func (t *Tape) flush(from, start, end int) int {
	if from < 0 {
		from = len(t.decoded)
	}
	t.decoded = append(t.decoded, t.source[start:end]...)
	return from
}

// skipBreaks moves from the end of a line inside quotes to the text on a later line, and counts the empty lines in between.
func (r *yamlReader) skipBreaks(parent int) (empty int, ok bool) {
	for empty = -1; !r.atEnd(); r.pos++ {
		switch r.source[r.pos] {
		case '\n':
			empty++
			r.line = r.pos + 1
		case ' ':
		case '\t':
			return 0, false
		default:
			return empty, r.column() > parent && r.column() > 0
		}
	}
	return 0, false
}

// Escapes of one character with the same meaning in YAML and in JSON.
var escapes = [256]byte{
	'n': '\n', 't': '\t', 'r': '\r', '"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f',
}

// escape appends the meaning of the escape at pos, and skips it.
func (r *yamlReader) escape() bool {
	b := r.at(1)
	switch {
	case b == ' ':
		r.decoded = append(r.decoded, ' ')
	case escapes[b] != 0:
		r.decoded = append(r.decoded, escapes[b])
	case b == 'u':
		value, ok := hexadecimal(r.source, r.pos+2)
		if !ok || value >= 0xd800 && value < 0xe000 {
			return false
		}
		r.decoded = utf8.AppendRune(r.decoded, value)
		r.pos += 4
	default:
		return false
	}
	r.pos += 2
	return true
}

// blockScalar reads a literal or folded scalar in a collection at a column.
func (r *yamlReader) blockScalar(parent int) bool {
	begin, folded := r.pos, r.source[r.pos] == '>'
	r.pos++
	chomp, indent := byte(0), 0
	for range 2 {
		switch b := r.at(0); {
		case (b == '-' || b == '+') && chomp == 0:
			chomp = b
			r.pos++
		case b >= '1' && b <= '9' && indent == 0:
			indent = max(parent, 0) + int(b-'0')
			r.pos++
		}
	}
	if !r.endLine() {
		return false
	}
	from := len(r.decoded)
	breaks, ok := 0, true
	if indent == 0 {
		breaks, indent, ok = r.findIndent(parent)
	} else {
		breaks, ok = r.skipIndent(indent)
	}
	if !ok {
		return false
	}
	if r.atEnd() && breaks > 0 && chomp == '+' {
		return false
	}
	hasBreak, leadingBlank := false, false // of the line before
	for !r.atEnd() && r.column() == indent {
		blank := r.at(0) == ' ' || r.at(0) == '\t'
		if hasBreak {
			if folded && !leadingBlank && !blank {
				if breaks == 0 {
					r.decoded = append(r.decoded, ' ')
				}
			} else {
				r.decoded = append(r.decoded, '\n')
			}
		}
		r.appendBreaks(breaks)
		leadingBlank = blank
		line := r.pos
		r.skipLine()
		hasBreak = r.source[r.pos-1] == '\n'
		if hasBreak {
			r.decoded = append(r.decoded, r.source[line:r.pos-1]...)
		} else {
			r.decoded = append(r.decoded, r.source[line:r.pos]...)
		}
		if breaks, ok = r.skipIndent(indent); !ok {
			return false
		}
	}
	if hasBreak && chomp != '-' {
		r.decoded = append(r.decoded, '\n')
	}
	if chomp == '+' {
		r.appendBreaks(breaks)
	}
	r.add(String, begin, from, len(r.decoded), true)
	r.pos = r.line
	return true
}

func (r *yamlReader) appendBreaks(count int) {
	for ; count > 0; count-- {
		r.decoded = append(r.decoded, '\n')
	}
}

// findIndent skips the empty lines at the beginning of a block scalar, and returns the indentation of the next line.
func (r *yamlReader) findIndent(parent int) (breaks, indent int, ok bool) {
	deepest := 0
	for !r.atEnd() {
		switch r.source[r.pos] {
		case ' ':
			r.pos++
		case '\n':
			deepest = max(deepest, r.column())
			breaks++
			r.pos++
			r.line = r.pos
		case '\t':
			return 0, 0, false
		default:
			indent = max(r.column(), parent+1, 1)
			return breaks, indent, deepest <= r.column() || deepest < indent
		}
	}
	return breaks, max(parent+1, 1), deepest == 0 && r.column() == 0
}

// skipIndent skips empty lines and the indentation of the next line. The next line is text if its column is indent.
func (r *yamlReader) skipIndent(indent int) (breaks int, ok bool) {
	for !r.atEnd() {
		switch b := r.source[r.pos]; {
		case b == ' ' && r.column() < indent:
			r.pos++
		case b == '\n':
			breaks++
			r.pos++
			r.line = r.pos
		case b == '\t' && r.column() < indent:
			return 0, false
		default:
			return breaks, true
		}
	}
	return breaks, true
}

// flow reads a collection in brackets.
func (r *yamlReader) flow() bool {
	isMapping, pos := r.source[r.pos] == '{', r.pos
	k, closing := Sequence, byte(']')
	if isMapping {
		k, closing = Mapping, '}'
	}
	index, ok := r.open(k, pos, r.maxDepth)
	if !ok {
		return false
	}
	r.pos++
	for {
		if !r.skipInFlow() {
			return false
		}
		if r.at(0) == closing {
			break
		}
		if isMapping {
			if !r.flowKey() {
				return false
			}
			mark := len(r.nodes)
			if !r.flowValue() {
				return false
			}
			r.nodes[mark].pos = r.nodes[mark-1].pos
		} else if !r.flowValue() {
			return false
		}
		if !r.skipInFlow() {
			return false
		}
		if r.at(0) == ',' {
			r.pos++
		} else if r.at(0) != closing {
			return false
		}
	}
	r.pos++
	r.close(index)
	return !isMapping || !r.hasDuplicates(index)
}

// skipInFlow skips spaces, comments and line breaks. It returns false if the document ends, or if a line there may end it.
func (r *yamlReader) skipInFlow() bool {
	for ; !r.atEnd(); r.pos++ {
		switch r.source[r.pos] {
		case ' ':
		case '\n':
			r.line = r.pos + 1
			if r.pos+1 < len(r.source) && (r.source[r.pos+1] == '.' || r.source[r.pos+1] == '-') {
				return false
			}
		case '#':
			if before := r.source[r.pos-1]; before != ' ' && before != '\n' {
				return false
			}
			end := bytes.IndexByte(r.source[r.pos:], '\n')
			if end < 0 {
				return false
			}
			r.pos += end - 1 // the line feed is next
		default:
			return true
		}
	}
	return false
}

func (r *yamlReader) flowValue() bool {
	switch r.source[r.pos] {
	case '{', '[':
		return r.flow()
	case '"', '\'':
		return r.quoted(root)
	}
	begin := r.pos
	end := r.flowPlain()
	return end > begin && r.plain(begin, begin, end)
}

// flowKey reads a key, its colon, and the blanks after it.
func (r *yamlReader) flowKey() bool {
	begin, line := r.pos, r.line
	if b := r.source[r.pos]; b == '"' || b == '\'' {
		if !r.quoted(root) || r.line != line {
			return false
		}
		for r.at(0) == ' ' {
			r.pos++
		}
	} else {
		end := r.flowPlain()
		if end <= begin || !isPlainKey(r.source[begin:end]) || !isBlankOrBreak(r.at(1)) {
			return false
		}
		r.add(String, begin, begin, end, false)
	}
	if r.at(0) != ':' || r.pos-begin > maxKey || string(r.Text(len(r.nodes)-1)) == "<<" {
		return false
	}
	r.pos++
	return r.skipInFlow()
}

// flowPlain moves to the end of a plain scalar inside brackets and the spaces after it, and returns the end of the scalar.
func (r *yamlReader) flowPlain() int {
	begin := r.pos
	if notPlain[r.source[begin]] || r.source[begin] == '-' && !isWordByte(r.at(1)) {
		return 0
	}
	for ; !r.atEnd(); r.pos++ {
		switch b := r.source[r.pos]; b {
		case ',', ']', '}', '\n':
			return trimmed(r.source, begin, r.pos)
		case '[', '{', '?', '\t':
			return 0
		case ':':
			if isBlankOrBreak(r.at(1)) {
				return trimmed(r.source, begin, r.pos)
			}
			if !isWordByte(r.at(1)) && r.at(1) != '/' {
				return 0
			}
		case '#':
			if r.source[r.pos-1] == ' ' {
				return 0
			}
		}
	}
	return 0
}

func isWordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
