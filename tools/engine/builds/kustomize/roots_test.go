package kustomize

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFolders(t *testing.T) {
	top := t.TempDir()
	var names []string
	for _, file := range []struct{ name, text string }{
		{"base/kustomization.yaml", "resources: [d.yaml]\n"},
		{"component/kustomization.yml", "kind: Component\n"},
		{"dev/kustomization.yaml", "resources: [../base]\n"},
		{"prod/Kustomization", "bases:\n- ../base/\ncomponents: [../component]\n"},
		{"broken/kustomization.yaml", "resources: {\n"},
		{"alone/kustomization.yaml", "resources: [d.yaml]\n"},
	} {
		name := filepath.Join(top, file.name)
		if err := os.Mkdir(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(file.text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, c := range []struct {
		rootsOnly bool
		want      []string
	}{
		{true, []string{"dev", "prod", "broken", "alone"}},
		{false, []string{"base", "dev", "prod", "broken", "alone"}},
	} {
		var got []string
		for _, folder := range Folders(names, c.rootsOnly) {
			got = append(got, filepath.Base(folder))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("roots only %t: got %v, want %v", c.rootsOnly, got, c.want)
		}
	}
}
