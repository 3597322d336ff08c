package read

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const depth = 500

// readPlain returns the JSON of a document. It returns ok=false if the document is not plain.
func readPlain(source []byte) (string, bool) {
	text, _, ok := normal(source, nil)
	if !ok {
		return "", false
	}
	t := &Tape{}
	t.reset(text)
	if !t.readYAML(depth) {
		return "", false
	}
	if len(t.nodes) == 0 {
		return "null", true
	}
	return string(t.AppendJSON(nil, 0)), true
}

// value decodes JSON, with numbers that are compared by value.
func value(t *testing.T, text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var found any
	if err := decoder.Decode(&found); err != nil {
		t.Fatalf("%s is not JSON: %v", text, err)
	}
	return found
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for key, own := range a {
			if its, found := other[key]; !found || !equal(own, its) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !equal(a[i], other[i]) {
				return false
			}
		}
		return true
	case json.Number:
		other, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, _ := new(big.Rat).SetString(a.String())
		y, _ := new(big.Rat).SetString(other.String())
		return x != nil && y != nil && x.Cmp(y) == 0
	default:
		return a == b
	}
}

// holds fails if a document is plain, but Kubernetes' own reader rejects it or reads another value, or the full parser has other
// lines.
func holds(t *testing.T, source []byte) {
	plain, ok := readPlain(source)
	if !ok || bytes.Contains(append([]byte("\n"), source...), separator) {
		return
	}
	theirs, err := yaml.YAMLToJSONStrict(source)
	if err != nil {
		t.Fatalf("%q is %s, and Kubernetes says: %v", source, plain, err)
	}
	if !equal(value(t, plain), value(t, string(theirs))) {
		t.Fatalf("%q is\n%s, and Kubernetes says\n%s", source, plain, theirs)
	}
	reader := Reader{Limits: DefaultLimits, Dialect: Kubernetes}
	full, problems := reader.ReadFirst(source, 1)
	if len(problems) > 0 || full.IsEmpty() {
		return // more than one document
	}
	own := &Document{Tape: reader.readPlain(source), Line: 1}
	whole := Object{InheritedVersion: -1}
	if lines, theirs := string(own.AppendAllLines(nil, whole)), string(full.AppendAllLines(nil, whole)); lines != theirs {
		t.Fatalf("%q has its values on the lines %s, and by the full parser on %s", source, lines, theirs)
	}
}

// Documents with their values: most of them are plain, and some are not.
var documents = []struct{ source, value string }{
	{"", "null"},
	{"# nothing\n", "null"},
	{"a: 1\nb: [x, 'y', \"z\"]\n", `{"a":1,"b":["x","y","z"]}`},
	{"a:\n- b\n-  c: d\n   e:\n- - f\n  - g\n", `{"a":["b",{"c":"d","e":null},["f","g"]]}`},
	{"a:\n  - -c\n  - -1\n  - --x\n  - -\n", `{"a":["-c",-1,"--x",[null]]}`},
	{"a: one\n  two\n\n  three # end\nb: 'x\n\n\n  y'\n", `{"a":"one two\nthree","b":"x\n\ny"}`},
	{"a: \"x\\\n  y\\n\\u00e9\"\n", `{"a":"xy\né"}`},
	{"a: |\n  x\n\n   y\nb: >-\n  p\n  q\n\n  r\n   s\n  t\n", `{"a":"x\n\n y\n","b":"p q\nr\n s\nt"}`},
	{"a: |+\n  x\n\nb: |2-\n   y\n", `{"a":"x\n\n","b":" y"}`},
	{"a: {b: 1, 'c': [2, {d: e}]}\n", `{"a":{"b":1,"c":[2,{"d":"e"}]}}`},
	{"a: [x, # first\n    z]\n", `{"a":["x","z"]}`},
	{"a: 0644\nb: 1.50\nc: 2.0\nd: 1.2.3\ne: 10m\nf: 2020-01-01\n", `{"a":420,"b":1.5,"c":2,"d":"1.2.3","e":"10m","f":"2020-01-01"}`},
	{"a: yes\nb: ~\nc: Off\nd: yess\ne: 3e0f5abc\nf: =\n", `{"a":true,"b":null,"c":false,"d":"yess","e":"3e0f5abc","f":"="}`},
	{"8080: x\n\"y\": z\n", `{"8080":"x","y":"z"}`},
	{"a: :2112\nb: x:y\nc: x#y\n", `{"a":":2112","b":"x:y","c":"x#y"}`},
	{"a: b\r\nc: |\r\n  d\r\n", `{"a":"b","c":"d\n"}`},
	{"{\"a\": {\"b\":[1,true,null]}}", `{"a":{"b":[1,true,null]}}`},
	{"a: b\n...\n# end\n", `{"a":"b"}`},
	{"a: &x b\n", ""},
	{"a: *x\n", ""},
	{"a: !!str b\n", ""},
	{"<<: {a: b}\n", ""},
	{"a: b\na: c\n", ""},
	{"a:\tb\n", ""},
	{"a: b: c\n", ""},
	{"{{ .Values.x }}\n", ""},
	{"a: {{ .Values.x }}\n", ""},
	{"a: 1e3\n", ""},
	{"a: 0x1F\n", ""},
	{"a: 1_000\n", ""},
	{"a: .inf\n", ""},
	{"y: b\n", ""},
	{"? a\n: b\n", ""},
	{"%YAML 1.1\n", ""},
	{"a: b\n...\nc: d\n", ""},
	{"a: \x00\n", ""},
	{"a: \xff\n", ""},
	{"a: \u0085\n", ""},
	{"a: 'b\n", ""},
	{"a: [b\n", ""},
	{"a: |\n   b\n  c\n", ""},
	{strings.Repeat("- ", depth+1) + "a\n", ""},
}

func TestDocuments(t *testing.T) {
	for _, document := range documents {
		found, ok := readPlain([]byte(document.source))
		if ok != (document.value != "") || ok && !equal(value(t, found), value(t, document.value)) {
			t.Errorf("%q is %s (%v), not %s", document.source, found, ok, document.value)
		}
		holds(t, []byte(document.source))
	}
}

func FuzzYAML(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document.source))
	}
	for _, path := range corpus() {
		if source, err := os.ReadFile(path); err == nil && len(source) < 4000 {
			f.Add(source)
		}
	}
	f.Fuzz(holds)
}

func FuzzJSON(f *testing.F) {
	for _, source := range []string{
		`{"a": [1, -2.5, true, null, "x\u00e9\ud83d\ude00\n"]}`, `[]`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"a":1e5}`, `[1E700]`, "{\r\n}",
	} {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		text, _ := validUTF8(source)
		read := &Tape{}
		read.reset(text)
		end, hasDuplicates, ok := read.readJSON(depth)
		ok = ok && end == len(bytes.TrimRight(text, blanks))
		if ok != json.Valid(text) && !read.tooDeep {
			t.Fatalf("%q is JSON: %v", source, ok)
		}
		if !ok || hasDuplicates {
			return
		}
		if plain := string(read.AppendJSON(nil, 0)); !equal(value(t, plain), asRead(value(t, string(text)))) {
			t.Fatalf("%q is %s", source, plain)
		}
	})
}

// asRead returns a value in which numbers that no float can hold are text. Kubernetes' YAML reader does that for JSON as well.
func asRead(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, own := range value {
			value[key] = asRead(own)
		}
	case []any:
		for i, own := range value {
			value[i] = asRead(own)
		}
	case json.Number:
		if _, err := value.Float64(); err != nil {
			return value.String()
		}
	}
	return value
}

// corpus returns the files of real manifests, if there are any next to the project.
func corpus() []string {
	root := os.Getenv("PULLGUARD_CORPUS")
	if root == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(root, "*", "*"))
	return found
}
