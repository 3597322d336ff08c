package read

import "strings"

// An Object is a Kubernetes object in a document: a mapping with a kind.
type Object struct {
	Node  int   // the mapping
	Items []int // its indices in the Lists that contain it, outermost first
	Kind  string
	// The kind and the apiVersion of a typed List's items, such as those of a DeploymentList, for an item that lacks them or has an
	// empty string: the kind, or "", and the node of the apiVersion, or -1.
	ImpliedKind      string
	InheritedVersion int
}

// Version returns the node that is the object's apiVersion, or -1.
func (t *Tape) Version(o Object) int {
	if o.InheritedVersion >= 0 {
		return o.InheritedVersion
	}
	return t.Get(o.Node, "apiVersion")
}

// IsReplaced tells whether an entry of the object is replaced by what its List implies. key is the node of the entry's key.
func (t *Tape) IsReplaced(o Object, key int) bool {
	switch string(t.Text(key)) {
	case "kind":
		return o.ImpliedKind != ""
	case "apiVersion":
		return o.InheritedVersion >= 0
	}
	return false
}

// Group returns the API group of an object, "" for the core group.
func (t *Tape) Group(o Object) string {
	group, _, found := strings.Cut(t.Str(t.Version(o)), "/")
	if !found {
		return ""
	}
	return group
}

// IsObject tells whether the document is a Kubernetes object or a List: a mapping with a kind, or a sequence that begins with
// one.
func (t *Tape) IsObject() bool {
	if len(t.nodes) == 0 {
		return false
	}
	first := 0
	if t.Kind(0) == Sequence {
		first = t.Item(0, 0)
	}
	return t.Str(t.Get(first, "kind")) != ""
}

// Objects appends the objects of the document. A List is replaced by its items. As in kubectl, everything that has a sequence
// of items is a List, whose other fields are ignored. As in conftest, a sequence is a List as well.
func (t *Tape) Objects(found []Object) []Object {
	switch {
	case len(t.nodes) == 0:
		return found
	case t.Kind(0) != Sequence:
		return t.unpack(found, Object{Node: 0, InheritedVersion: -1})
	}
	place := 0
	for at, end := 1, t.Next(0); at < end; at = t.Next(at) {
		found = t.unpack(found, Object{Node: at, InheritedVersion: -1, Items: []int{place}})
		place++
	}
	return found
}

func (t *Tape) unpack(found []Object, o Object) []Object {
	o.Kind = o.ImpliedKind
	if own := t.Str(t.Get(o.Node, "kind")); own != "" {
		o.Kind, o.ImpliedKind = own, ""
	}
	if t.Str(t.Get(o.Node, "apiVersion")) != "" {
		o.InheritedVersion = -1
	}
	if t.Kind(o.Node) != Mapping || o.Kind == "" {
		return found
	}
	items := t.Get(o.Node, "items")
	if t.Kind(items) != Sequence {
		return append(found, o)
	}
	implied, version := strings.TrimSuffix(o.Kind, "List"), t.Version(o)
	place := 0
	for at, end := items+1, t.Next(items); at < end; at = t.Next(at) {
		item := Object{Node: at, InheritedVersion: -1, Items: append(o.Items[:len(o.Items):len(o.Items)], place)}
		kind := t.Str(t.Get(at, "kind"))
		if implied != "" && t.Kind(at) == Mapping && (kind == "" || kind == implied) {
			item.ImpliedKind = implied
			if t.Kind(version) == String {
				item.InheritedVersion = version
			}
		}
		found = t.unpack(found, item)
		place++
	}
	return found
}

// AppendObject appends an object as JSON, with what its List implies.
func (t *Tape) AppendObject(out []byte, o Object) []byte {
	out = append(out, '{')
	if o.ImpliedKind != "" {
		out = append(AppendString(append(out, `"kind":`...), []byte(o.ImpliedKind)), ',')
	}
	if o.InheritedVersion >= 0 {
		out = append(t.AppendJSON(append(out, `"apiVersion":`...), o.InheritedVersion), ',')
	}
	for at, end := o.Node+1, t.Next(o.Node); at < end; at = t.Next(at + 1) {
		if !t.IsReplaced(o, at) {
			out = t.appendEntry(out, at)
		}
	}
	return Closed(out, '}')
}
