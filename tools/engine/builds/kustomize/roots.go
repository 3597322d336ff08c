package kustomize

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"pullguard.invalid/tools/engine/builds/nodes"
)

// A kustomization is the part of a kustomization file that tells what it uses.
type kustomization struct {
	kind  string
	uses  map[string]bool // files and folders
	named map[string]bool // and every text that is a path: patches, and files for generators
}

// The fields that list other kustomizations.
var usingFields = []string{"resources", "bases", "components", "generators", "transformers", "validators"}

// IsFile tells whether a file name is that of a kustomization file.
func IsFile(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(name))
}

// Folders returns the folders of kustomization files that can be built on their own, which excludes components.
//
// With rootsOnly, it leaves out kustomizations that another one uses. If using is not nil, it returns only kustomizations that
// use one of these files (absolute paths), or whose folder contains one.
func Folders(names []string, rootsOnly bool, using []string) []string {
	all := map[string]kustomization{}
	var folders []string
	used := map[string]bool{}
	for _, name := range names {
		own := outline(name)
		all[filepath.Dir(name)] = own
		maps.Copy(used, own.uses)
		if own.kind != types.ComponentKind {
			folders = append(folders, filepath.Dir(name))
		}
	}
	isUser := users(all, using)
	return slices.DeleteFunc(folders, func(folder string) bool {
		return rootsOnly && used[folder] || using != nil && !isUser[folder]
	})
}

// users returns the folders of kustomizations that use one of some files, directly or through others.
func users(all map[string]kustomization, files []string) map[string]bool {
	usedBy, namedBy := map[string][]string{}, map[string][]string{}
	for folder, own := range all {
		for path := range own.uses {
			usedBy[path] = append(usedBy[path], folder)
		}
		for path := range own.named {
			namedBy[path] = append(namedBy[path], folder)
		}
	}
	var waiting []string
	for _, file := range files {
		waiting = append(waiting, namedBy[file]...)
		if IsFile(file) {
			waiting = append(waiting, filepath.Dir(file))
		}
	}
	found := map[string]bool{}
	for len(waiting) > 0 {
		folder := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if _, isThere := all[folder]; isThere && !found[folder] {
			found[folder] = true
			waiting = append(waiting, usedBy[folder]...)
		}
	}
	return found
}

func outline(name string) kustomization {
	own := kustomization{uses: map[string]bool{}, named: map[string]bool{}}
	text, err := os.ReadFile(name)
	var document yaml.Node
	if err != nil || yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 {
		return own // building it reports the error
	}
	if kind := nodes.Get(document.Content[0], "kind"); kind != nil {
		own.kind = kind.Value
	}
	for _, field := range usingFields {
		listed := nodes.Get(document.Content[0], field)
		for i := 0; nodes.Item(listed, i) != nil; i++ {
			own.uses[filepath.Join(filepath.Dir(name), nodes.Item(listed, i).Value)] = true
		}
	}
	var visit func(node *yaml.Node)
	visit = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && !strings.ContainsAny(node.Value, "\n\x00") {
			// Generators also accept KEY=FILE.
			_, file, found := strings.Cut(node.Value, "=")
			if !found {
				file = node.Value
			}
			own.named[filepath.Join(filepath.Dir(name), file)] = true
		}
		for _, child := range node.Content {
			visit(child)
		}
	}
	visit(&document)
	return own
}
