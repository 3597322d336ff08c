package protocol

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder writes files below a new folder, and returns the path of the folder without links.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func TestBuildable(t *testing.T) {
	top := folder(t, map[string]string{
		"base/kustomization.yaml": "resources: [pod.yaml]\n",
		"prod/kustomization.yaml": "resources: [../base]\n",
		"web/Chart.yaml":          "name: web\n",
	})
	files := []string{filepath.Join(top, "web/Chart.yaml"), filepath.Join(top, "base/kustomization.yaml"), filepath.Join(top, "prod/kustomization.yaml")}
	c := start(t)
	for mode, expected := range map[string]string{
		"roots": `[{"kind":"kustomization","path":"/prod"},{"kind":"chart","path":"/web"}]`,
		"each":  `[{"kind":"kustomization","path":"/base"},{"kind":"kustomization","path":"/prod"},{"kind":"chart","path":"/web"}]`,
		"off":   `[{"kind":"chart","path":"/web"}]`,
	} {
		done := c.last(message{"type": "buildable"}, message{"kustomizations": mode, "files": files})
		data, _ := done["data"].(string)
		if found := strings.ReplaceAll(data, top, ""); found != expected {
			t.Errorf("%s: %s", mode, found)
		}
	}
}

func TestBuilds(t *testing.T) {
	top := folder(t, map[string]string{
		"base/kustomization.yaml":   "resources: [pod.yaml]\n",
		"base/pod.yaml":             "apiVersion: v1\n" + pod("a", ""),
		"prod/kustomization.yaml":   "resources: [../base]\nnamePrefix: prod-\nnamespace: prod\n",
		"web/Chart.yaml":            "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: db, version: 1.0.0}]\n",
		"web/templates/a.yaml":      "kind: Service\n---\nkind: [\n",
		"web/templates/b.yaml":      "---\n# A pod.\napiVersion: v1\n" + pod("{{ .Release.Name }}", "") + "---\napiVersion: v1\n" + pod("other", "critical"),
		"broken/kustomization.yaml": "resources: [nothing.yaml]\n",
	})
	c := start(t)
	c.setup(nil)
	build := func(kind, name string) (found []string, done message) {
		records := c.ask(message{"type": "build", "namespace": "critical"}, message{"kind": kind, "path": filepath.Join(top, name)})
		for _, record := range records[:len(records)-1] {
			text := fmt.Sprint(record["type"], " ", record["message"], record["source"], record["places"])
			if object, isObject := record["object"].(message); isObject {
				text = fmt.Sprint(text, " ", object["metadata"].(message)["name"])
			}
			found = append(found, strings.ReplaceAll(text, top, ""))
		}
		return found, records[len(records)-1]
	}
	// A finding that depends on a Namespace is deferred.
	found, done := build("kustomization", "prod")
	expect(t, found)
	files := strings.ReplaceAll(fmt.Sprint(done["files"]), top, "")
	if done["objects"] != 1.0 || files != "[/base/kustomization.yaml /base/pod.yaml /prod/kustomization.yaml]" {
		t.Error(done)
	}
	found, done = build("chart", "web")
	expect(t, found, "error not valid YAML: did not find expected node content/web/templates/a.yaml<nil>")
	if fmt.Sprint(done["omitted"]) != "[map[name:db why:the subchart is not in charts/: `helm dependency build` fetches it]]" || done["objects"] != 3.0 {
		t.Error(done)
	}
	_, done = build("kustomization", "broken")
	if text, _ := done["message"].(string); done["type"] != "failed" || !strings.HasPrefix(text, "accumulating resources from 'nothing.yaml'") {
		t.Error(done)
	}
	var kept []string
	for _, record := range c.ask(message{"type": "namespaces"}, message{"critical": message{"critical": "yes"}, "prod": message{"critical": "yes"}}) {
		if record["type"] == "finding" {
			text := fmt.Sprint(record["id"], " ", record["namespace"], " ", record["places"])
			kept = append(kept, strings.ReplaceAll(text, top, ""))
		}
	}
	expect(t, kept,
		"1 prod [[[] map[file:/base/pod.yaml line:1]] [[spec] map[file:/base/pod.yaml line:4 written:map[column:3 file:/base/pod.yaml line:5]]] [[spec containers] map[file:/base/pod.yaml line:5]]]",
		"2 critical [[[] map[file:/web/templates/b.yaml line:3]] [[spec] map[file:/web/templates/b.yaml line:6]] [[spec containers] map[file:/web/templates/b.yaml line:7]]]",
		"2 critical [[[] map[file:/web/templates/b.yaml line:9]] [[spec] map[file:/web/templates/b.yaml line:12]] [[spec containers] map[file:/web/templates/b.yaml line:13]]]",
	)
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

func TestTheTextOfABuild(t *testing.T) {
	top := folder(t, map[string]string{
		"base/kustomization.yaml": "resources: [pod.yaml]\n",
		"base/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
		"prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
	})
	c := start(t)
	done := c.last(message{"type": "build", "unit": "text"}, message{"kind": "kustomization", "path": filepath.Join(top, "prod")})
	if done["data"] != `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"prod-a"}}`+"\n" {
		t.Error(done)
	}
}

func TestBuildsOfOtherTexts(t *testing.T) {
	top := folder(t, map[string]string{
		"base/kustomization.yaml": "resources: [pod.yaml]\n",
		"base/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
		"web/Chart.yaml":          "apiVersion: v2\nname: web\nversion: 0.1.0\n",
		"web/values.yaml":         "name: a\n",
		"web/templates/a.yaml":    "name: {{ .Values.name }}-{{ .Values.other }}\n",
		"values.yaml":             "other: a\n",
	})
	c := start(t)
	made := func(asked message, texts ...string) (text any) {
		asked["path"] = filepath.Join(top, asked["path"].(string))
		other := message{}
		for _, name := range texts {
			other[filepath.Join(top, name)] = map[string]string{
				"base/pod.yaml":   "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n",
				"web/values.yaml": "name: b\n",
				"values.yaml":     "other: b\n",
			}[name]
		}
		asked["texts"] = other
		done := c.last(message{"type": "build", "unit": "text"}, asked)
		if done["type"] == "failed" {
			return done["message"]
		}
		return done["data"]
	}
	options := message{"values": []string{filepath.Join(top, "values.yaml")}}
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"}}` + "\n"
	for i, c := range []struct{ found, expected any }{
		{made(message{"kind": "kustomization", "path": "base"}), fmt.Sprintf(pod, "a")},
		{made(message{"kind": "kustomization", "path": "base"}, "base/pod.yaml"), fmt.Sprintf(pod, "b")},
		{made(message{"kind": "chart", "path": "web", "options": options}), "name: a-a\n"},
		{made(message{"kind": "chart", "path": "web", "options": options}, "web/values.yaml"), "name: b-a\n"},
		{made(message{"kind": "chart", "path": "web", "options": options}, "values.yaml"), "name: a-b\n"},
		{made(message{"kind": "kustomization", "path": "web"}), "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '" + top + "/web'"},
	} {
		if c.found != c.expected {
			t.Errorf("%d: %q", i, c.found)
		}
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

func TestInstallers(t *testing.T) {
	release := "apiVersion: a.io/v1\nkind: Release\nmetadata: {name: r}\nspec:\n  list: [{a: 1}]\n  values:\n    image: x\n"
	top := folder(t, map[string]string{
		"kustomization.yaml": "resources: [release.yaml]\n",
		"release.yaml":       "# A release.\n" + release + "---\n" + strings.ReplaceAll(release, "a.io", "b.io"),
	})
	c := start(t)
	data := message{"groups": []any{}, "installers": []string{"a.io/Release"}}
	c.ask(message{"type": "setup"}, data)
	records := c.ask(message{"type": "file", "name": "release.yaml"}, []byte(filepath.Join(top, "release.yaml")))
	records = append(records, c.ask(message{"type": "build"}, message{"kind": "kustomization", "path": top})...)
	var found []string
	for _, record := range records {
		if record["type"] == "installer" {
			text := fmt.Sprint(record["document"], record["item"], " ", record["object"].(message)["apiVersion"], record["lines"], record["places"])
			found = append(found, strings.ReplaceAll(text, top, ""))
		}
	}
	expect(t, found,
		"0 [] a.io/v1[2 2 3 4 4 5 6 6 6 7 8] <nil>",
		"0 [] a.io/v1<nil> [[[] map[file:/release.yaml line:2]] [[spec] map[file:/release.yaml line:5 written:map[column:3 file:/release.yaml line:6]]]"+
			" [[spec list] map[file:/release.yaml line:6]] [[spec values] map[file:/release.yaml line:7]]"+
			" [[spec values] map[file:/release.yaml line:7 written:map[column:5 file:/release.yaml line:8]]]"+
			" [[spec values image] map[file:/release.yaml line:8 written:map[column:12 file:/release.yaml line:8]]]"+
			" [[spec list 0] map[file:/release.yaml line:6]]]",
	)
	if err := c.end(); err != nil {
		t.Error(err)
	}
}
