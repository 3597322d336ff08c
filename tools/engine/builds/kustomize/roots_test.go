package kustomize

import (
	"fmt"
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
		{"prod/Kustomization", "bases:\n- ../base/\ncomponents: [../component]\npatches:\n- path: p.yaml\n"},
		{"broken/kustomization.yaml", "resources: {\n"},
		{"alone/kustomization.yaml", "namePrefix: base\nresources: [d.yaml]\n"},
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
		using     []string
		want      []string
	}{
		{true, nil, []string{"dev", "prod", "broken", "alone"}},
		{false, nil, []string{"base", "dev", "prod", "broken", "alone"}},
		{true, []string{"base/d.yaml"}, []string{"dev", "prod"}},
		{true, []string{"component/kustomization.yml"}, []string{"prod"}},
		{true, []string{"prod/p.yaml"}, []string{"prod"}},
		{true, []string{"prod/p.yaml", "alone/d.yaml"}, []string{"prod", "alone"}},
		{false, []string{"base/d.yaml"}, []string{"base", "dev", "prod"}},
		{true, []string{"else.yaml"}, nil},
	} {
		for i, name := range c.using {
			c.using[i] = filepath.Join(top, name)
		}
		var got []string
		for _, folder := range Folders(names, c.rootsOnly, c.using) {
			got = append(got, filepath.Base(folder))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("roots only %t, using %v: got %v, want %v", c.rootsOnly, c.using, got, c.want)
		}
	}
}

func TestFoldersOfALongChainAndACircle(t *testing.T) {
	top := t.TempDir()
	const length = 1000
	folder := func(i int) string { return filepath.Join(top, fmt.Sprint(i)) }
	var names []string
	for i := range length {
		if err := os.Mkdir(folder(i), 0o755); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder(i), "kustomization.yaml")
		if err := os.WriteFile(name, fmt.Appendf(nil, "resources: [../%d, own.yaml]\n", (i+1)%length), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	using := []string{filepath.Join(folder(300), "own.yaml")}
	if got := Folders(names, false, using); len(got) != length {
		t.Errorf("of a circle, got %d, want all", len(got))
	}
	if err := os.WriteFile(names[length-1], []byte("resources: [own.yaml]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Folders(names, false, using); len(got) != 301 {
		t.Errorf("of a chain, got %d, want those above", len(got))
	}
	if got := Folders(names, true, using); !slices.Equal(got, []string{folder(0)}) {
		t.Errorf("of a chain, got the roots %v, want the first", got)
	}
}
