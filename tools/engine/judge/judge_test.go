package judge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pullguard.invalid/tools/engine/read"
)

// Reports a violation of the whole spec for every object.
const tellsAll = `package policies.tells_all

violation contains {"msg": "all of it", "details": {"path": "spec"}}
`

// modules returns the modules of rego/gatekeeper, and policies by name.
func modules(t *testing.T, policies map[string]string) Modules {
	t.Helper()
	names, err := filepath.Glob("../../../rego/gatekeeper/*/*.rego")
	if err != nil || len(names) == 0 {
		t.Fatal("rego/gatekeeper is not there")
	}
	texts := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts["gatekeeper/"+filepath.Base(name)] = string(text)
	}
	for name, text := range policies {
		texts[name] = text
	}
	return Modules{Texts: texts}
}

// judgeBy returns a judge by one policy with a constraint for each match.
func judgeBy(t *testing.T, policy string, matches ...map[string]any) *Judge {
	t.Helper()
	var constraints []any
	for i, match := range matches {
		constraints = append(constraints, map[string]any{
			"policy": "tells_all",
			"constraint": map[string]any{
				"kind": "TellsAll", "metadata": map[string]any{"name": fmt.Sprintf("c%d", i)}, "spec": map[string]any{"match": match},
			},
		})
	}
	j, err := New([]Policies{{Modules: modules(t, map[string]string{"p.rego": policy}), Data: map[string]any{"constraints": constraints}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A collector keeps the findings of a pool.
type collector struct {
	mutex    sync.Mutex
	found    []string
	problems []read.Problem
	objects  int
	unjudged []string
	failed   error
}

func (c *collector) Seen(*File, *read.Document, []read.Object) bool { return false }
func (c *collector) Flush()                                         {}

func (c *collector) Unjudged(found []Unjudged) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, each := range found {
		c.unjudged = append(c.unjudged, fmt.Sprintf("%d.%v: %s; %s", each.Document.Index, each.Object.Items, each.Holds, each.Remedy))
	}
}

func (c *collector) Failed(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.failed = err
}

func (c *collector) Problems(_ *File, problems []read.Problem) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.problems = append(c.problems, problems...)
}

func (c *collector) Done(_ *File, _ read.Result, objects int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.objects += objects
}

func (c *collector) Judged(found []Judged) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, judged := range found {
		c.found = append(c.found, fmt.Sprintf("%d.%v: %s", judged.Document.Index, judged.Object.Items, inShort(judged.Answer)))
	}
}

// inShort returns the names of the constraints in an answer, or the reason why there is none.
func inShort(answer Answer) string {
	if answer.Failure != "" {
		return answer.Failure
	}
	var names []string
	for _, response := range answer.Responses {
		constraint, _ := response["constraint"].(map[string]any)
		names = append(names, fmt.Sprint(constraint["name"]))
	}
	return answer.Namespace + " " + strings.Join(names, ",")
}

// judgeFile returns what a judge finds in a file with the given text, sorted.
func judgeFile(t *testing.T, j *Judge, text string, target TargetNamespace) *collector {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &collector{}
	pool := NewPool(func() *Judge { return j }, c, read.DefaultLimits)
	pool.Judge(path, path, &File{Target: target})
	pool.Close()
	slices.Sort(c.found)
	return c
}

// surveyBy returns a survey whose Rego reports its input.
func surveyBy(t *testing.T, objects string) *Survey {
	t.Helper()
	hints := `package unjudged.hints
wanted := {"keys": {"containers": "array", "image": "string"}, "texts": ["image:"], "skipped": ["metadata"], "lists": ["containers"], "groups": [""]}`
	return &Survey{Hints: hints, Objects: Modules{Texts: map[string]string{"o.rego": "package unjudged.objects\n" + objects}}}
}

func surveyFile(t *testing.T, survey *Survey, text string) (*collector, *File) {
	t.Helper()
	j := judgeBy(t, tellsAll, map[string]any{"kinds": []any{map[string]any{"kinds": []any{"Pod"}}}, "namespaces": []any{"in"}})
	if err := survey.load(); err != nil {
		t.Fatal(err)
	}
	j.survey = survey
	c, f := &collector{}, &File{}
	Text(j, c, read.DefaultLimits, []byte(text), f)
	slices.Sort(c.unjudged)
	return c, f
}

func expect(t *testing.T, found, expected []string) {
	t.Helper()
	if !slices.Equal(found, expected) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(found, "\n"), strings.Join(expected, "\n"))
	}
}

func TestSurvey(t *testing.T) {
	text := strings.Join([]string{
		"kind: Pod\nmetadata: {namespace: in}\n",
		"kind: PodList\nitems:\n- metadata: {namespace: out}\n- metadata: {namespace: out}\n- metadata: {namespace: other}\n",
		"kind: Pod\nmetadata: {namespace: '${NS}'}\n",
		"kind: Web\napiVersion: a/v1\nspec: {image: x, a: {image: inside}}\nmore: [{containers: []}]\n",
		"kind: Nothing\nmetadata: {image: x}\nimage: {}\ncontainers: x\nspec: [image]\n",
		"kind: ConfigMap\ndata:\n  a: |\n    image: x\n    ---\n    # nothing\n    ---\n    image: z\n  b: 'image: {{'\n  c: 'an image: [of'\n  d: image\n",
	}, "---\n")
	survey := surveyBy(t, `found := [{"holds": json.marshal(object.remove(o, ["metadata"])), "remedy": "r"} | some o in input.objects]`)
	c, f := surveyFile(t, survey, text)
	expect(t, c.unjudged, []string{
		`3.[]: {"apiVersion":"a/v1","kind":"Web","parts":[{"isText":false,"value":{"a":{"image":"inside"},"image":"x"}},` +
			`{"isText":false,"value":{"containers":[]}}]}; r`,
		`5.[]: {"kind":"ConfigMap","parts":[{"isText":true,"value":{"image":"x"}},{"isText":true,"value":{"image":"z"}},` +
			`{"isText":true,"value":"image: {{"},{"isText":true,"value":"an image: [of"}]}; r`,
	})
	expect(t, []string{fmt.Sprint(f.Unprotected(), f.Placeholders())}, []string{"map[other:1 out:2] map[${NS}:1]"})
}

func TestLists(t *testing.T) {
	survey := surveyBy(t, `found := []`)
	for text, expected := range map[string]string{
		"kind: Pod\nspec:\n  containers:\n    name: c\n":                      "3: containers is not a list, so Kubernetes refuses the object",
		"kind: Pod\nspec: {a: {spec: {containers: x}}}\n":                     "2: containers is not a list, so Kubernetes refuses the object",
		"kind: PodList\nitems:\n- spec:\n    a: 1\n- spec: {containers: 1}\n": "5: containers is not a list, so Kubernetes refuses the object",
		"kind: Pod\nspec: {containers: []}\n":                                 "",
		"kind: Pod\nspec: {containers: null}\n":                               "",
		"kind: Pod\nspec: {volumes: {containers: {}}}\n":                      "",
		"kind: Pod\nmetadata: {namespace: out}\nspec: {containers: {}}\n":     "",
		"kind: Pod\napiVersion: example.com/v1\nspec: {containers: {}}\n":     "",
	} {
		c, _ := surveyFile(t, survey, text)
		found := ""
		for _, problem := range c.problems {
			found += fmt.Sprintf("%d: %s", problem.Line, problem.Message)
		}
		if found != expected {
			t.Errorf("%q: %s, not %s", text, found, expected)
		}
	}
}

func TestSurveysThatFail(t *testing.T) {
	for objects, expected := range map[string]string{
		`found := [1 | false]`:                 "unjudged.objects has 0 answers to 1 objects",
		`found := 1 if false`:                  "data.unjudged.objects.found is undefined",
		`found := [x | some x in input.y[_].]`: "",
	} {
		c, _ := surveyFile(t, surveyBy(t, objects), "kind: Web\nspec: {image: x}\n")
		if c.failed == nil || expected != "" && c.failed.Error() != expected {
			t.Errorf("%s: %v", objects, c.failed)
		}
	}
	for _, hints := range []string{"package", "package a\nwanted := 1", `package a
wanted := {"keys": 1}`} {
		if _, err := New(nil, &Survey{Hints: hints}); err == nil {
			t.Errorf("%s is not an error", hints)
		}
	}
}

// object returns an object as JSON.
func object(kind, namespace, name string, labels map[string]string) string {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	if labels != nil {
		metadata["labels"] = labels
	}
	version := map[string]string{"Deployment": "apps/v1"}[kind]
	if version == "" {
		version = "v1"
	}
	text, _ := json.Marshal(map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata})
	return string(text)
}

// Objects that differ in everything that a match can depend on.
var objects = []string{
	object("Pod", "a", "one", map[string]string{"x": "1"}),
	object("Pod", "a", "two", map[string]string{"x": "2"}),
	object("Pod", "a", "three", nil),
	object("Pod", "b", "one", map[string]string{"x": "1"}),
	object("Pod", "", "one", nil),
	object("Deployment", "a", "one", map[string]string{"x": "1"}),
	object("Namespace", "", "a", map[string]string{"x": "1"}),
	object("Namespace", "", "b", nil),
	object("Node", "", "one", nil),
	`{"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "one-", "namespace": "a"}}`,
	`{"apiVersion": "v1", "kind": "Pod", "metadata": "odd"}`,
	`{"apiVersion": "v1", "kind": "Pod"}`,
}

// Matches that depend on one field each.
var matches = map[string]map[string]any{
	"nothing":            {},
	"kinds":              {"kinds": []any{map[string]any{"apiGroups": []any{"apps"}, "kinds": []any{"Deployment"}}}},
	"namespaces":         {"namespaces": []any{"a"}},
	"excludedNamespaces": {"excludedNamespaces": []any{"a"}},
	"namespaceSelector":  {"namespaceSelector": map[string]any{"matchLabels": map[string]any{"x": "1"}}},
	"labelSelector":      {"labelSelector": map[string]any{"matchLabels": map[string]any{"x": "1"}}},
	"name":               {"name": "one*"},
	"scope":              {"scope": "Cluster"},
	"source":             {"source": "Original"},
}

// Selecting objects by match keys gives the same result as matching each object by itself.
func TestSelectionIsMatching(t *testing.T) {
	text := strings.Join(objects, "\n---\n")
	for field, match := range matches {
		j := judgeBy(t, tellsAll, match)
		for _, target := range []TargetNamespace{{}, {Name: "a"}, {Name: "b", Replace: true}} {
			found := judgeFile(t, j, text, target).found
			var inputs []json.RawMessage
			for _, text := range objects {
				document := documentOf(t, text)
				own := document.Objects(nil)[0]
				inputs = append(inputs, AppendObject(nil, document.Tape, own, target.Replacement(document.Tape, own)))
			}
			answers, err := j.Answers(inputs, target.Name, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var expected []string
			for i, answer := range answers {
				if answer.Failure != "" || len(answer.Responses) > 0 {
					expected = append(expected, fmt.Sprintf("%d.%v: %s", i, []int(nil), inShort(answer)))
				}
			}
			slices.Sort(expected)
			if !reflect.DeepEqual(found, expected) {
				t.Errorf("by %s, in %v:\n%s\nnot\n%s", field, target, strings.Join(found, "\n"), strings.Join(expected, "\n"))
			}
		}
	}
}

func documentOf(t *testing.T, text string) *read.Document {
	t.Helper()
	reader := read.Reader{Limits: read.DefaultLimits, Dialect: read.Kubernetes}
	document, problems := reader.ReadFirst([]byte(text), 1)
	if document == nil {
		t.Fatal(problems)
	}
	return document
}

// Objects that a match can distinguish never share a selection.
func TestDifferentObjectsShareNoSelection(t *testing.T) {
	for field, expected := range map[string]string{
		"labelSelector": "0.[]: a c0|3.[]: b c0|5.[]: a c0|6.[]:  c0",
		"name":          "0.[]: a c0|3.[]: b c0|4.[]:  c0|5.[]: a c0|8.[]:  c0|9.[]: a c0",
		"namespaces":    "0.[]: a c0|1.[]: a c0|10.[]:  c0|11.[]:  c0|2.[]: a c0|4.[]:  c0|5.[]: a c0|6.[]:  c0|8.[]:  c0|9.[]: a c0",
		"scope":         "10.[]:  c0|11.[]:  c0|4.[]:  c0|6.[]:  c0|7.[]:  c0|8.[]:  c0",
	} {
		found := judgeFile(t, judgeBy(t, tellsAll, matches[field]), strings.Join(objects, "\n---\n"), TargetNamespace{}).found
		if strings.Join(found, "|") != expected {
			t.Errorf("by %s:\n%s\nnot\n%s", field, strings.Join(found, "|"), expected)
		}
	}
}

func TestFindingsOfManyFilesAndDocuments(t *testing.T) {
	j := judgeBy(t, tellsAll, matches["labelSelector"], matches["nothing"])
	var text strings.Builder
	for number := range 500 {
		fmt.Fprintf(&text, "kind: List\nitems:\n- %s\n- %s\n---\n", objects[0], object("Pod", "c", fmt.Sprint(number), map[string]string{"y": "&"}))
	}
	c := judgeFile(t, j, text.String(), TargetNamespace{})
	if c.objects != 1000 || len(c.found) != 1000 || len(c.problems) > 0 {
		t.Fatalf("%d objects, %d findings, %v", c.objects, len(c.found), c.problems)
	}
	for _, found := range c.found {
		if strings.Contains(found, ".[0]: a ") != strings.HasSuffix(found, "c0,c1") {
			t.Fatal(found)
		}
	}
}

func TestAPolicyThatFails(t *testing.T) {
	const fails = `package policies.tells_all

violation contains {"msg": "x"} if to_number(input.review.object.metadata.name) > 0

violation contains {"msg": f(input.review.object.metadata.name)} if input.review.object.metadata.name == "bad"

f(x) := 1

f(x) := 2
`
	j := judgeBy(t, fails, map[string]any{})
	text := strings.Join([]string{object("Pod", "a", "1", nil), object("Pod", "a", "bad", nil), object("Pod", "a", "2", nil)}, "\n---\n")
	expected := []string{"0.[]: a c0", "1.[]: p.rego:9: function data.policies.tells_all.f produced conflicting values for the same inputs: 1 at p.rego:7 2 at p.rego:9", "2.[]: a c0"}
	if found := judgeFile(t, j, text, TargetNamespace{}).found; !reflect.DeepEqual(found, expected) {
		t.Error(strings.Join(found, "\n"))
	}
}

func TestPoliciesThatCannotBeLoaded(t *testing.T) {
	for text, expected := range map[string]string{
		"package bad\n\nx := y\n":                         "bad.rego:3: var y is unsafe",
		"package bad\n\nx := http.send({})\n":             "bad.rego:3: undefined function http.send",
		"package bad\n\nx := net.lookup_ip_addr(\"a\")\n": "bad.rego:3: undefined function net.lookup_ip_addr",
		"package bad\n\nx := opa.runtime()\n":             "bad.rego:3: undefined function opa.runtime",
		"package bad\n\nx := json.match_schema({}, {})\n": "bad.rego:3: undefined function json.match_schema",
		"package bad\n\nx := json.verify_schema({})\n":    "bad.rego:3: undefined function json.verify_schema",
		"package bad\n\nx := {\n":                         "bad.rego:4: unexpected eof token; bad.rego:4: unexpected eof token: expected rule value term (e.g., x := <VALUE> { ... })",
	} {
		if _, err := New([]Policies{{Modules: Modules{Texts: map[string]string{"bad.rego": text}}}}, nil); err == nil || err.Error() != expected {
			t.Errorf("%q is %v, not %s", text, err, expected)
		}
	}
}

func TestModulesBelowAFolder(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"a/a.rego": "package a\n\nx := 1\n", "b.rego": "package b\n\nx := 2\n", "conftest/c.rego": "package c\n\nx := y\n", "b.yaml": "x",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	texts, err := textsBelow(folder)
	if link := os.Symlink("/dev/zero", filepath.Join(folder, "z.rego")); link != nil {
		t.Fatal(link)
	}
	if _, err := textsBelow(folder); err == nil || err.Error() != "z.rego is not a regular file" {
		t.Error(err)
	}
	if err != nil || len(texts) != 2 || texts["a/a.rego"] == "" || texts["b.rego"] == "" {
		t.Error(texts, err)
	}
}

func TestQueries(t *testing.T) {
	var rules Rules
	modules := Modules{RegoVersion: "v1", Texts: map[string]string{"a.rego": "package a\n\nx := input.n + 1\n\ny := 1 if input.n > 5\n"}}
	for n := range 3 {
		value, err := rules.Query(modules, "data.a.x", fmt.Appendf(nil, `{"n": %d}`, n))
		if err != nil || fmt.Sprint(value) != fmt.Sprint(n+1) {
			t.Error(value, err)
		}
	}
	if _, err := rules.Query(modules, "data.a.y", []byte(`{"n": 1}`)); err == nil || err.Error() != "data.a.y is undefined" {
		t.Error(err)
	}
	if len(rules.compiled) != 1 {
		t.Errorf("the modules were compiled %d times", len(rules.compiled))
	}
	for _, found := range rules.compiled {
		if len(found.rules) != 2 {
			t.Errorf("%d rules were prepared", len(found.rules))
		}
	}
	old := Modules{RegoVersion: "v0", Texts: map[string]string{"a.rego": "package a\n\nx[y] { y := input.n }\n"}}
	if value, err := rules.Query(old, "data.a.x", []byte(`{"n": 1}`)); err != nil || fmt.Sprint(value) != "[1]" {
		t.Error(value, err)
	}
}

func TestAPolicyThatDoesNotEnd(t *testing.T) {
	before := timeLimit
	timeLimit = 50 * time.Millisecond
	defer func() { timeLimit = before }()
	const endless = `package policies.tells_all

violation contains {"msg": sprintf("%d", [count(all)])} if {
	all_numbers := numbers.range(1, 1000)
	all := [x |
		some a in all_numbers
		some b in all_numbers
		some c in all_numbers
		x := (a + b) + c
	]
}
`
	j := judgeBy(t, endless, map[string]any{})
	var text strings.Builder
	for number := range 1000 {
		text.WriteString("---\n" + object("Pod", fmt.Sprint(number), "p", nil) + "\n")
	}
	began := time.Now()
	c := judgeFile(t, j, text.String(), TargetNamespace{})
	if took := time.Since(began); len(c.found) != 1000 || !strings.HasSuffix(c.found[0], noAnswerInTime) || took > 20*time.Second {
		t.Errorf("%d findings after %s, the first %s", len(c.found), took, c.found[0])
	}
	if asked := j.timeouts.Load(); asked > mostTimeouts+int32(runtime.GOMAXPROCS(0)) {
		t.Errorf("it was asked %d times", asked)
	}
}
