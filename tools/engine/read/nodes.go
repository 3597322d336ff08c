package read

import "bytes"

// Kind says what a node is.
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

// A node is one value of a document. The nodes of a document stand in one slice, each before those inside it; a mapping
// is followed by its keys and values in turn.
type node struct {
	kind    Kind
	decoded bool   // its text stands in Tape.decoded, not in Tape.source
	pos     uint32 // where it begins in the source
	start   uint32 // its text
	end     uint32
	next    uint32 // the node after all that is inside it
}

// A Tape holds the values of one document as nodes, which are known by their places. -1 stands for no node.
type Tape struct {
	source  []byte
	nodes   []node
	decoded []byte          // the text of scalars that is not their source: escapes, folded lines
	seen    map[string]bool // scratch of hasDuplicates
	depth   int
	tooDeep bool // reading ended at a mapping or list below the deepest level
	// Of each node the line, from 0, in the text that it was read from, where the source is another text.
	lines []int
}

// reset makes it hold nothing, and be about a source.
func (t *Tape) reset(source []byte) {
	t.source = source
	t.nodes = t.nodes[:0]
	t.decoded = t.decoded[:0]
	t.depth = 0
	t.tooDeep = false
	t.lines = nil
}

// add appends a node that has nothing inside it.
func (t *Tape) add(k Kind, pos, start, end int, decoded bool) {
	t.nodes = append(t.nodes, node{
		kind: k, decoded: decoded, pos: uint32(pos), start: uint32(start), end: uint32(end), next: uint32(len(t.nodes) + 1),
	})
}

// open appends a mapping or a sequence and returns its place; close ends it. Not ok: it is nested too deep.
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

// Kind returns what a node is; Null where there is none.
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

// Next returns the place after a node and all that is inside it.
func (t *Tape) Next(index int) int { return int(t.nodes[index].next) }

// Get returns the value under a key of a mapping, or -1.
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

// Item returns the entry of a sequence at a place, or -1.
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

// Str returns the text of a string; "" where a node is not a string.
func (t *Tape) Str(index int) string {
	if index < 0 || t.nodes[index].kind != String {
		return ""
	}
	return string(t.Text(index))
}

// Up to this many keys, comparing each with each is faster than a map.
const fewKeys = 12

// hasDuplicates tells whether a key stands twice in a mapping.
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
