package helm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"pullguard.invalid/tools/engine/builds"
)

const charts = "../../../../../shared/charts"

type row struct {
	Target, Kind, Namespace, Name, List string
	Index                               int
	Container, Image                    string
	Stated                              *string
	Source                              string
	Hook                                *string
}

func realRows(t *testing.T) map[string][]row {
	file, err := os.Open(filepath.Join(charts, "helm-expected.jsonl"))
	if err != nil {
		t.Skip("the real charts are not here: ", err)
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

// A container is a rendered container with its location.
type container struct {
	row
	text, line int
	path       []any
}

func TestRealCharts(t *testing.T) {
	for target, want := range realRows(t) {
		t.Run(target, func(t *testing.T) {
			c, err := Open(filepath.Join(charts, "helm", target), Options{ReleaseName: "rel", Namespace: "kube-system"})
			if err != nil {
				t.Fatal(err)
			}
			var got []row
			for _, found := range containers(t, target, c) {
				got = append(got, found.row)
			}
			for i := range want {
				if name, random := strings.CutSuffix(want[i].Name, "*"); random {
					at := slices.IndexFunc(got, func(r row) bool { return strings.HasPrefix(r.Name, name) })
					if at >= 0 {
						want[i].Name = got[at].Name
					}
				}
			}
			if !slices.Equal(sorted(got), sorted(want)) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(sorted(got), "\n"), strings.Join(sorted(want), "\n"))
			}
		})
	}
}

func sorted(rows []row) []string {
	var texts []string
	for _, r := range rows {
		text, _ := json.Marshal(r)
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

// containers returns the containers of built-in kinds: those in pod specs.
func containers(t *testing.T, target string, c *Chart) []container {
	var found []container
	for i, name := range c.order {
		decoder := yaml.NewDecoder(strings.NewReader(c.texts[name]))
		for {
			var node yaml.Node
			if err := decoder.Decode(&node); err != nil {
				break
			}
			var object struct {
				Kind     string
				Metadata struct {
					Name, Namespace string
					Annotations     map[string]string
				}
			}
			var value map[string]any
			node.Decode(&object)
			node.Decode(&value)
			path := map[string][]any{
				"Pod": {"spec"}, "Deployment": {"spec", "template", "spec"}, "DaemonSet": {"spec", "template", "spec"},
				"StatefulSet": {"spec", "template", "spec"}, "Job": {"spec", "template", "spec"},
				"CronJob": {"spec", "jobTemplate", "spec", "template", "spec"},
			}[object.Kind]
			if path == nil {
				continue
			}
			for _, key := range path {
				value, _ = value[key.(string)].(map[string]any)
			}
			for _, list := range []string{"containers", "initContainers"} {
				items, _ := value[list].([]any)
				for index, item := range items {
					fields := item.(map[string]any)
					r := container{text: i, line: node.Content[0].Line, path: append(slices.Clone(path), list, index)}
					r.row = row{Target: target, Kind: object.Kind, List: list, Index: index, Source: name}
					r.Name, r.Namespace = object.Metadata.Name, object.Metadata.Namespace
					r.Container, _ = fields["name"].(string)
					r.Image, _ = fields["image"].(string)
					if stated, ok := fields["imagePullPolicy"].(string); ok {
						r.Stated = &stated
					}
					if hook, ok := object.Metadata.Annotations["helm.sh/hook"]; ok {
						r.Hook = &hook
					}
					found = append(found, r)
				}
			}
		}
	}
	return found
}

type expectedKeys struct {
	Kind, Name, List string
	Index            int
	PolicyKeys       []expectedKey
	ImageKeys        []expectedKey
	EndAlways        []string `json:"keysThatEndAlways"`
	HardCoded        bool
}

type expectedKey struct {
	Key  string
	File *string
	Line int
}

// The value keys that decide each container's policy and image, with their lines.
func TestKeysOfRealCharts(t *testing.T) {
	realRows(t)
	text, err := os.ReadFile(filepath.Join(charts, "helm-values-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]expectedKeys
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	for target, want := range expected {
		t.Run(target, func(t *testing.T) {
			folder := filepath.Join(charts, "helm", target)
			c, err := Open(folder, Options{ReleaseName: "rel", Namespace: "kube-system"})
			if err != nil {
				t.Fatal(err)
			}
			all := containers(t, target, c)
			var questions []builds.Question
			for _, own := range all {
				questions = append(questions, builds.Question{Text: own.text, Line: own.line, Path: own.path})
			}
			answers, err := c.Places(questions)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				at := slices.IndexFunc(all, func(own container) bool {
					return own.Kind == w.Kind && own.List == w.List && own.Index == w.Index &&
						(own.Name == w.Name || strings.HasSuffix(w.Name, "*") && strings.HasPrefix(own.Name, strings.TrimSuffix(w.Name, "*")))
				})
				if at < 0 {
					t.Fatalf("no %s %s", w.Kind, w.Name)
				}
				answer := answers[at]
				if strings.HasSuffix(w.Name, "*") && answer.Name != w.Name {
					t.Errorf("%s is called %s", w.Name, answer.Name)
				}
				for _, c := range []struct {
					field string
					want  []expectedKey
				}{{"imagePullPolicy", w.PolicyKeys}, {"image", w.ImageKeys}} {
					if got, want := shown(folder, answer.Fields[c.field].Keys), wanted(c.want); !slices.Equal(got, want) {
						t.Errorf("%s %s %s[%d].%s: got %v, want %v", w.Kind, w.Name, w.List, w.Index, c.field, got, want)
					}
					// If no value decides it, the template itself states it.
					if decision, rendered := answer.Fields[c.field]; rendered && len(decision.Keys) == 0 {
						text, _ := os.ReadFile(decision.File)
						lines := strings.Split(string(text), "\n")
						if decision.Line < 1 || !strings.Contains(lines[decision.Line-1], c.field+":") {
							t.Errorf("%s %s %s[%d].%s: %v", w.Kind, w.Name, w.List, w.Index, c.field, decision.Place)
						}
					}
				}
			}
		})
	}
}

func shown(folder string, keys []builds.Key) []string {
	folder, _ = filepath.Abs(folder)
	var out []string
	for _, key := range keys {
		place := ""
		if key.Place != nil {
			name, _ := filepath.Rel(folder, key.Place.File)
			place = fmt.Sprintf(" %s:%d", name, key.Place.Line)
		}
		out = append(out, key.Key+place)
	}
	slices.Sort(out)
	return out
}

func wanted(keys []expectedKey) []string {
	var out []string
	for _, key := range keys {
		place := ""
		if key.File != nil {
			place = fmt.Sprintf(" %s:%d", *key.File, key.Line)
		}
		out = append(out, key.Key+place)
	}
	slices.Sort(out)
	return out
}
