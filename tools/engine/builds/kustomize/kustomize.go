// Package kustomize builds kustomizations with kustomize's own library, as `kustomize build` does without options: without
// plugins, Helm and functions in containers.
//
// It must not be used by several goroutines, because kustomize keeps its schemas in package variables.
package kustomize

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"pullguard.invalid/tools/engine/builds"
)

// Each object is one line of JSON, followed by a separator line.
const linesOfObject = 2

// A Kustomization is one that was built.
//
// It is built with marks in the place of all pull policies and tags: a mark in the output tells where its value comes from. If
// marks may change anything else, or the build fails with them, it is built without them as well.
type Kustomization struct {
	folder string
	texts  map[string]string
	made   *builds.Made
	kinds  []string // of the output, in order

	marker *marker // without places if the build fails with marks
	marked []*resource.Resource
	read   *files
}

// Open builds the kustomization in a folder, with other texts instead of those of some files, by path.
func Open(folder string, texts map[string]string) (*Kustomization, error) {
	k := &Kustomization{folder: folder, texts: texts}
	m := newMarker()
	objects, read, err := k.run(m.change)
	if err == nil {
		k.marker, k.marked, k.read = m, objects.Resources(), read
		if m.isHarmless(k.marked) {
			return k, k.write(k.marked, read, m.unmarked)
		}
	}
	if objects, read, err = k.run(nil); err != nil {
		return nil, err
	}
	if k.marker == nil {
		k.marker, k.marked, k.read = newMarker(), objects.Resources(), read
	}
	return k, k.write(objects.Resources(), read, func(text []byte) []byte { return text })
}

// Made returns the output.
func (k *Kustomization) Made() *builds.Made { return k.made }

func (k *Kustomization) write(objects []*resource.Resource, read *files, change func([]byte) []byte) error {
	var text []byte
	for i, object := range objects {
		if i > 0 {
			text = append(text, "---\n"...)
		}
		var err error
		if text, err = appendJSON(text, object.YNode()); err != nil {
			return err
		}
		text = append(text, '\n')
		k.kinds = append(k.kinds, object.GetKind())
	}
	k.made = &builds.Made{
		Texts: []builds.Text{{Source: fileIn(k.folder), Text: string(change(text))}}, Files: read.names(),
	}
	return nil
}

// text returns the text of a file that it is built from.
func (k *Kustomization) text(path string, own []byte) []byte {
	if other, ok := k.texts[path]; ok {
		return []byte(other)
	}
	return own
}

// run builds it. change can replace the text of each file that is read.
func (k *Kustomization) run(change func(path string, text []byte) []byte) (resmap.ResMap, *files, error) {
	return run(k.folder, func(path string, text []byte) []byte {
		text = k.text(path, text)
		if change == nil {
			return text
		}
		return change(path, text)
	})
}

// run builds a kustomization. change can replace the text of each file that it reads.
func run(folder string, change func(path string, text []byte) []byte) (resmap.ResMap, *files, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, nil, err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return nil, nil, err
	}
	read := newFiles(root(real))
	read.change = change
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(read, real)
	if schema := openapi.GetSchemaVersion(); schema != usualSchema {
		openapi.ResetOpenAPI() // a kustomization's schema must not apply to the next one
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s", reason(err))
	}
	return objects, read, nil
}

var usualSchema = openapi.GetSchemaVersion()

// kustomize's error about a resource. Each kustomization on the way to the resource adds one.
var fromResource = regexp.MustCompile(`accumulating resources from '((?:[^']|'[^:])*)'`)

// reason returns why a build fails: kustomize's error about the resource that fails.
func reason(err error) string {
	text := strings.TrimSpace(err.Error())
	if strings.Contains(text, "recursed accumulation of path") {
		text = text[strings.LastIndex(text, "recursed accumulation of path"):]
	}
	all := fromResource.FindAllStringSubmatchIndex(text, -1)
	if len(all) == 0 {
		return strings.TrimRight(text, "\"")
	}
	last := all[len(all)-1]
	if strings.Contains(text, NoNetwork) || strings.Contains(text, "no 'git' program on path") {
		return "it needs " + text[last[2]:last[3]] + ", which is remote, and nothing is fetched"
	}
	text, _, _ = strings.Cut(text[last[0]:], "': must build at directory")
	return text
}

// NoNetwork is the error of every request to a network.
const NoNetwork = "there is no network"

// fileIn returns the kustomization file of a folder as kustomize names it: its absolute path without links.
func fileIn(folder string) string {
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if path := filepath.Join(folder, name); isFile(path) {
			return path
		}
	}
	return folder
}
