package read

import (
	"strconv"
	"strings"
)

const maxLineDepth = 2 // levels below the path that get line numbers

// AppendLines appends the lines of the values along some paths in an object, and below them, as pairs: a path, as a list of
// keys and indices, and its line. The first pair is that of the object. The given paths are such as `spec.containers[2]`.
func (d *Document) AppendLines(out []byte, o Object, paths []string) []byte {
	w := lineWriter{document: d, out: append(out, '['), items: map[int][]int{}}
	w.add(o.Node)
	seen := map[string]bool{}
	for _, path := range paths {
		if path == "" || seen[path] {
			continue
		}
		seen[path] = true
		if node := w.along(o.Node, path); node >= 0 {
			w.below(node, maxLineDepth)
		}
	}
	return Closed(w.out, ']')
}

// AppendAllLines appends the lines of a node and of all values inside it, in order.
func (d *Document) AppendAllLines(out []byte, o Object) []byte {
	out = append(out, '[')
	add := func(node int) { out = append(strconv.AppendInt(out, int64(d.LineOf(node)), 10), ',') }
	add(o.Node)
	if o.ImpliedKind != "" {
		add(o.Node)
	}
	if o.InheritedVersion >= 0 {
		add(o.Node)
	}
	var inside func(node int)
	inside = func(node int) {
		switch d.Kind(node) {
		case Mapping:
			for at, end := node+1, d.Next(node); at < end; at = d.Next(at + 1) {
				add(at + 1)
				inside(at + 1)
			}
		case Sequence:
			for at, end := node+1, d.Next(node); at < end; at = d.Next(at) {
				add(at)
				inside(at)
			}
		}
	}
	if o.ImpliedKind == "" && o.InheritedVersion < 0 {
		inside(o.Node)
		return Closed(out, ']')
	}
	for at, end := o.Node+1, d.Next(o.Node); at < end; at = d.Next(at + 1) {
		if !d.IsReplaced(o, at) {
			add(at + 1)
			inside(at + 1)
		}
	}
	return Closed(out, ']')
}

type lineWriter struct {
	document *Document
	out      []byte
	path     [][]byte      // the steps of a path as JSON
	items    map[int][]int // cached items of sequences, because a pod may have findings in very many containers
}

func (w *lineWriter) add(node int) {
	w.out = append(w.out, `[[`...)
	for _, step := range w.path {
		w.out = append(append(w.out, step...), ',')
	}
	w.out = append(Closed(w.out, ']'), ',')
	w.out = strconv.AppendInt(w.out, int64(w.document.LineOf(node)), 10)
	w.out = append(w.out, ']', ',')
}

// along adds the lines of all nodes along a path, and returns the last one, or -1 if the path does not exist.
func (w *lineWriter) along(node int, path string) int {
	w.path = w.path[:0]
	for len(path) > 0 {
		var step []byte
		if path[0] == '[' {
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return -1
			}
			index, err := strconv.Atoi(path[1:end])
			if err != nil {
				return -1
			}
			node = w.item(node, index)
			step = []byte(path[1:end])
			path = path[end+1:]
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			node = w.document.Get(node, path[:end])
			step = AppendString(nil, []byte(path[:end]))
			path = path[end:]
		}
		if node < 0 {
			return -1
		}
		w.path = append(w.path, step)
		w.add(node)
		path = strings.TrimPrefix(path, ".")
	}
	return node
}

// item returns the item of a sequence at an index, or -1.
func (w *lineWriter) item(sequence, place int) int {
	if w.document.Kind(sequence) != Sequence {
		return -1
	}
	items, isKnown := w.items[sequence]
	if !isKnown {
		for at, end := sequence+1, w.document.Next(sequence); at < end; at = w.document.Next(at) {
			items = append(items, at)
		}
		w.items[sequence] = items
	}
	if place < 0 || place >= len(items) {
		return -1
	}
	return items[place]
}

// below adds the lines of the values in a mapping, and in mappings inside it.
func (w *lineWriter) below(node, levels int) {
	d := w.document
	if d.Kind(node) != Mapping || levels == 0 {
		return
	}
	for at, end := node+1, d.Next(node); at < end; at = d.Next(at + 1) {
		w.path = append(w.path, AppendString(nil, d.Text(at)))
		w.add(at + 1)
		w.below(at+1, levels-1)
		w.path = w.path[:len(w.path)-1]
	}
}
