package main

import "strings"

// An object is a Kubernetes object in a document: a mapping with a kind.
type object struct {
	node       int   // the mapping
	items      []int // its places in the Lists that it stands in, from the outermost
	kind       string
	apiVersion int    // the node that a typed List says is its apiVersion, or -1
	implied    string // the kind that a typed List says is its own, or ""
}

// objects returns the objects of a document: the items of Lists in the place of the Lists. Items of a typed List, such as
// DeploymentList, may leave out what the List says.
func (t *tape) objects(found []object) []object {
	if len(t.nodes) == 0 {
		return found
	}
	return t.unpack(found, object{node: 0, apiVersion: -1})
}

func (t *tape) unpack(found []object, o object) []object {
	o.kind = o.implied
	if at := t.get(o.node, "kind"); at >= 0 {
		o.kind, _ = t.str(at)
		o.implied = ""
	}
	if t.nodes[o.node].kind != mapping || o.kind == "" {
		return found
	}
	entries := t.get(o.node, "items")
	if !strings.HasSuffix(o.kind, "List") || entries < 0 || t.nodes[entries].kind != sequence {
		if o.apiVersion >= 0 && t.get(o.node, "apiVersion") >= 0 {
			o.apiVersion = -1
		}
		return append(found, o)
	}
	inferred := strings.TrimSuffix(o.kind, "List")
	version := t.get(o.node, "apiVersion")
	if version < 0 {
		version = o.apiVersion
	}
	place := 0
	for at, end := entries+1, int(t.nodes[entries].next); at < end; at = int(t.nodes[at].next) {
		inside := object{node: at, apiVersion: -1, items: append(o.items[:len(o.items):len(o.items)], place)}
		own := t.get(at, "kind")
		stated, isString := t.str(own)
		if inferred != "" && t.nodes[at].kind == mapping && (own < 0 || isString && stated == inferred) {
			inside.implied, inside.apiVersion = inferred, version
		}
		found = t.unpack(found, inside)
		place++
	}
	return found
}
