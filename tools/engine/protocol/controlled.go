package protocol

import (
	"encoding/json"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"sync"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// An index holds the positions of objects with a namespace and a name, and their controllers.
type index struct {
	seed    maphash.Seed
	mutex   sync.Mutex
	entries []indexEntry
	files   map[int]indexedFile
	large   map[place]*read.Document // need not be read again
	size    int                      // bytes of the large documents
}

// A place is the position of a document.
type place struct{ file, document int }

// Documents of at least this size are kept, up to this total, because a List of a whole cluster is one document.
const largeDocument, mostLarge = 1 << 20, 1 << 26

type indexedFile struct {
	path, name string
	target     judge.TargetNamespace
}

type indexEntry struct {
	object, controller uint64 // hashes of their keys; controller is 0 if there is none
	file, document     uint32
}

// A key identifies an object by namespace, kind and name.
type key [3]string

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), files: map[int]indexedFile{}, large: map[place]*read.Document{}}
}

func (x *index) addFile(id int, file indexedFile) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.files[id] = file
}

func (x *index) hash(k key) uint64 { return max(maphash.Comparable(x.seed, k), 1) }

// add indexes the objects of a document, and tells whether the index keeps the document.
func (x *index) add(file int, d *read.Document, objects []read.Object) (isKept bool) {
	x.mutex.Lock()
	target := x.files[file].target
	x.mutex.Unlock()
	var found []indexEntry
	for _, o := range objects {
		if own, ok := keyOf(d, o, target); ok {
			entry := indexEntry{object: x.hash(own), file: uint32(file), document: uint32(d.Index)}
			if controller, ok := controllerOf(d, o, own[0]); ok {
				entry.controller = x.hash(controller)
			}
			found = append(found, entry)
		}
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.entries = append(x.entries, found...)
	if size := int(d.End - d.Begin); len(found) > 0 && size >= largeDocument && x.size+size <= mostLarge {
		x.size += size
		x.large[place{file, d.Index}] = d
		isKept = true
	}
	return isKept
}

func keyOf(d *read.Document, o read.Object, target judge.TargetNamespace) (own key, ok bool) {
	own = key{target.Of(d.Tape, o), o.Kind, d.Str(d.Get(d.Get(o.Node, "metadata"), "name"))}
	return own, own[0] != "" && own[2] != ""
}

// controllerOf returns the key of the controller of an object in a namespace.
func controllerOf(d *read.Document, o read.Object, namespace string) (controller key, ok bool) {
	owners := d.Get(d.Get(o.Node, "metadata"), "ownerReferences")
	for place := 0; ; place++ {
		owner := d.Item(owners, place)
		if owner < 0 {
			return key{}, false
		}
		if d.Kind(d.Get(owner, "controller")) == read.True {
			return key{namespace, d.Str(d.Get(owner, "kind")), d.Str(d.Get(owner, "name"))}, true
		}
	}
}

// A family is the objects with the same controller, and the objects of the input that may be this controller.
type family struct{ Objects, Controllers []section }

// A section is the position of an object in a spool.
type section struct{ at, size int64 }

const familiesAtOnce = 32 // in one query

// controlled answers with the values of a rule for objects and their controllers.
func (s *session) controlled(asked request) {
	var data struct {
		Modules map[string]string `json:"modules"`
		Objects []key             `json:"objects"`
	}
	if err := decode(asked.data, &data); err != nil {
		s.ended <- err
		return
	}
	if asked.index == nil {
		s.failed(asked.ID, "setup did not ask to remember objects", false)
		return
	}
	var kept spool
	defer kept.close()
	families, err := s.families(asked.index, data.Objects, &kept)
	if err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	modules := judge.Modules{RegoVersion: asked.RegoVersion, Texts: data.Modules}
	values := []any{}
	for chunk := range slices.Chunk(families, familiesAtOnce) {
		var found any
		input, err := inputOf(chunk, kept.reader())
		if err == nil {
			found, err = s.rules.Query(modules, asked.Entry, input)
		}
		own, isArray := found.([]any)
		if err == nil && !isArray {
			s.failed(asked.ID, asked.Entry+" is not an array", false)
			return
		}
		if err != nil {
			s.value(asked.ID, nil, err)
			return
		}
		values = append(values, own...)
	}
	s.value(asked.ID, values, nil)
}

// inputOf returns the input of a query about families.
func inputOf(families []family, kept io.ReaderAt) ([]byte, error) {
	load := func(sections []section, into []json.RawMessage) ([]json.RawMessage, error) {
		for _, where := range sections {
			object := make([]byte, where.size)
			if _, err := kept.ReadAt(object, where.at); err != nil {
				return nil, err
			}
			into = append(into, object)
		}
		return into, nil
	}
	input := struct {
		Pods      []json.RawMessage `json:"pods"`
		Workloads []json.RawMessage `json:"workloads"`
	}{[]json.RawMessage{}, []json.RawMessage{}}
	var err error
	for _, f := range families {
		if input.Pods, err = load(f.Objects, input.Pods); err != nil {
			return nil, err
		}
		if input.Workloads, err = load(f.Controllers, input.Workloads); err != nil {
			return nil, err
		}
	}
	return json.Marshal(input)
}

// families reads objects and their controllers again, sorted by the controllers' keys. It leaves out objects whose controllers
// are not in the input.
func (s *session) families(x *index, objects []key, kept *spool) ([]family, error) {
	wanted := map[uint64]bool{}
	for _, object := range objects {
		wanted[x.hash(object)] = true
	}
	controllers := map[uint64]bool{}
	for _, entry := range x.entries {
		if wanted[entry.object] && entry.controller != 0 {
			controllers[entry.controller] = true
		}
	}
	documents := map[int]map[int]bool{} // by file
	for _, entry := range x.entries {
		if controllers[entry.object] || wanted[entry.object] && entry.controller != 0 {
			if documents[int(entry.file)] == nil {
				documents[int(entry.file)] = map[int]bool{}
			}
			documents[int(entry.file)][int(entry.document)] = true
		}
	}
	isWanted := map[key]bool{}
	for _, object := range objects {
		isWanted[object] = true
	}
	found := map[key]*family{}
	get := func(controller key) *family {
		if found[controller] == nil {
			found[controller] = &family{}
		}
		return found[controller]
	}
	for _, file := range slices.Sorted(maps.Keys(documents)) {
		indexed := x.files[file]
		visit := func(d *read.Document) error {
			for _, o := range d.Objects(nil) {
				own, ok := keyOf(d, o, indexed.target)
				if !ok {
					continue
				}
				var sections []*[]section
				if controller, ok := controllerOf(d, o, own[0]); ok && isWanted[own] {
					sections = append(sections, &get(controller).Objects)
				}
				if controllers[x.hash(own)] {
					sections = append(sections, &get(own).Controllers)
				}
				if len(sections) == 0 {
					continue
				}
				object := judge.AppendObject(nil, d.Tape, o, &own[0])
				at, err := kept.add(object)
				if err != nil {
					return err
				}
				for _, each := range sections {
					*each = append(*each, section{at, int64(len(object))})
				}
			}
			return nil
		}
		for document := range documents[file] {
			if d := x.large[place{file, document}]; d != nil {
				delete(documents[file], document)
				if err := visit(d); err != nil {
					return nil, err
				}
			}
		}
		if err := s.readAgain(indexed, documents[file], visit); err != nil {
			return nil, err
		}
	}
	var families []family
	for _, controller := range slices.SortedFunc(maps.Keys(found), func(a, b key) int { return slices.Compare(a[:], b[:]) }) {
		if f := found[controller]; len(f.Objects) > 0 && len(f.Controllers) > 0 {
			families = append(families, *f)
		}
	}
	return families, nil
}

// readAgain reads some documents of a file again.
func (s *session) readAgain(file indexedFile, documents map[int]bool, visit func(*read.Document) error) error {
	if len(documents) == 0 {
		return nil
	}
	reader := read.Reader{Limits: s.limits, Dialect: read.Kubernetes}
	var failed error
	splitter := read.Splitter{
		Name: file.name, Dialect: read.Kubernetes, Limits: s.limits,
		Problem: func(read.Problem) {},
		Parts: func(part read.Part) {
			for _, span := range part.Spans {
				if !documents[span.Index()] || failed != nil {
					continue
				}
				if document, _ := reader.Read(part, span); document != nil {
					failed = visit(document)
					reader.Release(document)
				}
			}
		},
	}
	if result := splitter.SplitPath(file.path); result.Err != nil {
		return result.Err
	}
	return failed
}
