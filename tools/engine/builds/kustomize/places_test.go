package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pullguard.invalid/tools/engine/builds"
)

// write writes files below a new folder, and returns the path of the folder without links.
func write(t *testing.T, files map[string]string) string {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
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

const deployment = `# A comment.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: example.com/web:v1 # a tag
        imagePullPolicy: IfNotPresent
`

var container = []any{"spec", "template", "spec", "containers", 0}

func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		files         map[string]string
		folder        string
		path          []any
		image, policy string // places: a file and a line
		object        string
	}{
		"resource": {
			files: map[string]string{"kustomization.yaml": "namePrefix: a-\nresources: [d.yaml]\n"},
			image: "d.yaml:11", policy: "d.yaml:12", object: "d.yaml:2",
		},
		"images": {
			files: map[string]string{
				"kustomization.yaml": "resources:\n- d.yaml\nimages:\n- name: example.com/web\n  newName: example.org/w\n  newTag: \"latest\"\n",
			},
			image: "kustomization.yaml:6", policy: "d.yaml:12", object: "d.yaml:2",
		},
		"another name is not another tag": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\nimages:\n- name: example.com/web\n  newName: example.org/w\n",
			},
			image: "d.yaml:11", policy: "d.yaml:12", object: "d.yaml:2",
		},
		"patch in a file": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\npatches:\n- path: p.yaml\n",
				"p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n" +
					"spec: {template: {spec: {containers: [{name: web, imagePullPolicy: Always}]}}}\n",
			},
			image: "d.yaml:11", policy: "p.yaml:4", object: "d.yaml:2",
		},
		"patch in the kustomization": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n\n" +
					"    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: any\n    spec:\n      template:\n        spec:\n" +
					"          containers:\n          - name: web\n            image: 'example.com/web:v2'\n            imagePullPolicy: \"Always\"\n",
			},
			image: "kustomization.yaml:15", policy: "kustomization.yaml:16", object: "d.yaml:2",
		},
		"JSON patch": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - op: replace\n" +
					"      path: /spec/template/spec/containers/0/imagePullPolicy\n      value: Always\n",
			},
			image: "d.yaml:11", policy: "kustomization.yaml:7", object: "d.yaml:2",
		},
		"JSON patch in one line": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\npatches:\n- target: {kind: Deployment}\n" +
					"  patch: '[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"example.com/x\"}]'\n",
			},
			image: "kustomization.yaml:4", policy: "d.yaml:12", object: "d.yaml:2",
		},
		"container of a patch": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml]\npatches:\n- path: p.yaml\n",
				"p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n" +
					"      - name: side\n        image: example.com/side\n",
			},
			path:  []any{"spec", "template", "spec", "containers", 0.0},
			image: "p.yaml:10", object: "d.yaml:2",
		},
		"component over a base": {
			folder: "prod",
			files: map[string]string{
				"prod/kustomization.yaml": "resources: [../base]\ncomponents: [../debug]\nnamespace: kube-system\n",
				"base/kustomization.yaml": "resources: [../d.yaml/../base/list.yaml]\n",
				"base/list.yaml":          "kind: List\napiVersion: v1\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(deployment, "# A comment.\n")), "\n", "\n  ") + "\n",
				"debug/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches:\n- patch: |\n" +
					"    {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"web\"},\n" +
					"     \"spec\": {\"template\": {\"spec\": {\"containers\": [\n       {\"name\": \"web\", \"imagePullPolicy\": \"Always\"}]}}}}\n",
			},
			image: "base/list.yaml:13", policy: "debug/kustomization.yaml:7", object: "base/list.yaml:4",
		},
		"two of a name": {
			folder: "all",
			files: map[string]string{
				"all/kustomization.yaml": "resources: [../a, ../b]\n",
				"a/kustomization.yaml":   "namePrefix: a-\nresources: [d.yaml]\n",
				"b/kustomization.yaml":   "namePrefix: b-\nresources: [d.yaml]\n",
				"a/d.yaml":               deployment,
				"b/d.yaml":               "\n" + deployment,
			},
			image: "a/d.yaml:11", policy: "a/d.yaml:12", object: "a/d.yaml:2",
		},
		"replacement": {
			files: map[string]string{
				"kustomization.yaml": "resources: [d.yaml, c.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.image}\n" +
					"  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ['spec.template.spec.containers.[name=web].image']\n",
				"c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  image: example.com/other:latest\n",
			},
			image: "c.yaml:5", policy: "d.yaml:12", object: "d.yaml:2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.folder == "" {
				c.files["d.yaml"] = deployment
			}
			if c.path == nil {
				c.path = container
			}
			folder := write(t, c.files)
			own, err := Open(filepath.Join(folder, c.folder), nil)
			if err != nil {
				t.Fatal(err)
			}
			line := 0
			for i, text := range strings.Split(own.Made().Texts[0].Text, "\n") {
				if line == 0 && strings.Contains(text, `"kind":"Deployment"`) {
					line = i + 1
				}
			}
			answers, err := own.Places([]builds.Question{{Line: line, Path: c.path}})
			if err != nil {
				t.Fatal(err)
			}
			shown := func(place builds.Place) string {
				if place.Line == 0 {
					return ""
				}
				name, _ := filepath.Rel(folder, place.File)
				return fmt.Sprintf("%s:%d", name, place.Line)
			}
			fields := answers[0].Fields
			for what, pair := range map[string][2]string{
				"image":  {shown(fields["image"].Place), c.image},
				"policy": {shown(fields["imagePullPolicy"].Place), c.policy},
				"object": {shown(answers[0].Object), c.object},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestNothingOutsideOfTheRepositoryIsRead(t *testing.T) {
	folder := write(t, map[string]string{
		"d.yaml":                       deployment,
		"repo/.git/HEAD":               "",
		"repo/app/kustomization.yaml":  "resources: [../../base]\n",
		"base/kustomization.yaml":      "resources: [../d.yaml]\n",
		"repo/link/kustomization.yaml": "resources: [d.yaml]\n",
	})
	if err := os.Symlink(filepath.Join(folder, "d.yaml"), filepath.Join(folder, "repo/link/d.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"repo/app", "repo/link"} {
		_, err := Open(filepath.Join(folder, name), nil)
		if err == nil || !strings.Contains(err.Error(), "is outside of") && !strings.Contains(err.Error(), "security; file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A kustomization's schemas do not apply to the next one.
func TestSchemasOfOneKustomization(t *testing.T) {
	folder := write(t, map[string]string{
		"own/kustomization.yaml": "openapi: {path: s.json}\nresources: [d.yaml]\npatches: [{path: p.yaml}]\n",
		"own/s.json":             `{"definitions": {}}`,
		"own/d.yaml":             deployment,
		"own/p.yaml":             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: x}]}}}\n",
	})
	usual := map[string]string{}
	for name, text := range map[string]string{"d.yaml": deployment, "p.yaml": "", "kustomization.yaml": ""} {
		usual[name] = text
	}
	usual["p.yaml"] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: x, image: y}]}}}\n"
	usual["kustomization.yaml"] = "resources: [d.yaml]\npatches: [{path: p.yaml}]\n"
	other := write(t, usual)
	if _, err := Open(filepath.Join(folder, "own"), nil); err != nil {
		t.Fatal(err)
	}
	own, err := Open(other, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := own.Made().Texts[0].Text; strings.Count(text, `"image"`) != 2 {
		t.Errorf("lists of containers are not merged: %s", text)
	}
}

// Definitions are large, so places in other objects are found without them.
func TestPlacesBesideDefinitions(t *testing.T) {
	crd := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s.example.com}\nspec:\n  text: |\n" +
		strings.Repeat("    image: x:1\n", 500)
	all := fmt.Sprintf(crd, "a") + "---\n" + deployment + "--- # b\n" + fmt.Sprintf(crd, "b")
	first := 1 + strings.Count(fmt.Sprintf(crd, "a"), "\n")
	for name, c := range map[string]struct{ kustomization, place string }{
		"plain":     {"resources: [all.yaml]\n", fmt.Sprintf("all.yaml:%d", first+11)},
		"patched":   {"resources: [all.yaml]\nimages: [{name: example.com/web, newTag: v2}]\n", "kustomization.yaml:2"},
		"by itself": {"resources: [all.yaml, crd.yaml]\n", fmt.Sprintf("all.yaml:%d", first+11)},
		"needed": {
			"resources: [all.yaml]\npatches: [{path: p.yaml}]\nimages: [{name: example.com/web, newTag: v2}]\n", "kustomization.yaml:3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := write(t, map[string]string{
				"kustomization.yaml": c.kustomization, "all.yaml": all, "crd.yaml": fmt.Sprintf(crd, "c"),
				"p.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: b.example.com, labels: {a: b}}\n",
			})
			own, err := Open(folder, nil)
			if err != nil {
				t.Fatal(err)
			}
			question := builds.Question{Line: 1 + linesOfObject*slices.Index(own.kinds, "Deployment"), Path: container}
			answers, err := own.Places([]builds.Question{question})
			if err != nil {
				t.Fatal(err)
			}
			place := answers[0].Fields["image"].Place
			if got := fmt.Sprintf("%s:%d", filepath.Base(place.File), place.Line); got != c.place || answers[0].Object.Line != first+2 {
				t.Errorf("got %s, %d", got, answers[0].Object.Line)
			}
			question.Line = 1 + linesOfObject*slices.Index(own.kinds, definition)
			question.Path = nil
			if answers, err = own.Places([]builds.Question{question}); err != nil || answers[0].Object.Line != 1 {
				t.Errorf("got %v, %v", answers, err)
			}
		})
	}
	if got, want := string(blankDefinitions([]byte(all))), strings.Repeat("\n", first-1)+"---\n"+deployment+"--- # b\n"+strings.Repeat("\n", first-1); got != want {
		t.Errorf("got %q", got)
	}
}

// The output is that of a build without marks, whatever reads the values that they stand for.
func TestMarksAreNotInTheOutput(t *testing.T) {
	const patches = "patches: [{path: p.yaml}]\n"
	for name, c := range map[string]struct {
		files  map[string]string
		marked bool // whether it is built only once
	}{
		"images":                {map[string]string{"kustomization.yaml": "images: [{name: example.com/web, newTag: v2}]\n"}, true},
		"a new name":            {map[string]string{"kustomization.yaml": "images: [{name: example.com/web, newName: other/web}]\n"}, true},
		"a digest":              {map[string]string{"kustomization.yaml": "images: [{name: example.com/web, digest: \"sha256:0123\"}]\n"}, true},
		"a suffix":              {map[string]string{"kustomization.yaml": "images: [{name: example.com/web, tagSuffix: -a}]\n"}, false},
		"a tag that is no text": {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("a", "image: a, tag: 1.50")}, false},
		"no tag":                {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("web", "image: web")}, true},
		"no tag and a new name": {
			map[string]string{"kustomization.yaml": patches + "images: [{name: web, newName: w}]\n", "p.yaml": merge("web", "image: web")}, true,
		},
		"other letters":     {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("web", `image: "web:${TAG:-v1}"`)}, false},
		"a mark of its own": {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("web", "image: web:pgmark0z")}, false},
		"a replacement": {
			map[string]string{"kustomization.yaml": "replacements: [{source: {kind: Deployment, fieldPath: 'spec.template.spec.containers.0.image', " +
				"options: {delimiter: ':', index: 1}}, targets: [{select: {kind: Deployment}, fieldPaths: ['metadata.labels.tag'], options: {create: true}}]}]\n"}, false,
		},
		"a replacement of something else": {
			map[string]string{"kustomization.yaml": "replacements: [{source: {kind: Deployment}, " +
				"targets: [{select: {kind: Deployment}, fieldPaths: ['metadata.labels.a'], options: {create: true}}]}]\n"}, true,
		},
		"another label that selects": {
			map[string]string{"kustomization.yaml": "patches: [{path: p.yaml, target: {labelSelector: a=b}}]\nresources: [l.yaml]\n",
				"l.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: l, labels: {a: b}}\n", "p.yaml": "- {op: add, path: /metadata/labels/b, value: c}\n"}, true,
		},
		"a policy for Helm":          {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("web", `imagePullPolicy: "{{ .Values.pullPolicy }}"`)}, true},
		"a policy that JSON escapes": {map[string]string{"kustomization.yaml": patches, "p.yaml": merge("web", `imagePullPolicy: "<a>"`)}, false},
		"a Secret of literals":       {map[string]string{"kustomization.yaml": "secretGenerator: [{name: c, literals: [a=b]}]\n"}, true},
		"a label that selects": {
			map[string]string{"kustomization.yaml": "patches: [{path: p.yaml, target: {labelSelector: tag=a}}]\nresources: [l.yaml]\n",
				"l.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: l, labels: {tag: a}}\n", "p.yaml": "- {op: add, path: /metadata/labels/b, value: c}\n"}, false,
		},
		"a ConfigMap": {
			map[string]string{"kustomization.yaml": "configMapGenerator: [{name: c, files: [f.yaml]}]\n", "f.yaml": "image: a:1\n"}, false,
		},
		"a ConfigMap without images": {
			map[string]string{"kustomization.yaml": "configMapGenerator: [{name: c, literals: [a=b]}]\n"}, true,
		},
		"a binary ConfigMap": {
			map[string]string{"kustomization.yaml": "configMapGenerator: [{name: c, files: [f.yaml]}]\n", "f.yaml": "image: a:1\n\xff\n"}, false,
		},
		"a Secret": {
			map[string]string{"kustomization.yaml": "secretGenerator: [{name: c, files: [f.yaml]}]\n", "f.yaml": "image: a:1\n"}, false,
		},
		"a test in a patch": {
			map[string]string{"kustomization.yaml": "patches: [{path: p.yaml, target: {kind: Deployment}}]\n", "p.yaml": `[{"op": "test", "path": "` +
				`/spec/template/spec/containers/0/image", "value": "example.com/web:v1"}, {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]`}, false,
		},
		"a base": {
			map[string]string{"kustomization.yaml": "resources: [base]\n" + patches, "p.yaml": merge("web", "imagePullPolicy: Always"),
				"base/kustomization.yaml": "resources: [e.yaml]\n", "base/e.yaml": strings.ReplaceAll(deployment, "name: web", "name: e")}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["d.yaml"] = deployment
			if strings.Contains(c.files["kustomization.yaml"], "resources: [") {
				c.files["kustomization.yaml"] = strings.Replace(c.files["kustomization.yaml"], "resources: [", "resources: [d.yaml, ", 1)
			} else {
				c.files["kustomization.yaml"] += "resources: [d.yaml]\n"
			}
			own, err := Open(write(t, c.files), nil)
			if err != nil {
				t.Fatal(err)
			}
			if isMarked := own.marker.isHarmless(own.marked) && len(own.marker.places) > 0; isMarked != c.marked {
				t.Errorf("built once: %v", isMarked)
			}
			if got, want := own.Made().Texts[0].Text, withoutMarks(t, own); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// merge returns a patch of the Deployment's container, or of another one.
func merge(name, fields string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: " + name + ", " + fields + "}]}}}\n"
}
