package protocol

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// lookups holds the objects that policies look up in data.inventory. What is judged with them waits until all are read.
type lookups struct {
	of []string // GROUP/KIND of what is looked up, and has no namespace
	by []string // GROUP/KIND of what is judged with it

	mutex   sync.Mutex
	objects map[objectName]lookedUp
}

type objectName struct{ version, kind, name string }

type lookedUp struct {
	place [2]int // of its document: that of the file, and in the file
	json  json.RawMessage
}

// note records the objects of a document that are looked up. Of several with one name, the first of the input counts.
func (l *lookups) note(file int, d *read.Document, objects []read.Object) {
	for _, o := range objects {
		name := d.Str(d.Get(d.Get(o.Node, "metadata"), "name"))
		if name != "" && isOneOf(l.of, d, o) {
			l.add(objectName{d.Str(d.Version(o)), o.Kind, name}, lookedUp{[2]int{file, d.Index}, d.AppendObject(nil, o)})
		}
	}
}

func (l *lookups) add(name objectName, found lookedUp) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.objects == nil {
		l.objects = map[objectName]lookedUp{}
	}
	if known, isThere := l.objects[name]; !isThere || slices.Compare(found.place[:], known.place[:]) < 0 {
		l.objects[name] = found
	}
}

// inventory returns data.inventory, as Gatekeeper has it; nil if it is empty.
func (l *lookups) inventory() json.RawMessage {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	cluster := map[string]map[string]map[string]json.RawMessage{}
	for name, found := range l.objects {
		if cluster[name.version] == nil {
			cluster[name.version] = map[string]map[string]json.RawMessage{}
		}
		if cluster[name.version][name.kind] == nil {
			cluster[name.version][name.kind] = map[string]json.RawMessage{}
		}
		cluster[name.version][name.kind][name.name] = found.json
	}
	if len(cluster) == 0 {
		return nil
	}
	encoded, err := json.Marshal(map[string]any{"cluster": cluster})
	if err != nil {
		panic(err) // all of it is JSON
	}
	return encoded
}

// waiting returns the objects of a document that are judged once all is read.
func (l *lookups) waiting(d *read.Document, objects []read.Object) (found []read.Object) {
	for _, o := range objects {
		if isOneOf(l.by, d, o) {
			found = append(found, o)
		}
	}
	return found
}

// isWaiting tells whether an object that was judged is judged once all is read.
func (l *lookups) isWaiting(found judge.Judged) bool {
	return isOneOf(l.by, found.Document, found.Object)
}

// waitingFinding returns what an object may become, with the lines of all that a finding may be about.
func waitingFinding(file *judge.File, d *read.Document, o read.Object) deferredFinding {
	var paths []string
	for _, path := range mappings(d, o.Node, nil) {
		paths = append(paths, inWords(path))
	}
	own := judge.Judged{File: file, Document: d, Object: o}
	return deferredFinding{
		File:    file.ID,
		Record:  append(appendObject(nil, "finding", own), '}'),
		Judged:  judge.AppendObject(nil, d.Tape, o, file.Target.Replacement(d.Tape, o)),
		Default: file.Target.Name,
		LooksUp: true,
		Lines:   d.AppendLines(nil, o, paths),
	}
}

// mostMappings is the number of mappings in an object whose places are looked for: the outermost ones.
const mostMappings = 1000

// mappings returns the paths of the outermost mappings in a value at a path.
func mappings(d *read.Document, node int, path []any) (found [][]any) {
	type value struct {
		node int
		path []any
	}
	for waiting := []value{{node, path}}; len(waiting) > 0 && len(found) < mostMappings; waiting = waiting[1:] {
		own := waiting[0]
		if own.node < 0 {
			continue
		}
		switch d.Kind(own.node) {
		case read.Mapping:
			found = append(found, own.path)
			for at, end := own.node+1, d.Next(own.node); at < end; at = d.Next(at + 1) {
				waiting = append(waiting, value{at + 1, append(slices.Clone(own.path), string(d.Text(at)))})
			}
		case read.Sequence:
			i := 0
			for at, end := own.node+1, d.Next(own.node); at < end; at = d.Next(at) {
				waiting = append(waiting, value{at, append(slices.Clone(own.path), i)})
				i++
			}
		}
	}
	return found
}

// inWords returns a path as findings state it, such as `webhooks[0].clientConfig`.
func inWords(path []any) string {
	var words strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&words, "[%d]", step)
		case string:
			if words.Len() > 0 {
				words.WriteByte('.')
			}
			words.WriteString(step)
		}
	}
	return words.String()
}

// isOneOf tells whether an object is of one of some kinds, each as GROUP/KIND.
func isOneOf(kinds []string, d *read.Document, o read.Object) bool {
	return len(kinds) > 0 && slices.Contains(kinds, d.Group(o)+"/"+o.Kind)
}
