package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pullguard.invalid/tools/engine/builds"
)

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

const (
	chartFile = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
	pod       = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-web\nspec:\n  containers:\n  - name: web\n    image: "
)

// archive returns files as a chart archive.
func archive(t *testing.T, files map[string]string) string {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	entries := tar.NewWriter(packed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := entries.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := entries.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	entries.Close()
	packed.Close()
	return out.String()
}

// decided returns what decides a field of the first container of the only rendered pod: its place, the place in the template,
// and the keys.
func decided(t *testing.T, folder string, c *Chart, field string) string {
	texts := c.Made().Texts
	if len(texts) != 1 {
		t.Fatalf("%d texts: %v", len(texts), texts)
	}
	line := 1 + strings.Count(texts[0].Text[:strings.Index(texts[0].Text, "apiVersion")], "\n")
	answers, err := c.Places([]builds.Question{{Line: line, Path: []any{"spec", "containers", 0.0}}})
	if err != nil {
		t.Fatal(err)
	}
	shown := func(place *builds.Place) string {
		if place == nil {
			return "-"
		}
		name, _ := filepath.Rel(folder, place.File)
		return fmt.Sprintf("%s:%d", name, place.Line)
	}
	decision, isThere := answers[0].Fields[field]
	if !isThere {
		return ""
	}
	out := shown(&decision.Place)
	if decision.Template != nil {
		out += " " + shown(decision.Template)
	}
	for _, key := range decision.Keys {
		out += " " + key.Key
		if key.Place != nil {
			out += "@" + shown(key.Place)
		}
		if key.Tag {
			out += "!"
		}
	}
	return out
}

func TestDecidingValues(t *testing.T) {
	for name, c := range map[string]struct {
		files         map[string]string
		options       Options
		image, policy string
	}{
		"nothing": {
			files: map[string]string{"templates/p.yaml": pod + "web:latest\n"},
			image: "templates/p.yaml:8",
		},
		"a value each": {
			files: map[string]string{
				"values.yaml":      "image:\n  repository: web\n  tag: latest\n  pullPolicy: Always\n",
				"templates/p.yaml": pod + "\"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n    imagePullPolicy: {{ .Values.image.pullPolicy }}\n",
			},
			image:  "values.yaml:3 templates/p.yaml:8 image.tag@values.yaml:3! image.repository@values.yaml:2",
			policy: "values.yaml:4 templates/p.yaml:9 image.pullPolicy@values.yaml:4",
		},
		"the tag of the template": {
			files: map[string]string{"values.yaml": "image: web\n", "templates/p.yaml": pod + "{{ .Values.image }}:latest\n"},
			image: "templates/p.yaml:8 image@values.yaml:1",
		},
		"a value with a tag": {
			files: map[string]string{"values.yaml": "a:\n  image: reg:5000/web:v1\n", "templates/p.yaml": pod + "{{ .Values.a.image }}\n"},
			image: "values.yaml:2 templates/p.yaml:8 a.image@values.yaml:2!",
		},
		"one before the other": {
			files: map[string]string{
				"values.yaml": "global:\n  imagePullPolicy: Always\nimagePullPolicy: \"\"\n",
				"templates/p.yaml": pod + "web:v1\n" +
					"    imagePullPolicy: {{ .Values.imagePullPolicy | default .Values.global.imagePullPolicy | default \"Never\" }}\n",
			},
			image: "templates/p.yaml:8",
			policy: "values.yaml:2 templates/p.yaml:9 global.imagePullPolicy@values.yaml:2 " +
				"imagePullPolicy@values.yaml:3",
		},
		"a value that is not stated": {
			files: map[string]string{
				"templates/p.yaml": pod + "web:latest\n    {{- with .Values.pullPolicy }}\n    imagePullPolicy: {{ . }}\n    {{- end }}\n",
			},
			image: "templates/p.yaml:8", policy: "templates/p.yaml:7 pullPolicy",
		},
		"a comparison": {
			files: map[string]string{
				"values.yaml": "tag: latest\n",
				"templates/p.yaml": pod + "web:{{ .Values.tag }}\n" +
					"    imagePullPolicy: {{ if eq .Values.tag \"latest\" }}Always{{ else }}IfNotPresent{{ end }}\n",
			},
			image:  "values.yaml:1 templates/p.yaml:8 tag@values.yaml:1!",
			policy: "values.yaml:1 templates/p.yaml:9 tag@values.yaml:1",
		},
		"a template that refuses values": {
			files: map[string]string{
				"values.yaml": "pullPolicy: Always\nappVersion: 1.2.3\ntag: v1\n",
				"templates/p.yaml": "{{- if not (has .Values.pullPolicy (list \"Always\" \"IfNotPresent\")) }}{{ fail \"policy\" }}{{ end }}\n" +
					"{{- if semverCompare \">=1.0.0\" .Values.appVersion }}\n" +
					pod + "web:{{ .Values.tag }}\n    imagePullPolicy: {{ .Values.pullPolicy }}\n{{- end }}\n",
			},
			image:  "values.yaml:3 templates/p.yaml:10 tag@values.yaml:3!",
			policy: "values.yaml:1 templates/p.yaml:11 pullPolicy@values.yaml:1",
		},
		"containers that are values": {
			files: map[string]string{
				"values.yaml":      "containers:\n- name: web\n  image: web:latest\n  imagePullPolicy: Always\n",
				"templates/p.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  {{- toYaml .Values.containers | nindent 2 }}\n",
			},
			image:  "values.yaml:3 templates/p.yaml:5 containers[0].image@values.yaml:3!",
			policy: "values.yaml:4 templates/p.yaml:5 containers[0].imagePullPolicy@values.yaml:4",
		},
		"files of values": {
			files: map[string]string{
				"values.yaml":      "tag: v1\npullPolicy: IfNotPresent\n",
				"mine.yaml":        "# mine\ntag: latest\n",
				"templates/p.yaml": pod + "web:{{ .Values.tag }}\n    imagePullPolicy: {{ .Values.pullPolicy }}\n",
			},
			options: Options{Values: []string{"mine.yaml"}, Set: []string{"pullPolicy=Always"}},
			image:   "mine.yaml:2 templates/p.yaml:8 tag@mine.yaml:2!",
			policy:  "templates/p.yaml:9 pullPolicy",
		},
		"settings that stand in a file": {
			files: map[string]string{
				"values.yaml":      "tag: latest\npullPolicy: IfNotPresent\n",
				"templates/p.yaml": pod + "web:{{ .Values.tag }}\n    imagePullPolicy: {{ .Values.pullPolicy }}\n",
			},
			options: Options{Set: []string{"pullPolicy=Always"}, SettingsFile: "settings"},
			image:   "values.yaml:1 templates/p.yaml:8 tag@values.yaml:1!",
			policy:  ":1 templates/p.yaml:9 pullPolicy@:1", // it is not below the chart
		},
		"keys that do not say what they are": {
			files: map[string]string{
				"values.yaml": "mode: Always\nrestart: Always\nrev: v1\nreplicas: 2\n",
				"templates/p.yaml": pod + "web:{{ .Values.rev }}\n    imagePullPolicy: {{ .Values.mode }}\n" +
					"  restartPolicy: {{ .Values.restart }}\n",
			},
			image:  "values.yaml:3 templates/p.yaml:8 rev@values.yaml:3!",
			policy: "values.yaml:1 templates/p.yaml:9 mode@values.yaml:1",
		},
		"such keys below an image": {
			files: map[string]string{
				"values.yaml":      "image:\n  at: hub.example\n  pull: Always\n  rev: 1.25\n",
				"templates/p.yaml": pod + "{{ .Values.image.at }}/web:{{ .Values.image.rev }}\n    imagePullPolicy: {{ .Values.image.pull }}\n",
			},
			image:  "values.yaml:4 templates/p.yaml:8 image.rev@values.yaml:4! image.at@values.yaml:2",
			policy: "values.yaml:3 templates/p.yaml:9 image.pull@values.yaml:3",
		},
		"such keys that are not stated": {
			files: map[string]string{
				"templates/p.yaml": pod + "web:{{ .Values.rev | default \"latest\" }}\n    imagePullPolicy: {{ .Values.mode | default \"Always\" }}\n",
			},
			image:  "templates/p.yaml:8 rev!",
			policy: "templates/p.yaml:9 mode",
		},
		"a subchart and its alias": {
			files: map[string]string{
				"Chart.yaml":                   chartFile + "dependencies:\n- {name: db, version: 1.0.0, alias: store}\n",
				"values.yaml":                  "store:\n  tag: latest\n",
				"charts/db/Chart.yaml":         "apiVersion: v2\nname: db\nversion: 1.0.0\n",
				"charts/db/values.yaml":        "tag: v1\npullPolicy: Always\n",
				"charts/db/templates/_p.tpl":   "{{ define \"db.image\" }}db:{{ .Values.tag }}{{ end }}",
				"charts/db/templates/pod.yaml": pod + "{{ include \"db.image\" . }}\n    imagePullPolicy: {{ .Values.pullPolicy }}\n",
			},
			image:  "values.yaml:2 charts/db/templates/pod.yaml:8 store.tag@values.yaml:2!",
			policy: "charts/db/values.yaml:2 charts/db/templates/pod.yaml:9 store.pullPolicy@charts/db/values.yaml:2",
		},
		"a subchart in an archive": {
			files: map[string]string{
				"Chart.yaml": chartFile + "dependencies:\n- {name: db, version: 1.0.0}\n",
				"charts/db-1.0.0.tgz": archive(t, map[string]string{
					"db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n", "db/values.yaml": "tag: latest\n",
					"db/templates/p.yaml": pod + "db:{{ .Values.tag }}\n",
				}),
			},
			image: "charts/db-1.0.0.tgz:1 charts/db-1.0.0.tgz:8 db.tag@charts/db-1.0.0.tgz:1!",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.files["Chart.yaml"] == "" {
				c.files["Chart.yaml"] = chartFile
			}
			folder := write(t, c.files)
			for i, name := range c.options.Values {
				c.options.Values[i] = filepath.Join(folder, name)
			}
			chart, err := Open(folder, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := decided(t, folder, chart, "image"); got != c.image {
				t.Errorf("image: got %q, want %q", got, c.image)
			}
			if got := decided(t, folder, chart, "imagePullPolicy"); got != c.policy {
				t.Errorf("policy: got %q, want %q", got, c.policy)
			}
		})
	}
}

// The rendered and the omitted parts, with the reasons.
func TestRenderedAndOmitted(t *testing.T) {
	schema := `{"properties": {"replicas": {"type": "integer"}}}`
	for name, c := range map[string]struct {
		files   map[string]string
		options Options
		text    string // of all templates
		says    string // the error, or what is omitted
	}{
		"options": {
			files: map[string]string{"templates/a.yaml": "a: {{ .Release.Name }} {{ .Release.Namespace }} {{ .Capabilities.KubeVersion.Version }} " +
				"{{ .Capabilities.APIVersions.Has \"x/v1\" }} {{ .Values.b }} {{ .Values.c }}\n", "v.yaml": "b: 1\nc: 1\n"},
			options: Options{ReleaseName: "r", Namespace: "n", KubeVersion: "1.30", APIVersions: []string{"x/v1"}, Values: []string{"v.yaml"}, Set: []string{"c=2"}},
			text:    "a: r n v1.30 true 1 2\n",
		},
		"defaults": {
			files: map[string]string{"templates/a.yaml": "a: {{ .Release.Name }} {{ .Release.Namespace }} {{ .Capabilities.KubeVersion.Version }}\n"},
			text:  "a: release-name release-namespace v1.37.0\n",
		},
		"an old chart": {
			files: map[string]string{"Chart.yaml": chartFile + "kubeVersion: '<1.30'\n", "templates/a.yaml": "a: 1\n"},
			says:  "the chart is for Kubernetes <1.30, not for v1.37.0: state another with --kube-version",
		},
		"no lookup, no names of hosts": {
			files: map[string]string{"templates/a.yaml": `a: {{ lookup "v1" "Pod" "n" "p" }}{{ getHostByName "localhost" }}` + "\n"},
			text:  "a: map[]\n",
		},
		"manifests that run together": {
			files: map[string]string{"templates/a.yaml": "---a: 1\n---\n\n--- # nothing\nb: 1\n"},
			text:  "a: 1\n---\n--- # nothing\nb: 1\n",
		},
		"hooks": {
			files: map[string]string{"templates/a.yaml": "metadata:\n  annotations: {helm.sh/hook: \"test, pre-install\"}\n---\nmetadata:\n  annotations: {helm.sh/hook: crd-install}\n"},
			text:  "metadata:\n  annotations: {helm.sh/hook: \"test, pre-install\"}\n",
		},
		"an unknown namespace": {
			files: map[string]string{"templates/a.yaml": "namespace: {{ .Release.Namespace }}\nb: {namespace: \"{{ .Release.Namespace }}\", a: 1}\nc: {{ .Release.Namespace }}\n"},
			text:  "namespace: \"\"\nb: {namespace: \"\", a: 1}\nc: release-namespace\n",
		},
		"a library": {
			files: map[string]string{"Chart.yaml": chartFile + "type: library\n", "templates/_a.tpl": `{{ define "a" }}{{ end }}`},
		},
		"a missing subchart": {
			files: map[string]string{
				"Chart.yaml":       chartFile + "dependencies:\n- {name: db, version: 1.0.0}\n- {name: spare, version: 1.0.0, condition: spare.enabled}\n",
				"values.yaml":      "spare: {enabled: false}\n",
				"templates/a.yaml": "a: 1\n",
			},
			text: "a: 1\n", says: "db: the subchart is not in charts/: `helm dependency build` fetches it",
		},
		"values for tests": {
			files: map[string]string{
				"templates/a.yaml": "a: {{ required \"name it\" .Values.a }}\n", "ci/0-values.yaml": "b: 1\n", "ci/1-values.yaml": "a: 1\n", "ci/2-values.yaml": "a: 2\n",
			},
			text: "a: 1\n",
		},
		"missing values": {
			files: map[string]string{"templates/a.yaml": "a: {{ required \"name it\" .Values.a }}\n"},
			says:  "execution error at (web/templates/a.yaml:1:6): name it; state values with --values",
		},
		"an invalid template": {
			files: map[string]string{"templates/a.yaml": "a: {{ nothing }}\n"},
			says:  `parse error at (web/templates/a.yaml:1): function "nothing" not defined`,
		},
		"a schema": {
			files: map[string]string{"values.schema.json": schema, "values.yaml": "replicas: many\n", "templates/a.yaml": "a: 1\n"},
			says:  "the values of web do not meet its schema: - at '/replicas': got string, want integer; state values with --values",
		},
		"a schema of a subchart": {
			files: map[string]string{
				"charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n", "charts/db/values.schema.json": schema,
				"values.yaml": "db: {replicas: many}\n", "templates/a.yaml": "a: 1\n",
			},
			says: "the values of db do not meet its schema: - at '/replicas': got string, want integer; state values with --values",
		},
		"a schema elsewhere": {
			files: map[string]string{
				"values.schema.json": `{"properties": {"a": {"$ref": "https://example.com/a.json"}}}`, "values.yaml": "a: 1\n", "templates/a.yaml": "a: 1\n",
			},
			text: "a: 1\n", says: "web/values.schema.json: the values are not checked: it refers to a schema outside of the chart, which is not read",
		},
		"a schema of the machine": {
			files: map[string]string{
				"values.schema.json": `{"properties": {"a": {"$ref": "file:///etc/passwd"}}}`, "values.yaml": "a: 1\n", "templates/a.yaml": "a: 1\n",
			},
			text: "a: 1\n", says: "web/values.schema.json: the values are not checked: it refers to a schema outside of the chart, which is not read",
		},
		"ignored files": {
			files: map[string]string{".helmignore": "b.yaml\n", "templates/a.yaml": "a: {{ .Files.Get \"b.yaml\" }}\n", "b.yaml": "no\n"},
			text:  "a: \n",
		},
		"an invalid version": {
			files: map[string]string{"templates/a.yaml": "a: 1\n"}, options: Options{KubeVersion: "new"},
			says: `--kube-version new: could not parse "new" as version`,
		},
		"an invalid value": {
			files: map[string]string{"templates/a.yaml": "a: 1\n"}, options: Options{Set: []string{"a"}}, says: `--set a: key "a" has no value`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.files["Chart.yaml"] == "" {
				c.files["Chart.yaml"] = chartFile
			}
			folder := write(t, c.files)
			for i, name := range c.options.Values {
				c.options.Values[i] = filepath.Join(folder, name)
			}
			chart, err := Open(folder, c.options)
			if err != nil {
				if err.Error() != c.says {
					t.Errorf("got %q, want %q", err, c.says)
				}
				return
			}
			made := chart.Made()
			var texts, omitted []string
			for _, text := range made.Texts {
				texts = append(texts, text.Text)
			}
			for _, omission := range made.Omitted {
				omitted = append(omitted, omission.Name+": "+omission.Why)
			}
			if got := strings.Join(texts, ""); got != c.text && strings.TrimSpace(got) != strings.TrimSpace(c.text) {
				t.Errorf("got %q, want %q", got, c.text)
			}
			if got := strings.Join(omitted, "; "); got != c.says {
				t.Errorf("omitted %q, want %q", got, c.says)
			}
			if name == "values for tests" != (made.Values == filepath.Join(folder, "ci/1-values.yaml")) {
				t.Errorf("values: %q", made.Values)
			}
		})
	}
}

func TestAnArchive(t *testing.T) {
	folder := write(t, map[string]string{"web.tgz": archive(t, map[string]string{
		"web/Chart.yaml": chartFile, "web/values.yaml": "tag: latest\n", "web/templates/p.yaml": pod + "web:{{ .Values.tag }}\n",
	})})
	c, err := Open(filepath.Join(folder, "web.tgz"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := decided(t, folder, c, "image"); got != "web.tgz:1 web.tgz:8 tag@web.tgz:1!" {
		t.Errorf("got %q", got)
	}
}

func TestRandomNames(t *testing.T) {
	c, err := Open(write(t, map[string]string{
		"Chart.yaml":       chartFile,
		"templates/p.yaml": strings.Replace(pod, "-web", "-{{ randAlphaNum 30 }}", 1) + "web\n",
	}), Options{ReleaseName: "r"})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := c.Places([]builds.Question{{Line: 1, Path: []any{}}})
	if err != nil || answers[0].Name != "r-*" {
		t.Errorf("got %v %v", answers, err)
	}
}

func TestSteadyPartOfNames(t *testing.T) {
	for _, c := range [][3]string{{"web-abc", "web-axy", "web-"}, {"a", "b", ""}, {"web-1.0-x", "web-1.0-y", "web-1.0-"}, {"web", "web-a", ""}} {
		if got := steady(c[0], c[1]); got != c[2] {
			t.Errorf("%s, %s: got %q", c[0], c[1], got)
		}
	}
}

func TestLinksOutOfTheRepositoryAreRefused(t *testing.T) {
	top := write(t, map[string]string{
		"repo/.git/HEAD": "", "repo/web/Chart.yaml": chartFile, "repo/web/templates/.keep": "", "repo/shared.yaml": "a: 1\n", "secret": "a: 2\n",
	})
	link := filepath.Join(top, "repo/web/templates/a.yaml")
	if err := os.Symlink("../../shared.yaml", link); err != nil {
		t.Fatal(err)
	}
	c, err := Open(filepath.Join(top, "repo/web"), Options{})
	if err != nil || len(c.Made().Texts) != 1 {
		t.Fatalf("got %v %v", c, err)
	}
	if err := os.Symlink(filepath.Join(top, "secret"), filepath.Join(top, "repo/web/templates/b.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(top, "repo/web"), Options{}); err == nil || !strings.Contains(err.Error(), "is a link that leads out of") {
		t.Errorf("got %v", err)
	}
}

func TestFolders(t *testing.T) {
	got := Folders([]string{"/a/Chart.yaml", "/a/charts/b/Chart.yaml", "/a/charts/b/charts/c/Chart.yaml", "/charts/d/Chart.yaml", "/a/e/Chart.yaml"})
	if want := []string{"/a", "/charts/d", "/a/e"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The version of Kubernetes that charts are rendered for is that of the libraries.
func TestKubeVersion(t *testing.T) {
	text, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	minor := strings.Split(KubeVersion, ".")[1]
	if !strings.Contains(string(text), "k8s.io/client-go v0."+minor+".") {
		t.Errorf("%s is not the version of k8s.io/client-go in go.mod", KubeVersion)
	}
}

// Like `helm dependency build`, it reads dependencies with file:// from their folders, unless the chart contains them.
func TestLocalDependencies(t *testing.T) {
	top := write(t, map[string]string{
		"repo/.git/HEAD":                 "",
		"repo/web/Chart.yaml":            chartFile + "dependencies:\n- {name: db, version: 1.x, repository: 'file://../db'}\n- {name: own, repository: 'file://../own'}\n- {name: far, repository: 'file://../../far'}\n",
		"repo/web/values.yaml":           "db: {tag: v1}\n",
		"repo/db/Chart.yaml":             "apiVersion: v2\nname: db\nversion: 1.0.0\ndependencies: [{name: lib, repository: 'file://../lib'}]\n",
		"repo/db/values.yaml":            "tag: v0\npullPolicy: Always\n",
		"repo/db/templates/p.yaml":       pod + "web:{{ .Values.tag }}\n    {{- include \"policy\" . | nindent 4 }}\n",
		"repo/lib/Chart.yaml":            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\ndependencies: [{name: lib, repository: 'file://.'}]\n",
		"repo/lib/templates/_p.yaml":     "{{ define \"policy\" }}imagePullPolicy: {{ .Values.pullPolicy }}{{ end }}\n",
		"repo/own/Chart.yaml":            "apiVersion: v2\nname: own\nversion: 1.0.0\n",
		"repo/own/templates/p.yaml":      pod + "web\n",
		"repo/web/charts/own/Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\n",
		"repo/web/crds/a.yaml":           "kind: CustomResourceDefinition\n",
		"far/Chart.yaml":                 "apiVersion: v2\nname: far\nversion: 1.0.0\n",
	})
	repo := filepath.Join(top, "repo")
	c, err := Open(filepath.Join(repo, "web"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"image":           "web/values.yaml:1 db/templates/p.yaml:8 db.tag@web/values.yaml:1!",
		"imagePullPolicy": "db/values.yaml:2 db/templates/p.yaml:7 db.pullPolicy@db/values.yaml:2",
	} {
		if got := decided(t, repo, c, field); got != want {
			t.Errorf("%s: got %q", field, got)
		}
	}
	made := c.Made()
	// The chart lib depends on itself.
	if len(made.Omitted) != 2 || made.Omitted[0].Name != "far" || made.Omitted[1].Name != "db.lib.lib" {
		t.Errorf("omitted: %v", made.Omitted)
	}
	var read []string
	for _, name := range made.Files {
		read = append(read, strings.TrimPrefix(name, repo+"/"))
	}
	// Helm applies crds/ unchanged.
	for name, want := range map[string]bool{"db/values.yaml": true, "lib/templates/_p.yaml": true, "own/templates/p.yaml": false, "web/crds/a.yaml": false} {
		if slices.Contains(read, name) != want {
			t.Errorf("%s: read %v", name, read)
		}
	}
}

// Generating a key takes a second, and a chart is rendered up to 60 times.
func TestKeysAreMadeOnce(t *testing.T) {
	folder := write(t, map[string]string{
		"Chart.yaml":  chartFile,
		"values.yaml": "tag: v1\n",
		"templates/p.yaml": `{{- $ca := genCA "ca" 365 }}{{ $cert := genSignedCert "web" nil (list "web") 365 $ca -}}
` + pod + `web:{{ .Values.tag }}
    env:
    - {name: A, value: {{ $cert.Cert | b64enc }}}
    - {name: B, value: {{ genPrivateKey "rsa" | b64enc }}}
    - {name: C, value: {{ "b" | bcrypt | b64enc }}}
`,
		"charts/db/Chart.yaml":       "apiVersion: v2\nname: db\nversion: 1.0.0\n",
		"charts/db/templates/a.yaml": `{{ $a := genSelfSignedCertWithKey "a" nil nil 1 (genPrivateKey "rsa") }}`,
	})
	c, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := decided(t, folder, c, "image"); got != "values.yaml:1 templates/p.yaml:9 tag@values.yaml:1!" {
		t.Errorf("got %q", got)
	}
	plain := plainChart(c.chart, "web", map[string]bool{"web/templates/p.yaml": true, "web/charts/db/templates/a.yaml": true})
	if text := string(plain.Dependencies()[0].Templates[0].Data); text != `{{ $a := dict "Cert" "certificate" "Key" "key" "a" nil nil 1 (print "key" "rsa") }}` {
		t.Errorf("got %s", text)
	}
	if none := plainChart(c.chart, "web", nil); len(none.Templates[0].Data) > 0 {
		t.Errorf("got %s", none.Templates[0].Data)
	}
	texts, err := c.rendered(plain, c.given, false)
	if text := texts["web/templates/p.yaml"]; err != nil || strings.Count(text, "Y2VydGlmaWNhdGU=") != 1 || strings.Count(text, "a2V5") != 2 {
		t.Errorf("got %s %v", text, err)
	}
}
