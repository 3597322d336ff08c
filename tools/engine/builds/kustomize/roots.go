package kustomize

import (
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
)

// A kustomization file, as far as it says what it uses.
type outline struct {
	Kind       string   `yaml:"kind"`
	Resources  []string `yaml:"resources"`
	Bases      []string `yaml:"bases"`
	Components []string `yaml:"components"`
	Others     []string `yaml:"generators"`
	Changes    []string `yaml:"transformers"`
}

// IsFile tells whether a file is a kustomization by its name.
func IsFile(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(name))
}

// Folders returns the folders of kustomization files that can be built by themselves: all but components. Roots only: without
// those that another one uses.
func Folders(names []string, rootsOnly bool) []string {
	var folders []string
	used := map[string]bool{}
	for _, name := range names {
		folder := filepath.Dir(name)
		var own outline
		if text, err := os.ReadFile(name); err == nil {
			_ = yaml.Unmarshal(text, &own) // building it says what is wrong
		}
		for _, list := range [][]string{own.Resources, own.Bases, own.Components, own.Others, own.Changes} {
			for _, entry := range list {
				used[filepath.Join(folder, entry)] = true
			}
		}
		if own.Kind != types.ComponentKind && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	if !rootsOnly {
		return folders
	}
	return slices.DeleteFunc(folders, func(folder string) bool { return used[folder] })
}
