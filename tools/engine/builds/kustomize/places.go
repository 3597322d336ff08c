package kustomize

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
	"pullguard.invalid/tools/engine/builds/nodes"
)

// Places returns where the fields of the output come from, in the order of the questions. A mark in a field tells. For
// everything else, the place is in the object's own file.
func (k *Kustomization) Places(questions []builds.Question) ([]builds.Answer, error) {
	t := tracer{build: k, top: fileIn(k.folder), marker: k.marker, documents: map[string][]*yaml.Node{}}
	t.definitions = slices.ContainsFunc(questions, func(question builds.Question) bool {
		index := question.Line / linesOfObject
		return index < 0 || index >= len(k.kinds) || k.kinds[index] == definition
	})
	t.resources, t.kustomizations = t.list(k.read.names())
	answers := make([]builds.Answer, len(questions))
	for i, question := range questions {
		var err error
		if answers[i], err = t.answer(question, k.marked); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// withOrigins returns a kustomization file that requests origin annotations.
func withOrigins(text []byte) []byte {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return text
	}
	root := document.Content[0]
	wanted := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: types.OriginAnnotations}}}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "buildMetadata" {
			root.Content[i+1] = wanted
			wanted = nil
		}
	}
	if wanted != nil {
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "buildMetadata"}, wanted)
	}
	changed, err := yaml.Marshal(&document)
	if err != nil {
		return text
	}
	return changed
}

type tracer struct {
	build          *Kustomization
	top            string // the kustomization file
	marker         *marker
	documents      map[string][]*yaml.Node // by file
	definitions    bool                    // whether questions are about definitions
	resources      []string                // files that kustomizations list as resources
	kustomizations []string
	origins        resmap.ResMap // with origin annotations; only built if needed
}

// list returns the resource files and the kustomization files among the files that were read.
func (t *tracer) list(names []string) (resources, kustomizations []string) {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for _, name := range names {
		if !slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(name)) {
			continue
		}
		kustomizations = append(kustomizations, name)
		for _, document := range t.read(name) {
			for _, field := range []string{"resources", "bases"} {
				listed := nodes.Get(document.Content[0], field)
				for i := 0; nodes.Item(listed, i) != nil; i++ {
					file := filepath.Join(filepath.Dir(name), nodes.Item(listed, i).Value)
					if real, err := filepath.EvalSymlinks(file); err == nil {
						file = real
					}
					if known[file] && !slices.Contains(resources, file) {
						resources = append(resources, file)
					}
				}
			}
		}
	}
	return resources, kustomizations
}

func (t *tracer) answer(question builds.Question, objects []*resource.Resource) (builds.Answer, error) {
	index := question.Line / linesOfObject
	if question.Line < 0 || index >= len(objects) {
		return builds.Answer{}, fmt.Errorf("the kustomization in %s was changed while it was read", t.build.folder)
	}
	object := objects[index]
	file, own, err := t.own(object, index)
	if err != nil {
		return builds.Answer{}, err
	}
	found := builds.Answer{Object: builds.Place{File: file, Line: 1}, Fields: map[string]builds.Decision{}}
	if own != nil {
		found.Object.Line = own.Line
	}
	made := nodes.Follow(object.YNode(), question.Path)
	fields, line, whole := ownFields(own, object.YNode(), question.Path)
	whereabouts := builds.Decision{Place: builds.Place{File: file, Line: max(line, found.Object.Line)}}
	if whole {
		whereabouts.Written = &builds.Place{File: file, Line: fields.Line, Column: fields.Column}
	}
	named := whole
	for i := 0; made != nil && made.Kind == yaml.MappingNode && i+1 < len(made.Content); i += 2 {
		key, value := made.Content[i].Value, made.Content[i+1]
		if place, ok := t.markIn(value); ok {
			line := builds.Place{File: place.File, Line: place.Line}
			found.Fields[key] = builds.Decision{Place: line, Written: &place}
			if !named {
				whereabouts, named = builds.Decision{Place: line}, true // a patch adds the mapping
			}
		} else if at := keyOf(fields, key); at != nil {
			found.Fields[key] = builds.Decision{Place: builds.Place{File: file, Line: at.Line}}
		}
	}
	found.Fields[""] = whereabouts
	return found, nil
}

// markIn returns the place of the last mark in a value.
func (t *tracer) markIn(value *yaml.Node) (builds.Place, bool) {
	if value.Kind != yaml.ScalarNode {
		return builds.Place{}, false
	}
	seen := marks.In(value.Value)
	if len(seen) == 0 || seen[len(seen)-1] >= len(t.marker.places) {
		return builds.Place{}, false
	}
	return t.marker.places[seen[len(seen)-1]], true
}

// own returns the file that an object comes from, and the object in it.
func (t *tracer) own(object *resource.Resource, index int) (string, *yaml.Node, error) {
	kind, name := object.GetKind(), object.GetName()
	var files []string
	var objects []*yaml.Node
	longest := 0
	for _, file := range t.resources {
		for _, document := range t.read(file) {
			// kustomize may have added prefixes and suffixes to the name.
			own, length := find(document, kind, name)
			if own == nil || length < longest {
				continue
			}
			if length > longest {
				files, objects, longest = nil, nil, length
			}
			files, objects = append(files, file), append(objects, own)
		}
	}
	switch len(files) {
	case 1:
		return files[0], objects[0], nil
	case 0:
		for _, file := range t.kustomizations {
			for _, document := range t.read(file) {
				if own := generator(document.Content[0], name); own != nil {
					return file, own, nil
				}
			}
		}
		return t.top, nil, nil
	}
	// kustomize itself knows the file, but building with origins takes several times as long.
	if t.origins == nil {
		var err error
		t.origins, _, err = t.build.run(func(path string, text []byte) []byte {
			if path == t.top {
				return withOrigins(text)
			}
			return text
		})
		if err != nil {
			return "", nil, err
		}
	}
	if index < t.origins.Size() {
		origin, err := t.origins.Resources()[index].GetOrigin()
		if err == nil && origin != nil {
			file := filepath.Join(filepath.Dir(t.top), origin.Path)
			for i := range files {
				if files[i] == file {
					return files[i], objects[i], nil
				}
			}
		}
	}
	return files[0], objects[0], nil
}

// generator returns the entry of a kustomization that generates a ConfigMap or a Secret.
func generator(kustomization *yaml.Node, name string) *yaml.Node {
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		listed := nodes.Get(kustomization, field)
		for i := 0; nodes.Item(listed, i) != nil; i++ {
			if own := nodes.Get(nodes.Item(listed, i), "name"); own != nil && own.Value != "" && strings.Contains(name, own.Value) {
				return own
			}
		}
	}
	return nil
}

func (t *tracer) read(file string) []*yaml.Node {
	if found, ok := t.documents[file]; ok {
		return found
	}
	var found []*yaml.Node
	if text, err := os.ReadFile(file); err == nil {
		text = t.build.text(file, text)
		if !t.definitions {
			text = blankDefinitions(text)
		}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			document := &yaml.Node{}
			if decoder.Decode(document) != nil {
				break
			}
			found = append(found, document)
		}
	}
	t.documents[file] = found
	return found
}

// find returns the object of a kind, also in Lists, with the longest name that a name contains, and the length of its name.
func find(node *yaml.Node, kind, name string) (found *yaml.Node, length int) {
	switch node.Kind {
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, child := range node.Content {
			if own, size := find(child, kind, name); size > length {
				found, length = own, size
			}
		}
	case yaml.MappingNode:
		if stated := nodes.Get(node, "kind"); stated != nil && stated.Value == kind {
			if own := nodes.Get(nodes.Get(node, "metadata"), "name"); own != nil && strings.Contains(name, own.Value) {
				return node, len(own.Value)
			}
		}
		if items := nodes.Get(node, "items"); items != nil {
			return find(items, kind, name)
		}
	}
	return found, length
}

// ownFields follows a path in an object's own file. It matches list items by name, because patches move them. It also returns
// the line of the last step that exists, and whether that is the end of the path.
func ownFields(own, made *yaml.Node, path []any) (found *yaml.Node, line int, whole bool) {
	for i, step := range path {
		if own == nil {
			return nil, line, false
		}
		made = nodes.Follow(made, path[i:i+1])
		if key, ok := step.(string); ok {
			at := keyOf(own, key)
			if at == nil {
				return nil, line, false
			}
			line, own = at.Line, nodes.Get(own, key)
			continue
		}
		if own = sameItem(own, made); own == nil {
			return nil, line, false
		}
		line = own.Line
	}
	return own, line, own != nil
}

func sameItem(list, made *yaml.Node) *yaml.Node {
	name := nodes.Get(made, "name")
	if name == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range list.Content {
		if own := nodes.Get(item, "name"); own != nil && own.Value == name.Value {
			return item
		}
	}
	return nil
}

func keyOf(node *yaml.Node, key string) *yaml.Node {
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i]
		}
	}
	return nil
}
