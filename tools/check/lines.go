package main

import (
	"bytes"
	"sort"
	"strconv"
)

const deepest = 2 // levels below what a violation is about whose lines are told

// appendLines appends the lines of what the violations of an object are about, as their details' "path" says: pairs of a
// path, a list of keys and indices, and its line. The first is that of the object.
func (p *pending) appendLines(out []byte, responses []map[string]any) []byte {
	w := lineWriter{pending: p, out: append(out, '[')}
	w.add(p.object.node)
	told := map[string]bool{}
	for _, response := range responses {
		details, _ := response["details"].(map[string]any)
		path, _ := details["path"].(string)
		if path == "" || told[path] {
			continue
		}
		told[path] = true
		if node := w.find(path); node >= 0 {
			w.below(node, deepest)
		}
	}
	return closed(w.out, ']')
}

type lineWriter struct {
	*pending
	out  []byte
	path [][]byte // the steps of a path as JSON
}

func (w *lineWriter) add(node int) {
	w.out = append(w.out, `[[`...)
	for _, step := range w.path {
		w.out = append(append(w.out, step...), ',')
	}
	w.out = append(closed(w.out, ']'), ',')
	w.out = strconv.AppendInt(w.out, int64(w.lineOf(node)), 10)
	w.out = append(w.out, ']', ',')
}

// find goes along a path such as `spec.containers[2]` and tells the lines of all that it passes; -1 if it leads nowhere.
func (w *lineWriter) find(path string) int {
	node := w.object.node
	w.path = w.path[:0]
	for len(path) > 0 {
		var step []byte
		if path[0] == '[' {
			end := bytes.IndexByte([]byte(path), ']')
			if end < 0 {
				return -1
			}
			index, err := strconv.Atoi(path[1:end])
			if err != nil {
				return -1
			}
			node = w.tape.item(node, index)
			step = []byte(path[1:end])
			path = path[end+1:]
		} else {
			end := 0
			for end < len(path) && path[end] != '.' && path[end] != '[' {
				end++
			}
			node = w.tape.get(node, path[:end])
			step = appendString(nil, []byte(path[:end]))
			path = path[end:]
		}
		if node < 0 {
			return -1
		}
		w.path = append(w.path, step)
		w.add(node)
		if len(path) > 0 && path[0] == '.' {
			path = path[1:]
		}
	}
	return node
}

// below tells the lines of what stands in a mapping, and in mappings inside it.
func (w *lineWriter) below(node, levels int) {
	t := w.tape
	if t.nodes[node].kind != mapping || levels == 0 {
		return
	}
	for at, end := node+1, int(t.nodes[node].next); at < end; at = int(t.nodes[at+1].next) {
		w.path = append(w.path, appendString(nil, t.bytes(at)))
		w.add(at + 1)
		w.below(at+1, levels-1)
		w.path = w.path[:len(w.path)-1]
	}
}

// lineOf returns the line in the file on which a node begins.
func (p *pending) lineOf(node int) int {
	if p.breaks == nil {
		source := p.tape.source
		p.breaks = make([]int, 0, bytes.Count(source, []byte{'\n'}))
		for at := bytes.IndexByte(source, '\n'); at >= 0; {
			p.breaks = append(p.breaks, at)
			next := bytes.IndexByte(source[at+1:], '\n')
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	return p.span.line + sort.SearchInts(p.breaks, int(p.tape.nodes[node].pos))
}
