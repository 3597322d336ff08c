package read

import "bytes"

// Kind is the kind of a node.
type Kind uint8

// The kinds of nodes.
const (
	Null Kind = iota
	True
	False
	Number // its text is the JSON number
	String
	Mapping
	Sequence
)

// A node is one value of a document. The nodes of a document are in one slice, each before those inside it. A mapping is
// followed by its keys and values alternately.
type node struct {
	kind    Kind
	decoded bool   // its text is in Tape.decoded, not in Tape.source
	pos     uint32 // its offset in the source
	start   uint32 // the bounds of its text
	end     uint32
	next    uint32 // the first node after it that is not inside it
}

// A Tape holds the values of one document as nodes, which are referred to by their indices; -1 means no node.
type Tape struct {
	source  []byte
	nodes   []node
	decoded []byte          // the text of scalars that differs from their source: escapes, folded lines
	seen    map[string]bool // scratch of hasDuplicates
	depth   int
	tooDeep bool // a mapping or list exceeded the maximum depth
	// The line of each node, from 0, in the text that it was read from, if source is another text.
	lines []int
}

// reset empties the tape and sets its source.
func (t *Tape) reset(source []byte) {
	t.source = source
	t.nodes = t.nodes[:0]
	t.decoded = t.decoded[:0]
	t.depth = 0
	t.tooDeep = false
	t.lines = nil
}

// add appends a node without nodes inside it.
func (t *Tape) add(k Kind, pos, start, end int, decoded bool) {
	t.nodes = append(t.nodes, node{
		kind: k, decoded: decoded, pos: uint32(pos), start: uint32(start), end: uint32(end), next: uint32(len(t.nodes) + 1),
	})
}

// open appends a mapping or a sequence, which close ends, and returns its index. It returns ok=false if it is nested too deep.
func (t *Tape) open(k Kind, pos, maxDepth int) (index int, ok bool) {
	t.depth++
	t.tooDeep = t.depth > maxDepth
	t.nodes = append(t.nodes, node{kind: k, pos: uint32(pos)})
	return len(t.nodes) - 1, !t.tooDeep
}

func (t *Tape) close(index int) {
	t.depth--
	t.nodes[index].next = uint32(len(t.nodes))
}

// Kind returns the kind of a node; Null for -1.
func (t *Tape) Kind(index int) Kind {
	if index < 0 {
		return Null
	}
	return t.nodes[index].kind
}

// Text returns the text of a string or number.
func (t *Tape) Text(index int) []byte {
	n := &t.nodes[index]
	if n.decoded {
		return t.decoded[n.start:n.end]
	}
	return t.source[n.start:n.end]
}

// Next returns the index after a node and everything inside it.
func (t *Tape) Next(index int) int { return int(t.nodes[index].next) }

// Get returns the value of a key in a mapping, or -1.
func (t *Tape) Get(index int, key string) int {
	if t.Kind(index) != Mapping {
		return -1
	}
	for at, end := index+1, t.Next(index); at < end; at = t.Next(at + 1) {
		if string(t.Text(at)) == key {
			return at + 1
		}
	}
	return -1
}

// Item returns the item of a sequence at an index, or -1.
func (t *Tape) Item(index, place int) int {
	if t.Kind(index) != Sequence {
		return -1
	}
	for at, end := index+1, t.Next(index); at < end; at = t.Next(at) {
		if place == 0 {
			return at
		}
		place--
	}
	return -1
}

// Str returns the text of a string, or "" if the node is not a string.
func (t *Tape) Str(index int) string {
	if index < 0 || t.nodes[index].kind != String {
		return ""
	}
	return string(t.Text(index))
}

// For up to this many keys, comparing all pairs is faster than a map.
const fewKeys = 12

// hasDuplicates tells whether a mapping has duplicate keys.
func (t *Tape) hasDuplicates(index int) bool {
	var keys [fewKeys][]byte
	count, end := 0, t.Next(index)
	for at := index + 1; at < end; at = t.Next(at + 1) {
		if count == fewKeys {
			return t.hasDuplicatesAmongMany(index)
		}
		key := t.Text(at)
		for _, other := range keys[:count] {
			if bytes.Equal(key, other) {
				return true
			}
		}
		keys[count] = key
		count++
	}
	return false
}

func (t *Tape) hasDuplicatesAmongMany(index int) bool {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	clear(t.seen)
	count, end := 0, t.Next(index)
	for at := index + 1; at < end; at = t.Next(at + 1) {
		t.seen[string(t.Text(at))] = true
		count++
	}
	return len(t.seen) != count
}
