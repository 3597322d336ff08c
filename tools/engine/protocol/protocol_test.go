package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pullguard.invalid/tools/engine/builds/worker"
)

// The test binary is also the worker for builds.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "build" {
		if err := worker.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A client talks to an engine in the same process.
type client struct {
	t        *testing.T
	requests *io.PipeWriter
	records  *bufio.Reader
	ended    chan error
	next     int
}

type message = map[string]any

func start(t *testing.T) *client {
	t.Helper()
	input, requests := io.Pipe()
	records, output := io.Pipe()
	c := &client{t: t, requests: requests, records: bufio.NewReader(records), ended: make(chan error, 1)}
	go func() {
		err := Serve(input, output)
		output.Close()
		c.ended <- err
	}()
	if greeting := c.read(); greeting["protocol"] != 1.0 {
		t.Fatal(greeting)
	}
	return c
}

// read returns the next record, with its data under "data", or nil at the end.
func (c *client) read() message {
	c.t.Helper()
	line, err := c.records.ReadBytes('\n')
	if err == io.EOF && len(line) == 0 {
		return nil
	}
	record := message{}
	if err != nil || json.Unmarshal(line, &record) != nil {
		c.t.Fatalf("%q is not a record (%v)", line, err)
	}
	if size, _ := record["size"].(float64); size > 0 {
		data := make([]byte, int(size))
		if _, err := io.ReadFull(c.records, data); err != nil {
			c.t.Fatal(err)
		}
		record["data"] = string(data)
	}
	return record
}

// send sends a request and returns its number.
func (c *client) send(request message, data any) int {
	c.t.Helper()
	encoded, isRaw := data.([]byte)
	if !isRaw && data != nil {
		encoded, _ = json.Marshal(data)
	}
	request["id"], request["size"] = c.next, len(encoded)
	c.next++
	line, _ := json.Marshal(request)
	if _, err := c.requests.Write(append(append(line, '\n'), encoded...)); err != nil {
		c.t.Fatal(err)
	}
	return c.next - 1
}

// ask sends a request and returns its records, of which the last one is the final record.
func (c *client) ask(request message, data any) []message {
	c.t.Helper()
	return c.until(c.send(request, data))
}

// until returns all records up to the final one of a request.
func (c *client) until(id int) (found []message) {
	c.t.Helper()
	for {
		record := c.read()
		if record == nil {
			c.t.Fatalf("it ended before the end of request %d: %v", id, found)
		}
		found = append(found, record)
		if record["id"] == float64(id) && (record["type"] == "done" || record["type"] == "failed") || record["type"] == "fatal" {
			return found
		}
	}
}

func (c *client) last(request message, data any) message {
	c.t.Helper()
	found := c.ask(request, data)
	return found[len(found)-1]
}

// end ends the requests, and returns the error with which the engine has ended.
func (c *client) end() error {
	c.requests.Close()
	for c.read() != nil {
	}
	return <-c.ended
}

// Reports a violation of the spec for every Pod.
const policy = `package policies.pods

violation contains {"msg": "no", "details": {"path": "spec"}} if input.review.kind.kind == "Pod"

violation contains {"msg": input.review.object.metadata.name} if {
	input.review.kind.kind == "Pod"
	differs(input.review.object.metadata.annotations.fails) == 1
}

differs("1") := 1

differs("1") := 2
`

// setup loads the policy, with a constraint for Namespaces that are labelled critical and one for all.
func (c *client) setup(more message) message {
	c.t.Helper()
	modules := map[string]string{"pods.rego": policy}
	for _, below := range []string{"gatekeeper/*", "lib/images", "lib/pods", "scope/changes"} {
		names, _ := filepath.Glob("../../../rego/" + below + "/*.rego")
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && !strings.HasSuffix(name, "_test.rego") && strings.HasPrefix(below, "gatekeeper") {
				modules[name] = string(text)
			}
		}
	}
	constraint := func(name string, match message) message {
		return message{"policy": "pods", "constraint": message{"kind": "Pods", "metadata": message{"name": name}, "spec": message{"match": match}}}
	}
	data := message{"groups": []message{{"modules": modules, "data": message{"constraints": []message{
		constraint("critical", message{"namespaceSelector": message{"matchLabels": message{"critical": "yes"}}}),
	}}}}}
	for key, value := range more {
		data[key] = value
	}
	return c.last(message{"type": "setup"}, data)
}

func write(t *testing.T, text string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []byte(path)
}

func pod(name, namespace string) string {
	return fmt.Sprintf("kind: Pod\nmetadata: {name: %s, namespace: %q}\nspec:\n  containers: []\n", name, namespace)
}

// inShort returns records without the parts that are the same in all of them.
func inShort(records []message) (out []string) {
	for _, record := range records {
		name := ""
		if object, isObject := record["object"].(message); isObject {
			metadata, _ := object["metadata"].(message)
			name = fmt.Sprint(" ", metadata["name"], " ", record["namespace"])
		}
		assumed := ""
		if responses, _ := record["responses"].([]any); len(responses) > 0 {
			assumed = fmt.Sprint(" ", responses[0].(message)["namespaceAssumed"])
		}
		out = append(out, fmt.Sprint(record["id"], " ", record["type"], name, assumed))
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, found []string, expected ...string) {
	t.Helper()
	if !slices.Equal(found, expected) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(found, "\n"), strings.Join(expected, "\n"))
	}
}

func TestInventory(t *testing.T) {
	c := start(t)
	kinds := []string{"a.io/Thing"}
	c.ask(message{"type": "setup"}, message{"groups": []any{}, "inventory": message{"of": kinds, "by": []string{}}})
	thing := func(name, value string) string {
		return fmt.Sprintf("---\napiVersion: a.io/v1\nkind: Thing\nmetadata: {name: %s}\nvalue: %s\n", name, value)
	}
	first := thing("x", "first") + thing("x", "second") + strings.ReplaceAll(thing("y", "other"), "a.io", "b.io")
	c.ask(message{"type": "file"}, write(t, first))
	c.ask(message{"type": "file"}, write(t, thing("x", "third")+thing("z", "last")))
	records := c.ask(message{"type": "namespaces"}, nil)
	expect(t, []string{fmt.Sprint(records[len(records)-1]["inventory"])},
		"map[cluster:map[a.io/v1:map[Thing:map["+
			"x:map[apiVersion:a.io/v1 kind:Thing metadata:map[name:x] value:first] "+
			"z:map[apiVersion:a.io/v1 kind:Thing metadata:map[name:z] value:last]]]]]",
	)
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

func TestFilesAndNamespaces(t *testing.T) {
	c := start(t)
	if done := c.setup(nil); done["type"] != "done" {
		t.Fatal(done)
	}
	namespace := func(name, labels string) string {
		return fmt.Sprintf("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {%s}}\n", name, labels)
	}
	first := pod("in", "in") + "---\n" + pod("out", "out") + "---\n" + pod("unknown", "unknown") + "---\n" + pod("twice", "twice") +
		"---\n" + pod("stated", "stated") + "---\nkind: Pod\nmetadata: {name: nowhere}\n---\nb: [\n"
	second := namespace("in", "critical: 'yes'") + namespace("out", "critical: 'no'") + namespace("twice", "a: b") +
		namespace("twice", "a: c") + namespace("stated", "critical: 'yes'")
	expect(t, inShort(c.ask(message{"type": "file"}, write(t, first))), "1 done", "1 error", "1 finding nowhere  true")
	expect(t, inShort(c.ask(message{"type": "file"}, write(t, second))), "2 done")
	records := c.ask(message{"type": "namespaces"}, message{"stated": message{"critical": "no"}})
	expect(t, inShort(records), "1 finding in in false", "1 finding twice twice true", "1 finding unknown unknown true", "3 done")
	last := records[len(records)-1]
	expect(t, []string{fmt.Sprint(last["known"], last["ambiguous"])},
		"map[in:map[critical:yes] out:map[critical:no] stated:map[critical:no]] [twice]")
	// Deferred findings are reported once.
	expect(t, inShort(c.ask(message{"type": "namespaces"}, nil)), "4 done")
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

func TestAFindingHasLines(t *testing.T) {
	c := start(t)
	c.setup(nil)
	text := "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: p}\n  spec:\n    containers:\n    - name: &c c\n"
	records := c.ask(message{"type": "file", "name": "x.yaml", "namespace": "n", "replace": true}, write(t, text))
	records = append(records, c.ask(message{"type": "namespaces"}, message{"n": message{"critical": "yes"}})...)
	finding := records[1]
	encoded, _ := json.Marshal([]any{finding["document"], finding["item"], finding["lines"], finding["namespace"]})
	expect(t, []string{string(encoded)},
		`[0,[0],[[[],4],[["spec"],5],[["spec","containers"],6]],"n"]`)
}

func TestTargetNamespaces(t *testing.T) {
	c := start(t)
	c.setup(nil)
	for place, target := range []message{{}, {"namespace": "n"}, {"namespace": "n", "replace": true}} {
		target["type"] = "file"
		c.ask(target, write(t, pod("stating", "other")+"---\nkind: Pod\nmetadata: {name: silent}\n"))
		records := c.ask(message{"type": "namespaces"}, message{"n": message{"critical": "yes"}, "other": message{"critical": "no"}})
		id := 1 + 2*place
		expected := [][]string{
			{fmt.Sprintf("%d done", id+1)},
			{fmt.Sprintf("%d finding silent n false", id), fmt.Sprintf("%d done", id+1)},
			{fmt.Sprintf("%d finding silent n false", id), fmt.Sprintf("%d finding stating n false", id), fmt.Sprintf("%d done", id+1)},
		}[place]
		expect(t, inShort(records), expected...)
	}
}

// A namespace that is not a valid name is not known.
func TestPlaceholdersOfNamespaces(t *testing.T) {
	c := start(t)
	c.setup(nil)
	for place, name := range []string{"${NAMESPACE}", "{{ .Release.Namespace }}", "Kube-System", "kube system", "-a", strings.Repeat("a", 64)} {
		for again, target := range []string{"", "critical"} {
			records := c.ask(message{"type": "file", "namespace": target}, write(t, pod("p", name)))
			id := 1 + 3*place + again
			expected := []string{fmt.Sprintf("%d done", id), fmt.Sprintf("%d finding p  true", id)}
			if target != "" {
				expected = expected[:1] // until its Namespace is known
			}
			expect(t, inShort(records), expected...)
		}
		c.ask(message{"type": "namespaces"}, message{"critical": message{"critical": "yes"}})
	}
}

func TestManyDeferredFindings(t *testing.T) {
	c := start(t)
	c.setup(nil)
	const pods = 1800
	var text strings.Builder
	for number := range pods {
		fmt.Fprintf(&text, "---\n%s  data: %s\n", pod(fmt.Sprint(number), fmt.Sprintf("n%d", number%3)), strings.Repeat("x", 5000))
	}
	expect(t, inShort(c.ask(message{"type": "file"}, write(t, text.String()))), "1 done")
	id := c.send(message{"type": "namespaces"}, message{"n0": message{"critical": "yes"}, "n1": message{}})
	count := map[string]int{}
	for _, record := range c.until(id) {
		if record["type"] == "finding" {
			count[fmt.Sprint(record["namespace"], record["responses"].([]any)[0].(message)["namespaceAssumed"])]++
		}
	}
	if len(count) != 2 || count["n0false"] != pods/3 || count["n2true"] != pods/3 {
		t.Error(count)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	c := start(t)
	c.setup(nil)
	for path, expected := range map[string]string{
		filepath.Join(t.TempDir(), "gone"): "2 <nil>", t.TempDir(): "21 <nil>", string(write(t, " \n\n")): "<nil> true",
	} {
		for _, kind := range []message{{"type": "file"}, {"type": "read", "source": "path"}} {
			done := c.last(kind, []byte(path))
			expect(t, []string{fmt.Sprint(done["errno"], " ", done["blank"])}, expected)
		}
	}
}

func TestTheFirstByteThatIsNotText(t *testing.T) {
	c := start(t)
	c.setup(nil)
	text := []byte("a: 1\n---\nb: \xe9\n---\nc: \xe9\n")
	for _, kind := range []message{{"type": "file"}, {"type": "read", "source": "path"}} {
		found := c.ask(kind, write(t, string(text)))
		if len(found) != 2 || found[0]["line"] != 3.0 || found[0]["document"] != nil {
			t.Error(found)
		}
	}
}

func TestReading(t *testing.T) {
	c := start(t)
	text := "# c\nkind: List\nitems:\n- kind: PodList\n  apiVersion: v1\n  items:\n  - spec: {a: [1]}\n- apiVersion: apps/v1\n  kind: Deployment\n---\n1\n---\n---\nx: on\n"
	lines := func(records []message) (out []string) {
		for _, record := range records {
			delete(record, "type")
			delete(record, "id")
			encoded, _ := json.Marshal(record)
			out = append(out, string(encoded))
		}
		return out
	}
	done := `{"documents":4,"documentsWithKind":1,"objects":2}`
	expect(t, lines(c.ask(message{"type": "read", "unit": "objects", "lines": true}, []byte(text))),
		`{"document":0,"item":[0,0],"line":7,"lines":[7,7,7,7,7,7],"object":{"apiVersion":"v1","kind":"Pod","spec":{"a":[1]}}}`,
		`{"document":0,"item":[1],"line":8,"lines":[8,8,9],"object":{"apiVersion":"apps/v1","kind":"Deployment"}}`, done)
	expect(t, lines(c.ask(message{"type": "read", "kinds": []string{"apps/Deployment", "apps/Pod"}, "firstLine": 11}, []byte(text))),
		`{"document":0,"item":[1],"line":18,"object":{"apiVersion":"apps/v1","kind":"Deployment"}}`, done)
	documents := lines(c.ask(message{"type": "read", "unit": "documents", "dialect": "gator"}, []byte("\ufeff"+text)))
	expect(t, documents[1:],
		`{"begin":128,"document":1,"end":130,"format":"yaml","line":11,"value":1}`,
		`{"begin":134,"document":2,"end":134,"format":"yaml","line":13,"value":null}`,
		`{"begin":138,"document":3,"end":144,"format":"yaml","line":14,"value":{"x":"on"}}`, done)
	expect(t, lines(c.ask(message{"type": "read", "unit": "documents", "first": true}, []byte("a: on\n---\nb: [\n"))),
		`{"begin":0,"document":0,"end":15,"format":"yaml","line":1,"value":{"a":true}}`, `{"documents":1}`)
	expect(t, lines(c.ask(message{"type": "read", "unit": "documents"}, []byte("{\"a\": 1}\n{\"b\": 2}"))),
		`{"begin":0,"document":0,"end":8,"format":"json","line":1,"value":{"a":1}}`,
		`{"begin":9,"document":1,"end":17,"format":"json","line":2,"value":{"b":2}}`, `{"documents":2}`)
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

func TestNamespacesOfReadRequests(t *testing.T) {
	c := start(t)
	for name, isInput := range map[string]bool{"a": false, "b": true} {
		text := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", name)
		c.ask(message{"type": "read", "isInput": isInput}, []byte(text))
	}
	done := c.last(message{"type": "namespaces"}, nil)
	expect(t, []string{fmt.Sprint(done["known"])}, "map[b:map[]]")
}

func TestReadingStreams(t *testing.T) {
	c := start(t)
	document := "kind: X\ndata: " + strings.Repeat("x", 1000) + "\n---\n"
	id := c.send(message{"type": "read", "source": "path"}, write(t, strings.Repeat(document, 20_000)))
	other := c.send(message{"type": "query", "entry": "data.a.x"}, message{"modules": message{"a.rego": "package a\n\nx := 1\n"}})
	objects := 0
	for seen := 0; seen < 2; {
		record := c.read()
		switch {
		case record["type"] == "object":
			objects++
		case record["id"] == float64(id) || record["id"] == float64(other):
			seen++
		}
	}
	if objects != 20_000 {
		t.Error(objects)
	}
}

func TestBatches(t *testing.T) {
	c := start(t)
	c.setup(nil)
	pod := func(namespace, fails string) message {
		return message{"kind": "Pod", "metadata": message{"name": "p", "namespace": namespace, "annotations": message{"fails": fails}}}
	}
	known := message{"critical": message{"apiVersion": "v1", "kind": "Namespace", "metadata": message{"name": "critical", "labels": message{"critical": "yes"}}}}
	done := c.last(message{"type": "batch", "namespace": "n"}, message{
		"objects": []message{pod("critical", ""), pod("", ""), pod("n", "1"), {"kind": "X"}}, "namespaces": known,
	})
	var found []string
	for _, answer := range done["answers"].([]any) {
		own := answer.(message)
		responses, _ := own["responses"].([]any)
		found = append(found, fmt.Sprint(own["namespace"], " ", len(responses), " ", own["failure"]))
	}
	expect(t, found, "critical 1 <nil>", "n 1 <nil>", " 0 pods.rego:12: function data.policies.pods.differs produced conflicting values for the same inputs: 1 at pods.rego:10 2 at pods.rego:12", " 0 <nil>")
	if failed := c.last(message{"type": "batch"}, []byte("{")); failed["type"] != "failed" {
		t.Error(failed)
	}
}

func TestQueries(t *testing.T) {
	c := start(t)
	modules := message{"a.rego": "package a\n\nx := {\"big\": 12345678901234567890123, \"n\": input.n}\n\ny := 1 if input.n\n"}
	done := c.last(message{"type": "query", "entry": "data.a.x"}, message{"modules": modules, "input": message{"n": "é"}})
	expect(t, []string{done["data"].(string)}, `{"big":12345678901234567890123,"n":"é"}`)
	failed := c.last(message{"type": "query", "entry": "data.a.y"}, message{"modules": modules, "input": message{}})
	expect(t, []string{failed["message"].(string)}, "data.a.y is undefined")
	failed = c.last(message{"type": "query", "entry": "data.a.y"}, message{"modules": message{"b.rego": "package b\n\nx := y\n"}})
	expect(t, []string{failed["message"].(string)}, "b.rego:3: var y is unsafe")
	failed = c.last(message{"type": "query", "entry": "data.a.y"}, []byte("[]"))
	expect(t, []string{failed["message"].(string)}, "the data of a request cannot be read: json: cannot unmarshal array into Go value of type struct { Modules map[string]string \"json:\\\"modules\\\"\"; Input json.RawMessage \"json:\\\"input\\\"\" }")
}

const annotated = `# METADATA
# title: T
# scope: package
# custom:
#   b: [1]
package a.b

import data.lib.x
import future.keywords.if

violation contains {"msg": x.text} if {
	some entry in data.inventory[input.kind].y
	count(data.lib.z) > 0 with data.c as entry
}

one if data.no else := data.d

plain := {value | value := data["e"]["f g"].h}

a.b contains 1
`

func TestModules(t *testing.T) {
	c := start(t)
	found := c.last(message{"type": "parse"}, []byte(annotated))["data"].(string)
	expect(t, []string{found}, `{"package":["a","b"],"line":6,"references":[`+
		`{"parts":["data","lib","x"],"isImport":true,"line":8},`+
		`{"parts":["future","keywords","if"],"isImport":true,"line":9},`+
		`{"parts":["data","inventory"],"isImport":false,"line":12},`+
		`{"parts":["data","lib","z"],"isImport":false,"line":13},`+
		`{"parts":["data","c"],"isImport":false,"line":13},`+
		`{"parts":["data","no"],"isImport":false,"line":16},`+
		`{"parts":["data","d"],"isImport":false,"line":16},`+
		`{"parts":["data","e","f g","h"],"isImport":false,"line":18}],`+
		`"sets":["violation"],`+
		`"metadata":{"line":1,"text":"# METADATA\n# title: T\n# scope: package\n# custom:\n#   b: [1]",`+
		`"annotations":{"custom":{"b":[1]},"scope":"package","title":"T"}}}`)
	for text, expected := range map[string]message{
		"package a\n\nx := \n":                {"message": "unexpected eof token", "line": 4.0},
		"":                                    {"message": "empty module"},
		"# METADATA\n# title: [\npackage a\n": {"message": "yaml: line 1: did not find expected node content", "line": 2.0},
	} {
		failed := c.last(message{"type": "parse"}, []byte(text))
		if failed["message"] != expected["message"] || failed["line"] != expected["line"] {
			t.Errorf("%q: %v", text, failed)
		}
	}
}

const owned = `package a

found := [[pod.metadata.namespace, pod.metadata.name, [workload.metadata.name | some workload in input.workloads]] | some pod in input.pods]
`

func TestControlledObjects(t *testing.T) {
	c := start(t)
	c.setup(message{"remember": true})
	pod := func(name, namespace, controller string) string {
		return fmt.Sprintf("kind: Pod\nmetadata: {name: %s, %snamespace: %s, ownerReferences: [{kind: X, name: x}, {controller: true, kind: ReplicaSet, name: %s}]}\n",
			name, "", namespace, controller)
	}
	controller := func(name, namespace string) string {
		return fmt.Sprintf("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: %s, namespace: %s}\n", name, namespace)
	}
	c.ask(message{"type": "file"}, write(t, strings.Join([]string{
		pod("one", "a", "r"), controller("r", "a"), controller("r", "b"), pod("lost", "a", "gone"), pod("two", "a", "s"),
	}, "---\n")))
	large := strings.Repeat(" ", largeDocument)
	c.ask(message{"type": "file", "name": "x.json"}, write(t, `{"kind": "List",`+large+`"items": [{"kind": "ReplicaSet", "metadata": {"name": "s", "namespace": "a"}}]}`))
	c.ask(message{"type": "file", "namespace": "moved", "replace": true}, write(t, pod("one", "b", "r")+"---\n"+controller("r", "c")))
	ask := func(objects ...[]string) string {
		return fmt.Sprint(c.last(message{"type": "controlled", "entry": "data.a.found"}, message{"modules": message{"a.rego": owned}, "objects": objects})["data"])
	}
	expect(t, []string{
		ask([]string{"a", "Pod", "one"}),
		ask([]string{"a", "Pod", "two"}, []string{"a", "Pod", "lost"}, []string{"a", "ReplicaSet", "r"}, []string{"a", "Pod", "none"}),
		ask([]string{"b", "Pod", "one"}),
		ask([]string{"moved", "Pod", "one"}),
		ask(),
	}, `[["a","one",["r"]]]`, `[["a","two",["s"]]]`, "[]", `[["moved","one",["r"]]]`, "[]")
}

func TestSetup(t *testing.T) {
	c := start(t)
	if done := c.last(message{"type": "read"}, []byte("a: [[[[[1]]]]]\n")); done["documents"] != 1.0 {
		t.Error(done)
	}
	c.setup(message{"limits": message{"maxDepth": 4}})
	found := c.ask(message{"type": "read"}, []byte("a: [[[[[1]]]]]\n"))
	if message := found[0]["message"]; message != "nested deeper than 4 levels" {
		t.Error(found)
	}
	bad := start(t)
	failed := bad.last(message{"type": "setup"}, message{"groups": []message{{"modules": message{"bad.rego": "package bad\n\nx := y\n"}}}})
	expect(t, []string{fmt.Sprint(failed["type"], " ", failed["message"])}, "failed bad.rego:3: var y is unsafe")
	if err := bad.end(); err == nil {
		t.Error("it ended well")
	}
}

func TestInvalidRequests(t *testing.T) {
	for text, expected := range map[string]string{
		"":                                   "",
		"{\"type\":\"file\"":                 "a request is cut off",
		"{\"type\":\"file\",\"size\":5}\nab": "a request is cut off",
		"{\"type\":\"dance\"}\n":             `there is no request of the type "dance"`,
		"dance\n":                            `a request cannot be read: "dance\n"`,
		"{\"type\":\"read\",\"size\":-1}\n":  `a request cannot be read: "{\"type\":\"read\",\"size\":-1}\n"`,
		"{\"type\":\"file\"}\n":              "file was asked for before setup",
		"{\"type\":\"batch\"}\n":             "batch was asked for before setup",
		"{\"type\":\"setup\",\"size\":2}\n{}{\"type\":\"setup\",\"size\":2}\n{}": "setup was asked for twice",
		"{\"type\":\"setup\",\"size\":1}\n{":                                     "the data of a request cannot be read: unexpected EOF",
		strings.Repeat("x", longestLine+1) + "\n":                                "bufio: buffer full",
	} {
		var out bytes.Buffer
		err := Serve(strings.NewReader(text), &out)
		records := strings.Split(strings.TrimSpace(out.String()), "\n")
		var last struct{ Type, Message string }
		if json.Unmarshal([]byte(records[len(records)-1]), &last); last.Message != expected || (err == nil) != (expected == "") {
			t.Errorf("%.100q ends with %v: %s, not %s", text, err, out.String(), expected)
		}
		if expected != "" && last.Type != "fatal" {
			t.Errorf("%.100q ends with %s", text, last.Type)
		}
	}
}
