package main

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// terms makes OPA's values of nodes. Terms of short strings are kept, as manifests repeat them.
type terms struct {
	known map[string]*ast.Term
}

const (
	longestKept = 32
	mostKept    = 10_000
)

func (v *terms) str(b []byte) *ast.Term {
	if len(b) > longestKept {
		return ast.NewTerm(ast.String(b))
	}
	if term, found := v.known[string(b)]; found {
		return term
	}
	if v.known == nil || len(v.known) == mostKept {
		v.known = map[string]*ast.Term{}
	}
	term := ast.NewTerm(ast.String(b))
	v.known[string(b)] = term
	return term
}

func (v *terms) value(t *tape, index int) *ast.Term {
	n := &t.nodes[index]
	switch n.kind {
	case boolTrue:
		return ast.InternedTerm(true)
	case boolFalse:
		return ast.InternedTerm(false)
	case number:
		return ast.NewTerm(ast.Number(json.Number(t.bytes(index))))
	case text:
		return v.str(t.bytes(index))
	case mapping:
		return ast.NewTerm(ast.NewObject(v.entries(t, index, nil)...))
	case sequence:
		var items []*ast.Term
		for at, end := index+1, int(n.next); at < end; at = int(t.nodes[at].next) {
			items = append(items, v.value(t, at))
		}
		return ast.NewTerm(ast.NewArray(items...))
	default:
		return ast.InternedNullTerm
	}
}

func (v *terms) entries(t *tape, index int, items [][2]*ast.Term) [][2]*ast.Term {
	for at, end := index+1, int(t.nodes[index].next); at < end; at = int(t.nodes[at+1].next) {
		items = append(items, [2]*ast.Term{v.str(t.bytes(at)), v.value(t, at+1)})
	}
	return items
}

// object returns a whole object, with what its List says of it, and the namespace that it goes to if it states another one.
func (v *terms) object(t *tape, o object, h home) *ast.Term {
	var items [][2]*ast.Term
	if o.implied != "" {
		items = append(items, [2]*ast.Term{v.str([]byte("kind")), v.str([]byte(o.implied))})
	}
	if o.apiVersion >= 0 {
		items = append(items, [2]*ast.Term{v.str([]byte("apiVersion")), v.value(t, o.apiVersion)})
	}
	whole := ast.NewObject(v.entries(t, o.node, items)...)
	if t.moves(o, h) {
		metadata := ast.NewObject(v.entries(t, t.get(o.node, "metadata"), nil)...)
		metadata.Insert(v.str([]byte("namespace")), ast.StringTerm(h.namespace))
		whole.Insert(v.str([]byte("metadata")), ast.NewTerm(metadata))
	}
	return ast.NewTerm(whole)
}

// moves tells whether an object states a namespace and goes to another one.
func (t *tape) moves(o object, h home) bool {
	if !h.replaces {
		return false
	}
	stated := t.get(t.get(o.node, "metadata"), "namespace")
	name, isString := t.str(stated)
	return stated >= 0 && (isString && name != "" || !isString && !t.isFalsy(stated))
}

// isFalsy tells whether a node is null, false, zero or empty, as Python has it.
func (t *tape) isFalsy(index int) bool {
	n := t.nodes[index]
	switch n.kind {
	case null, boolFalse:
		return true
	case mapping, sequence:
		return int(n.next) == index+1
	case number:
		return string(t.bytes(index)) == "0"
	}
	return false
}

// appendObject appends a whole object as JSON, with what its List says of it.
func (t *tape) appendObject(out []byte, o object) []byte {
	out = append(out, '{')
	if o.implied != "" {
		out = append(appendString(append(out, `"kind":`...), []byte(o.implied)), ',')
	}
	if o.apiVersion >= 0 {
		out = append(t.appendJSON(append(out, `"apiVersion":`...), o.apiVersion), ',')
	}
	return t.appendEntries(out, o.node)
}

// appendKey appends, as JSON, what matching asks of an object; false if it is not clear what that is.
func (t *tape) appendKey(out []byte, o object, h home, byName bool) (key []byte, ok bool) {
	out = append(out, h.namespace...)
	out = appendString(append(out, `{"kind":`...), []byte(o.kind))
	version := t.get(o.node, "apiVersion")
	if version < 0 {
		version = o.apiVersion
	}
	if version >= 0 {
		out = t.appendJSON(append(out, `,"apiVersion":`...), version)
	}
	metadata := t.get(o.node, "metadata")
	if metadata < 0 {
		return append(out, '}'), true
	}
	if t.nodes[metadata].kind != mapping {
		return out, false
	}
	out = append(out, `,"metadata":{`...)
	fields := []string{"namespace", "name", "generateName", "labels"}
	if !byName && o.kind != "Namespace" {
		fields = fields[:1]
	}
	for _, field := range fields {
		at := t.get(metadata, field)
		if at >= 0 && field == "namespace" && t.moves(o, h) {
			out = append(appendString(append(out, `"namespace":`...), []byte(h.namespace)), ',')
		} else if at >= 0 {
			out = append(appendString(out, []byte(field)), ':')
			out = append(t.appendJSON(out, at), ',')
		}
	}
	return append(closed(out, '}'), '}'), true
}

// appendJSON appends a value as JSON.
func (t *tape) appendJSON(out []byte, index int) []byte {
	n := &t.nodes[index]
	switch n.kind {
	case boolTrue:
		return append(out, "true"...)
	case boolFalse:
		return append(out, "false"...)
	case number:
		return append(out, t.bytes(index)...)
	case text:
		return appendString(out, t.bytes(index))
	case mapping:
		return t.appendEntries(append(out, '{'), index)
	case sequence:
		out = append(out, '[')
		for at, end := index+1, int(n.next); at < end; at = int(t.nodes[at].next) {
			out = append(t.appendJSON(out, at), ',')
		}
		return closed(out, ']')
	default:
		return append(out, "null"...)
	}
}

func (t *tape) appendEntries(out []byte, index int) []byte {
	for at, end := index+1, int(t.nodes[index].next); at < end; at = int(t.nodes[at+1].next) {
		out = append(appendString(out, t.bytes(at)), ':')
		out = append(t.appendJSON(out, at+1), ',')
	}
	return closed(out, '}')
}

// closed puts a bracket in the place of the comma that may stand last.
func closed(out []byte, bracket byte) []byte {
	if out[len(out)-1] == ',' {
		out[len(out)-1] = bracket
		return out
	}
	return append(out, bracket)
}

const hexadecimals = "0123456789abcdef"

// appendString appends a text, valid UTF-8, as a JSON string.
func appendString(out, s []byte) []byte {
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

func isText(s []byte) bool { return utf8.Valid(s) }
