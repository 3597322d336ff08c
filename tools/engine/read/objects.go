package read

import "strings"

// An Object is a Kubernetes object in a document: a mapping with a kind.
type Object struct {
	Node  int   // the mapping
	Items []int // its places in the Lists that it stands in, from the outermost
	Kind  string
	// What a typed List, such as DeploymentList, says of an item that does not say it itself: its kind, or "", and the node that
	// is its apiVersion, or -1.
	ImpliedKind      string
	InheritedVersion int
}

// Version returns the node that is the object's apiVersion, or -1.
func (t *Tape) Version(o Object) int {
	if own := t.Get(o.Node, "apiVersion"); own >= 0 {
		return own
	}
	return o.InheritedVersion
}

// Group returns the API group of an object, "" for the core group.
func (t *Tape) Group(o Object) string {
	group, _, found := strings.Cut(t.Str(t.Version(o)), "/")
	if !found {
		return ""
	}
	return group
}

// IsObject tells whether the document is a Kubernetes object, which a List is too: a mapping with a kind.
func (t *Tape) IsObject() bool { return len(t.nodes) > 0 && t.Str(t.Get(0, "kind")) != "" }

// Objects appends the objects of the document: the items of Lists in the place of the Lists.
func (t *Tape) Objects(found []Object) []Object {
	if len(t.nodes) == 0 {
		return found
	}
	return t.unpack(found, Object{Node: 0, InheritedVersion: -1})
}

func (t *Tape) unpack(found []Object, o Object) []Object {
	o.Kind = o.ImpliedKind
	if at := t.Get(o.Node, "kind"); at >= 0 {
		o.Kind = t.Str(at)
		o.ImpliedKind = ""
	}
	if t.Kind(o.Node) != Mapping || o.Kind == "" {
		return found
	}
	items := t.Get(o.Node, "items")
	if !strings.HasSuffix(o.Kind, "List") || t.Kind(items) != Sequence {
		if t.Get(o.Node, "apiVersion") >= 0 {
			o.InheritedVersion = -1
		}
		return append(found, o)
	}
	implied, version := strings.TrimSuffix(o.Kind, "List"), t.Version(o)
	place := 0
	for at, end := items+1, t.Next(items); at < end; at = t.Next(at) {
		item := Object{Node: at, InheritedVersion: -1, Items: append(o.Items[:len(o.Items):len(o.Items)], place)}
		kind := t.Get(at, "kind")
		if implied != "" && t.Kind(at) == Mapping && (kind < 0 || t.Str(kind) == implied) {
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

// AppendObject appends an object as JSON, with what its List says of it.
func (t *Tape) AppendObject(out []byte, o Object) []byte {
	out = append(out, '{')
	if o.ImpliedKind != "" {
		out = append(AppendString(append(out, `"kind":`...), []byte(o.ImpliedKind)), ',')
	}
	if o.InheritedVersion >= 0 {
		out = append(t.AppendJSON(append(out, `"apiVersion":`...), o.InheritedVersion), ',')
	}
	return t.appendEntries(out, o.Node)
}
