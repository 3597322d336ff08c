package judge

import (
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"

	"pullguard.invalid/tools/engine/read"
)

// terms converts nodes to OPA's terms. It caches the terms of short strings, because manifests repeat them.
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

func (v *terms) value(t *read.Tape, index int) *ast.Term {
	switch t.Kind(index) {
	case read.True:
		return ast.InternedTerm(true)
	case read.False:
		return ast.InternedTerm(false)
	case read.Number:
		return ast.NewTerm(ast.Number(json.Number(t.Text(index))))
	case read.String:
		return v.str(t.Text(index))
	case read.Mapping:
		return ast.NewTerm(ast.NewObject(v.entries(t, index)...))
	case read.Sequence:
		var items []*ast.Term
		for at, end := index+1, t.Next(index); at < end; at = t.Next(at) {
			items = append(items, v.value(t, at))
		}
		return ast.NewTerm(ast.NewArray(items...))
	default:
		return ast.InternedNullTerm
	}
}

func (v *terms) entries(t *read.Tape, index int) [][2]*ast.Term {
	var items [][2]*ast.Term
	for at, end := index+1, t.Next(index); at < end; at = t.Next(at + 1) {
		items = append(items, [2]*ast.Term{v.str(t.Text(at)), v.value(t, at+1)})
	}
	return items
}

// object returns a whole object, with what its List states about it. If namespace is not nil, it replaces the object's own.
func (v *terms) object(t *read.Tape, o read.Object, namespace *string) *ast.Term {
	var items [][2]*ast.Term
	if o.ImpliedKind != "" {
		items = append(items, [2]*ast.Term{v.str([]byte("kind")), v.str([]byte(o.ImpliedKind))})
	}
	if o.InheritedVersion >= 0 {
		items = append(items, [2]*ast.Term{v.str([]byte("apiVersion")), v.value(t, o.InheritedVersion)})
	}
	for at, end := o.Node+1, t.Next(o.Node); at < end; at = t.Next(at + 1) {
		if !t.IsReplaced(o, at) {
			items = append(items, [2]*ast.Term{v.str(t.Text(at)), v.value(t, at+1)})
		}
	}
	whole := ast.NewObject(items...)
	if namespace != nil {
		metadata := ast.NewObject(v.entries(t, t.Get(o.Node, "metadata"))...)
		metadata.Insert(v.str([]byte("namespace")), ast.StringTerm(*namespace))
		whole.Insert(v.str([]byte("metadata")), ast.NewTerm(metadata))
	}
	return ast.NewTerm(whole)
}

// AppendObject appends an object as JSON. If namespace is not nil, it replaces the object's own.
func AppendObject(out []byte, t *read.Tape, o read.Object, namespace *string) []byte {
	if namespace == nil {
		return t.AppendObject(out, o)
	}
	return append(out, (&terms{}).object(t, o, namespace).String()...)
}

// A TargetNamespace is the namespace to which the objects of a file are applied.
type TargetNamespace struct {
	Name    string // for objects that do not state any; "" if not known
	Replace bool   // also for objects that state another one
}

// Replacement returns the namespace that replaces an object's stated one, or nil if the object keeps it. A stated namespace
// that is not a valid name is a placeholder, as if the object did not state any.
func (n TargetNamespace) Replacement(t *read.Tape, o read.Object) *string {
	if stated := statedNamespace(t, o); stated != "" && (n.Replace || !isName(stated)) {
		return &n.Name
	}
	return nil
}

// Of returns the namespace to which an object is applied, or "" if not known.
func (n TargetNamespace) Of(t *read.Tape, o read.Object) string {
	if n.Replacement(t, o) == nil {
		if stated := statedNamespace(t, o); stated != "" {
			return stated
		}
	}
	return n.Name
}

const longestName = 63

// isName tells whether a name is valid for a Namespace.
func isName(name string) bool {
	for i := range len(name) {
		isLetter := name[i] >= 'a' && name[i] <= 'z' || name[i] >= '0' && name[i] <= '9'
		if !isLetter && (name[i] != '-' || i == 0 || i == len(name)-1) {
			return false
		}
	}
	return len(name) <= longestName
}

func statedNamespace(t *read.Tape, o read.Object) string {
	return t.Str(t.Get(t.Get(o.Node, "metadata"), "namespace"))
}

// appendMatchKey appends the target namespace and, as JSON, what matching depends on. It returns ok=false if that is not clear.
func appendMatchKey(out []byte, t *read.Tape, o read.Object, target TargetNamespace, needsMetadata bool) (key []byte, ok bool) {
	out = append(out, target.Name...)
	out = read.AppendString(append(out, `{"kind":`...), []byte(o.Kind))
	if version := t.Version(o); version >= 0 {
		out = t.AppendJSON(append(out, `,"apiVersion":`...), version)
	}
	metadata := t.Get(o.Node, "metadata")
	if metadata < 0 {
		return append(out, '}'), true
	}
	if t.Kind(metadata) != read.Mapping {
		return out, false
	}
	out = append(out, `,"metadata":{`...)
	fields := []string{"namespace", "name", "generateName", "labels"}
	if !needsMetadata && o.Kind != "Namespace" {
		fields = fields[:1]
	}
	for _, field := range fields {
		at := t.Get(metadata, field)
		if replacement := target.Replacement(t, o); at >= 0 && field == "namespace" && replacement != nil {
			out = append(read.AppendString(append(out, `"namespace":`...), []byte(*replacement)), ',')
		} else if at >= 0 {
			out = append(read.AppendString(out, []byte(field)), ':')
			out = append(t.AppendJSON(out, at), ',')
		}
	}
	return append(read.Closed(out, '}'), '}'), true
}
