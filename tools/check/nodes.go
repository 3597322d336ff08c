package main

import "bytes"

// kind says what a node is.
type kind uint8

const (
	null kind = iota
	boolTrue
	boolFalse
	number // its text is the JSON number
	text
	mapping
	sequence
)

// A node is one value of a document. The nodes of a document stand in one slice, each before those inside it; a mapping
// is followed by its keys and values in turn.
type node struct {
	kind    kind
	decoded bool   // its text stands in tape.decoded, not in tape.source
	pos     uint32 // where it begins in the source: gives its line
	start   uint32 // its text
	end     uint32
	next    uint32 // the node after all that is inside it
}

// A tape holds the nodes of one document.
type tape struct {
	source  []byte
	nodes   []node
	decoded []byte          // the text of scalars that is not their source: escapes, folded lines
	seen    map[string]bool // scratch of hasDuplicates
	depth   int
}

// reset makes it hold nothing, and be about a source.
func (t *tape) reset(source []byte) {
	t.source = source
	t.nodes = t.nodes[:0]
	t.decoded = t.decoded[:0]
	t.depth = 0
}

// add appends a node that has nothing inside it.
func (t *tape) add(k kind, pos, start, end int, decoded bool) {
	t.nodes = append(t.nodes, node{
		kind: k, decoded: decoded, pos: uint32(pos), start: uint32(start), end: uint32(end), next: uint32(len(t.nodes) + 1),
	})
}

// open appends a mapping or a sequence and returns its place; close ends it.
func (t *tape) open(k kind, pos int) int {
	t.depth++
	t.nodes = append(t.nodes, node{kind: k, pos: uint32(pos)})
	return len(t.nodes) - 1
}

func (t *tape) close(index int) {
	t.depth--
	t.nodes[index].next = uint32(len(t.nodes))
}

// bytes returns the text of a scalar.
func (t *tape) bytes(index int) []byte {
	n := &t.nodes[index]
	if n.decoded {
		return t.decoded[n.start:n.end]
	}
	return t.source[n.start:n.end]
}

// get returns the value under a key of a mapping, or -1.
func (t *tape) get(index int, key string) int {
	if index < 0 || t.nodes[index].kind != mapping {
		return -1
	}
	for at, end := index+1, int(t.nodes[index].next); at < end; at = int(t.nodes[at+1].next) {
		if string(t.bytes(at)) == key {
			return at + 1
		}
	}
	return -1
}

// item returns the entry of a sequence at a place, or -1.
func (t *tape) item(index, place int) int {
	if index < 0 || t.nodes[index].kind != sequence {
		return -1
	}
	for at, end := index+1, int(t.nodes[index].next); at < end; at = int(t.nodes[at].next) {
		if place == 0 {
			return at
		}
		place--
	}
	return -1
}

// str returns the text of a string; false where a node is none.
func (t *tape) str(index int) (string, bool) {
	if index < 0 || t.nodes[index].kind != text {
		return "", false
	}
	return string(t.bytes(index)), true
}

// line returns the line, from 0, in the source on which a node begins.
func (t *tape) line(index int) int {
	return bytes.Count(t.source[:t.nodes[index].pos], []byte{'\n'})
}

// Up to this many keys, comparing each with each is faster than a map.
const fewKeys = 12

// hasDuplicates tells whether a key stands twice in a mapping.
func (t *tape) hasDuplicates(index int) bool {
	var keys [fewKeys][]byte
	count, end := 0, int(t.nodes[index].next)
	for at := index + 1; at < end; at = int(t.nodes[at+1].next) {
		if count == fewKeys {
			return t.hasDuplicatesAmongMany(index)
		}
		key := t.bytes(at)
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

func (t *tape) hasDuplicatesAmongMany(index int) bool {
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	clear(t.seen)
	count, end := 0, int(t.nodes[index].next)
	for at := index + 1; at < end; at = int(t.nodes[at+1].next) {
		t.seen[string(t.bytes(at))] = true
		count++
	}
	return len(t.seen) != count
}
