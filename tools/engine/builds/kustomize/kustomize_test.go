package kustomize

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
)

const charts = "../../../../../shared/charts"

type row struct {
	Target, Kind, Namespace, Name, List string
	Index                               int
	Container, Image                    string
	Stated                              *string
	Origin                              string
}

func rows(t *testing.T, name string) map[string][]row {
	file, err := os.Open(filepath.Join(charts, name))
	if err != nil {
		t.Skip("the real kustomizations are not here: ", err)
	}
	defer file.Close()
	found := map[string][]row{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		found[r.Target] = append(found[r.Target], r)
	}
	return found
}

func TestRealKustomizations(t *testing.T) {
	expected := rows(t, "kustomize-expected.jsonl")
	var sources []struct{ Target, Build string }
	text, _ := os.ReadFile(filepath.Join(charts, "kustomize-sources.json"))
	if err := json.Unmarshal(text, &sources); err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		t.Run(source.Target, func(t *testing.T) {
			own, err := Open(filepath.Join(charts, "kustomize", source.Target, source.Build), nil)
			if err != nil {
				t.Fatal(err)
			}
			made := own.Made()
			if plain := withoutMarks(t, own); made.Texts[0].Text != plain {
				t.Errorf("marks change the output: %s, without: %s", made.Texts[0].Text, plain)
			}
			var got []row
			for _, document := range strings.Split(made.Texts[0].Text, "---\n") {
				got = append(got, containers(t, source.Target, document)...)
			}
			want := expected[source.Target]
			for i := range want {
				want[i].Origin = ""
			}
			if !sameRows(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}

// withoutMarks returns the output of a build without marks.
func withoutMarks(t *testing.T, own *Kustomization) string {
	plain := &Kustomization{folder: own.folder}
	objects, read, err := plain.run(nil)
	if err == nil {
		err = plain.write(objects.Resources(), read, func(text []byte) []byte { return text })
	}
	if err != nil {
		t.Fatal(err)
	}
	return plain.Made().Texts[0].Text
}

func sameRows(got, want []row) bool {
	count := map[string]int{}
	for _, r := range got {
		text, _ := json.Marshal(r)
		count[string(text)]++
	}
	for _, r := range want {
		text, _ := json.Marshal(r)
		count[string(text)]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return reflect.DeepEqual(len(got), len(want))
}

// containers returns the containers of built-in kinds: those in pod specs.
func containers(t *testing.T, target, document string) []row {
	var object map[string]any
	if err := json.Unmarshal([]byte(document), &object); err != nil {
		t.Fatal(err)
	}
	metadata, _ := object["metadata"].(map[string]any)
	kind, _ := object["kind"].(string)
	spec := object
	switch kind {
	case "Pod":
	case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job":
		spec = dig(object, "spec", "template")
	case "CronJob":
		spec = dig(object, "spec", "jobTemplate", "spec", "template")
	default:
		return nil
	}
	var found []row
	for _, list := range []string{"containers", "initContainers"} {
		items, _ := dig(spec, "spec")[list].([]any)
		for i, item := range items {
			fields := item.(map[string]any)
			r := row{Target: target, Kind: kind, List: list, Index: i}
			r.Namespace, _ = metadata["namespace"].(string)
			r.Name, _ = metadata["name"].(string)
			r.Container, _ = fields["name"].(string)
			r.Image, _ = fields["image"].(string)
			if stated, ok := fields["imagePullPolicy"].(string); ok {
				r.Stated = &stated
			}
			found = append(found, r)
		}
	}
	return found
}

func dig(value map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		value, _ = value[key].(map[string]any)
	}
	return value
}

// For each real container whose policy or tag a mark can show, the line has that value.
func TestPlacesOfRealKustomizations(t *testing.T) {
	rows(t, "kustomize-expected.jsonl")
	var sources []struct{ Target, Build string }
	text, _ := os.ReadFile(filepath.Join(charts, "kustomize-sources.json"))
	if err := json.Unmarshal(text, &sources); err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		t.Run(source.Target, func(t *testing.T) {
			folder := filepath.Join(charts, "kustomize", source.Target, source.Build)
			own, err := Open(folder, nil)
			if err != nil {
				t.Fatal(err)
			}
			made := own.Made()
			var questions []builds.Question
			var asked []row
			for i, document := range strings.Split(made.Texts[0].Text, "---\n") {
				for _, r := range containers(t, source.Target, document) {
					path := []any{"spec", "template", "spec", r.List, r.Index}
					if r.Kind == "CronJob" {
						path = append([]any{"spec", "jobTemplate"}, path...)
					}
					questions = append(questions, builds.Question{Line: 1 + i*linesOfObject, Path: path})
					asked = append(asked, r)
				}
			}
			answers, err := own.Places(questions)
			if err != nil {
				t.Fatal(err)
			}
			for i, answer := range answers {
				r := asked[i]
				image, policy := answer.Fields["image"], answer.Fields["imagePullPolicy"]
				if r.Image == "" {
					continue
				}
				if line := lineAt(t, image.Place); !strings.Contains(line, marks.Tag(r.Image)) {
					t.Errorf("%s %s: image %s at %v: %s", r.Name, r.Container, r.Image, image, line)
				}
				if r.Stated != nil {
					if line := lineAt(t, policy.Place); !strings.Contains(line, *r.Stated) {
						t.Errorf("%s %s: policy %s at %v: %s", r.Name, r.Container, *r.Stated, policy, line)
					}
				}
			}
		})
	}
}

func lineAt(t *testing.T, place builds.Place) string {
	text, err := os.ReadFile(place.File)
	if err != nil {
		t.Error(err)
	}
	lines := strings.Split(string(text), "\n")
	if place.Line < 1 || place.Line > len(lines) {
		t.Errorf("%v is not a line", place)
		return ""
	}
	return lines[place.Line-1]
}
