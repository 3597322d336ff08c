package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test binary is its own worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "build" {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func start(t *testing.T, limits Limits) *Worker {
	command, err := Command()
	if err != nil {
		t.Fatal(err)
	}
	w := New(command, limits)
	t.Cleanup(w.Close)
	return w
}

// write writes files below a new folder.
func write(t *testing.T, files map[string]string) string {
	folder := t.TempDir()
	for name, text := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

const chartFile = "apiVersion: v2\nname: c\nversion: 0.1.0\n"

func chartOf(t *testing.T, template string) Build {
	return Build{Kind: Chart, Path: write(t, map[string]string{"Chart.yaml": chartFile, "templates/t.yaml": template})}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct{ template, says string }{
		"list":      {`{{ range until 2000000000 }}{{ end }}`, "memory"},
		"loop":      {`{{- range $i := until 60000 }}{{- range until 60000 }}{{- end }}{{- end }}`, "it takes longer than 2s"},
		"memory":    {`{{ repeat 2000000000 "x" | len }}`, "it takes more than 512 MB of memory"},
		"recursion": {`{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`, "nested reference name: a"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := Limits{Time: time.Minute, Memory: 512 << 20}
			if name == "loop" {
				limits.Time = 2 * time.Second
			}
			w := start(t, limits)
			if _, err := w.Make(chartOf(t, c.template)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			// The worker is still usable.
			made, err := w.Make(chartOf(t, "kind: A\n"))
			if err != nil || len(made.Texts) != 1 || made.Texts[0].Text != "kind: A\n" {
				t.Errorf("got %v %v", made, err)
			}
		})
	}
}

func TestNothingIsFetched(t *testing.T) {
	for _, reference := range []string{"https://example.com/a.yaml", "github.com/example/app//base?ref=1"} {
		says := "it needs " + reference + ", which is remote, and nothing is fetched"
		w := start(t, DefaultLimits)
		folder := write(t, map[string]string{"kustomization.yaml": "resources:\n- " + reference + "\n"})
		if _, err := w.Make(Build{Kind: Kustomization, Path: folder}); err == nil || err.Error() != says {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

func TestNoProgramIsRun(t *testing.T) {
	for name, c := range map[string]struct{ kustomization, says string }{
		"helm": {"helmCharts: [{name: c, repo: 'https://example.com'}]\n", "must specify --enable-helm"},
		"exec": {"generators: [g.yaml]\n", "external plugins disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, DefaultLimits)
			folder := write(t, map[string]string{
				"kustomization.yaml": c.kustomization,
				"g.yaml": "apiVersion: a/v1\nkind: G\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n" +
					"      exec:\n        path: ./run\n",
				"run": "#!/bin/sh\ntouch ran\n",
			})
			if err := os.Chmod(filepath.Join(folder, "run"), 0o755); err != nil {
				t.Fatal(err)
			}
			_, err := w.Make(Build{Kind: Kustomization, Path: folder})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(folder, "ran")); err == nil {
				t.Error("it was run")
			}
		})
	}
}
