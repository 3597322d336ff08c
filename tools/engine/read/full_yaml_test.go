package read

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kubernetes "sigs.k8s.io/yaml"
)

// firstOf returns the result of reading the first document of a text, in the form of source.outcome.
func firstOf(text string, dialect Dialect) (*Document, []string) {
	reader := Reader{Limits: DefaultLimits, Dialect: dialect}
	document, problems := reader.ReadFirst([]byte(text), 1)
	var out []string
	for _, problem := range problems {
		out = append(out, fmt.Sprintf("%d: %s; %s", problem.Line, problem.Message, problem.Remedy))
	}
	if document != nil {
		out = append(out, valueIn(document))
	}
	return document, out
}

func expectFirst(t *testing.T, text string, dialect Dialect, expected string) {
	t.Helper()
	if _, found := firstOf(text, dialect); strings.Join(found, "|") != expected {
		t.Errorf("%.200q for %s is\n%s\nnot\n%s", text, dialect, strings.Join(found, "\n"), expected)
	}
}

func TestValues(t *testing.T) {
	for text, expected := range map[string]string{
		"":                                "null",
		"# nothing\n":                     "null",
		"---\n":                           "null",
		"a: 1\nb: [x, {c: d}]\n":          `{"a":1,"b":["x",{"c":"d"}]}`,
		"1: a\ntrue: b\n1.50: c\nno: d\n": `{"1":"a","true":"b","1.5":"c","false":"d"}`,
		"a:\tb\n":                         `{"a":"b"}`,
		"a: .inf\nb: -.inf\nc: .nan\n":    `{"a":".inf","b":"-.inf","c":".nan"}`,
		"a: !!str 1\nb: !x 2\nc: !!int '3'\nd: !!binary aGk=\n": `{"a":"1","b":"2","c":3,"d":"hi"}`,
		"a: =\nb: 2001-01-01\n":                                 `{"a":"=","b":"2001-01-01"}`,
		"z: &x 1\na: {d: *x, b: 2}\n":                           `{"z":1,"a":{"d":1,"b":2}}`,
		"? a\n: b\n? c\n":                                       `{"a":"b","c":null}`,
		"a: b\n...\n# the end\n":                                `{"a":"b"}`,
		"a: 0x1F\nb: 1_000\nc: 1e3\n":                           `{"a":31,"b":1000,"c":1000}`,
		"a: 1e400\nb: 18446744073709551616\n":                   `{"a":"1e400","b":18446744073709552000}`,
		"a: &x k\n*x : v\n":                                     `{"a":"k","k":"v"}`,
		"a: &x 1\nb: &x 2\nc: *x\n":                             `{"a":1,"b":2,"c":2}`,
		"l: &l\n- {a: 1}\nx:\n- <<: *l\n":                       `{"l":[{"a":1}],"x":[{"a":1}]}`,
	} {
		expectFirst(t, text, Kubernetes, expected)
	}
	for text, expected := range map[string]string{
		"a: yes\nb: on\nc: true\n":           `{"a":"yes","b":"on","c":true}`,
		"a: 2001-01-01\n":                    `{"a":"2001-01-01T00:00:00Z"}`,
		"1: a\n2001-01-01: b\nyes: c\n":      `{"1":"a","2001-01-01":"b","yes":"c"}`,
		"a: {yes: b}\n":                      `{"a":{"yes":"b"}}`,
		"- 1\n":                              "[1]",
		"a: 1\n---\nb: [\n":                  `{"a":1}`,
		"\ufeff# c\n---\na: on\n---\nb: [\n": `{"a":"on"}`,
	} {
		expectFirst(t, text, Gator, expected)
	}
}

func TestMergeKeys(t *testing.T) {
	const base = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n"
	for merge, expected := range map[string][2]string{
		"{<<: *base, b: 9}":         {`{"a":1,"b":9}`, `{"a":1,"b":9}`},
		"{b: 9, <<: *base}":         {`{"a":1,"b":2}`, `{"a":1,"b":9}`},
		"{<<: [*base, *other]}":     {`{"a":1,"b":2,"c":4}`, `{"a":1,"b":2,"c":4}`},
		"{<<: {<<: *base, a: 7}}":   {`{"a":7,"b":2}`, `{"a":7,"b":2}`},
		"{'<<': 1}":                 {`{"<<":1}`, `{"<<":1}`},
		"{!!merge <<: *base}":       {`{"a":1,"b":2}`, `{"a":1,"b":2}`},
		"{<<: []}":                  {`{}`, `{}`},
		"{<<: *base, <<: *other}":   {`{"a":1,"b":3,"c":4}`, ""},
		"{<<: *base, a: 5}":         {`{"a":5,"b":2}`, `{"a":5,"b":2}`},
		"{<<: *base, a: 5, a: 6}  ": {"", ""},
	} {
		for place, dialect := range []Dialect{Kubernetes, Gator} {
			document, found := firstOf(base+"x: "+merge+"\n", dialect)
			if expected[place] == "" {
				if problem := found[0]; !strings.HasPrefix(problem, "3: the key ") {
					t.Errorf("%s for %s is %s", merge, dialect, found)
				}
			} else if own := string(document.AppendJSON(nil, document.Get(0, "x"))); !equal(value(t, own), value(t, expected[place])) {
				t.Errorf("%s for %s is %s, not %s", merge, dialect, own, expected[place])
			}
		}
	}
	for _, merged := range []string{"1", "[1]", "", "[[{a: 1}]]"} {
		expectFirst(t, "a:\n  <<: "+merged+"\n", Kubernetes, "2: `<<` takes a mapping or a list of mappings; write its entries out")
	}
}

func TestBrokenDocuments(t *testing.T) {
	const (
		quoteKey = "a mapping or a list cannot be a key; put the key in quotes"
		wrong    = "; correct the document"
	)
	for text, expected := range map[string]string{
		"a: *x\n":                                     "1: the alias *x has no anchor before it" + wrong,
		"a: '*x'\n# *xy\nb: &y 1\nc: *x\n":            "4: the alias *x has no anchor before it" + wrong,
		"a: 1\nb: &x [*x]\n":                          "2: the anchor &x contains itself" + wrong,
		"a: &x\n  <<: *x\n":                           "2: the anchor &x contains itself" + wrong,
		"a: 1\n[b]: c\n":                              "2: " + quoteKey,
		"a: {{ .Values.x }}\n":                        "1: " + quoteKey,
		"a: &x [1]\n*x : c\n":                         "2: " + quoteKey,
		"a: 1\n~: c\n":                                "2: ~ cannot be a key of an object; put it in quotes",
		"a: 1\n? \n: c\n":                             "2: an empty key cannot be a key of an object; put it in quotes",
		"a: 1\nb: !!int c\n":                          "2: `c` is not a value of the tag !!int; correct the value or remove the tag",
		"a: !!bool " + strings.Repeat("x", 50) + "\n": "1: `" + strings.Repeat("x", 20) + "...` is not a value of the tag !!bool; correct the value or remove the tag",
		"a: !!binary é\n":                             "1: !!binary value is not base64; correct the value or remove the tag",
		"a:\n  b: [c\nd: e\n":                         "3: not valid YAML: did not find expected ',' or ']'" + wrong,
		"a: b: c\n":                                   "1: not valid YAML: mapping values are not allowed in this context" + wrong,
		"a:\n\tb: c\n":                                "2: not valid YAML: found character that cannot start any token; indent with spaces, not with tabs",
		"a: @b\n":                                     "1: not valid YAML: found character that cannot start any token" + wrong,
		"x: 1\n\na: 'b\n\n\n":                         "3: not valid YAML: found unexpected end of stream" + wrong,
		"a: 1\nb: \x00\n":                             "2: a NUL byte: the file is damaged, or is not UTF-8 text; remove it, or save the file as UTF-8",
		"a: 1\n\nb: \x07\n":                           "3: the character U+0007, which YAML does not allow; remove it",
		"a: 1\nb: \uffff\n":                           "2: the character U+FFFF, which YAML does not allow; remove it",
		"a: {{ x }}\nkind: X\nb: [\n":                 "1: " + quoteKey,
	} {
		expectFirst(t, text, Kubernetes, expected)
	}
	for text, expected := range map[string]string{
		"a: {1: b}\n":            "1: 1 cannot be a key of an object; put it in quotes",
		"a: {true: b}\n":         "1: true cannot be a key of an object; put it in quotes",
		"a: 1\nb: .inf\n":        "2: .inf is not a number in JSON; put it in quotes",
		"a: !!bool yes\n":        "1: `yes` is not a value of the tag !!bool; correct the value or remove the tag",
		"a: 1\nb:\n b: 1\n b: 2": "4: " + fmt.Sprintf(isDuplicate, "b", 3),
		"a:\n  b: [c\nd: e\n":    "3: not valid YAML: did not find expected ',' or ']'" + wrong,
		"a:\n  <<: 1\n":          "2: `<<` takes a mapping or a list of mappings; write its entries out",
	} {
		expectFirst(t, text, Gator, expected)
	}
}

func TestDuplicateKeys(t *testing.T) {
	const missing = `the key "apiVersion" occurs twice in one mapping, first on line 1: the last value counts, and Kubernetes' strict decoding refuses the object; ` +
		"put a line `---` between the two objects"
	for text, expected := range map[string]string{
		"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n": "5: " + fmt.Sprintf(isDuplicate, "c", 3) + `|{"a":1,"b":{"c":3,"d":2}}`,
		"1: a\n'1': b\n":                     "2: " + fmt.Sprintf(isDuplicate, "1", 1) + `|{"1":"b"}`,
		"a: 1\na: 2\na: 3\n":                 "2: " + fmt.Sprintf(isDuplicate, "a", 1) + "|3: " + fmt.Sprintf(isDuplicate, "a", 1) + `|{"a":3}`,
		"apiVersion: v1\nkind: Pod\nspec:\n  a: 1\n  a: 2\napiVersion: v1\nkind: Pod\nspec: {}\n": "6: " + missing + "|5: " +
			fmt.Sprintf(isDuplicate, "a", 4) + `|{"apiVersion":"v1","kind":"Pod","spec":{}}`,
	} {
		expectFirst(t, text, Kubernetes, expected)
	}
	var many strings.Builder
	for number := range 60 {
		fmt.Fprintf(&many, "k%d: 1\n", number%30)
	}
	_, found := firstOf(many.String(), Kubernetes)
	if len(found) != maxDuplicates+1 || !strings.HasSuffix(found[maxDuplicates-1], "refuses the object (20 more of these follow); remove one of them") {
		t.Errorf("many duplicate keys are %s", found)
	}
}

func TestWhatFollowsADocument(t *testing.T) {
	for _, text := range []string{"a: 1\n...\nb: 2\n", "{a: 1}\n# c\n{b: 2}\n", "{a: 1}\n\n]\n", "a: 1\n...\n@\n", "'a'\n...\n- b\n c: d", "'a' ]"} {
		found := source{}.outcome("# x\n---\n" + text)
		if len(found) != 2 || !strings.HasSuffix(found[0], " 0: "+afterDocument) {
			t.Errorf("%q is %s", text, found)
		}
		if _, alone := firstOf(text, Kubernetes); len(alone) != 1 {
			t.Errorf("%q alone is %s", text, alone)
		}
	}
}

func bomb(levels, width int, inner string) string {
	lines := []string{"a0: &a0 [" + strings.Repeat(inner+", ", width) + "]"}
	for level := 1; level < levels; level++ {
		lines = append(lines, fmt.Sprintf("a%d: &a%d [%s]", level, level, strings.Repeat(fmt.Sprintf("*a%d, ", level-1), width)))
	}
	return strings.Join(lines, "\n")
}

func TestAliasBombs(t *testing.T) {
	const refused = ": aliases make the document too large; write the values out (`pullguard check` allows more with --max-aliased)"
	wide := "a: &a {"
	for number := range 1000 {
		wide += fmt.Sprintf("k%d: 1, ", number)
	}
	wide += "}\n"
	for number := range 2000 {
		wide += fmt.Sprintf("b%d: {<<: *a}\n", number)
	}
	for text, isFine := range map[string]bool{
		bomb(2, 9, "x"): true, bomb(3, 9, "x"): true, bomb(4, 9, "x"): false, bomb(9, 9, "x"): false, bomb(2, 101, "x"): true,
		bomb(2, 200, "x"): false, bomb(2, 700, "x"): false, bomb(2, 20, `"`+strings.Repeat("x", 50_000)+`"`): false, wide: false,
		// Text after the document does not hide it from the limit.
		"{" + strings.ReplaceAll(bomb(2, 20, `"`+strings.Repeat("x", 50_000)+`"`), "\n", ", ") + "}\n]": false,
	} {
		if _, found := firstOf(text, Kubernetes); strings.HasSuffix(found[0], refused) == isFine {
			t.Errorf("%.100q is %.200s", text, found)
		}
	}
}

const withLines = `# a comment
kind: Pod
spec:
  containers:
  - &base
    name: a
    image: >-
      app:1
    imagePullPolicy: &policy
      Always
  -
    name: b
    imagePullPolicy: *policy
  - <<: *base
    name: c
  - {name: d,
     image: x}
  - *base
  "initContainers":
    - - z
`

// The time for long documents grows linearly.
func TestLongDocuments(t *testing.T) {
	const lines = 8_000
	for _, line := range []string{"- \u2028&a x\r", "- &a x # *b *b *b\n", "? &a x\n: *a\n"} {
		text := strings.Repeat(line, lines)
		for _, more := range []string{"", "- *b\n", "[", "{{"} {
			began := time.Now()
			firstOf(text+more, Kubernetes)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%q and %q took %s", line, more, took)
			}
		}
	}
}

func TestLines(t *testing.T) {
	document, _ := firstOf(withLines, Kubernetes)
	containers := document.Get(document.Get(0, "spec"), "containers")
	for name, found := range map[string][2]int{
		"document":          {2, 0},
		"spec":              {3, document.Get(0, "spec")},
		"containers":        {4, containers},
		"first":             {5, document.Item(containers, 0)},
		"first's name":      {6, document.Get(document.Item(containers, 0), "name")},
		"first's image":     {7, document.Get(document.Item(containers, 0), "image")},
		"first's policy":    {9, document.Get(document.Item(containers, 0), "imagePullPolicy")},
		"second":            {12, document.Item(containers, 1)},
		"second's policy":   {9, document.Get(document.Item(containers, 1), "imagePullPolicy")},
		"third":             {14, document.Item(containers, 2)},
		"third's name":      {15, document.Get(document.Item(containers, 2), "name")},
		"third's image":     {7, document.Get(document.Item(containers, 2), "image")},
		"fourth's image":    {17, document.Get(document.Item(containers, 3), "image")},
		"fifth":             {5, document.Item(containers, 4)},
		"fifth's name":      {6, document.Get(document.Item(containers, 4), "name")},
		"an inner list's z": {20, document.Item(document.Item(document.Get(document.Get(0, "spec"), "initContainers"), 0), 0)},
	} {
		if line := document.LineOf(found[1]); line != found[0] {
			t.Errorf("%s is on line %d, not %d", name, line, found[0])
		}
	}
	for text, expected := range map[string]string{
		"a: {b: 1}\nc: 1\na:\n  b: 2\n":       "1,3,4,2",
		"a: \"x\u0085  y\"\nb: &x 1\nc: *x\n": "1,1,2,2",
		"a: \"x\u2028  y\"\nb: &x 1\n":        "1,1,2",
		"a: \"x\r  y\"\nb: &x 1\n":            "1,1,2",
		"a: 1\r\nb: &x 2\r\n":                 "1,1,2",
		"- {a: &x 1}\n-\n- *x\n":              "1,1,1,2,1",
	} {
		document, found := firstOf(text, Kubernetes)
		lines := string(document.AppendAllLines(nil, Object{InheritedVersion: -1}))
		if lines != "["+expected+"]" {
			t.Errorf("%q has its values on the lines %s, not %s (%s)", text, lines, expected, found)
		}
	}
}

// agrees fails if the full parser and Kubernetes read different values, or if a line is not one of the text.
func agrees(t *testing.T, source []byte) {
	if len(source) > 1<<16 {
		return
	}
	hasLines(t, source, Gator)
	document, problems := hasLines(t, source, Kubernetes)
	text, bad := validUTF8(source)
	if document == nil || bad >= 0 || len(problems) > 0 || bytes.HasPrefix(text, byteOrderMark) || bytes.Contains(text, []byte{'\r'}) {
		return
	}
	theirs, err := kubernetes.YAMLToJSON(text)
	if err == nil && !equal(value(t, valueIn(document)), value(t, string(theirs))) {
		t.Fatalf("%q is\n%s, and Kubernetes says\n%s", source, valueIn(document), theirs)
	}
}

// hasLines reads a text, and fails if a value or a problem has a line that the text does not have.
func hasLines(t *testing.T, source []byte, dialect Dialect) (*Document, []Problem) {
	reader := Reader{Limits: DefaultLimits, Dialect: dialect}
	document, problems := reader.ReadFirst(source, 1)
	last := 1 + max(bytes.Count(source, lineFeed), bytes.Count(source, []byte{'\r'}))
	if document == nil && len(problems) == 0 {
		t.Fatalf("%q has no value and no problem", source)
	}
	for _, problem := range problems {
		if problem.Line < 1 || problem.Line > last || problem.Message == "" {
			t.Fatalf("%q has %+v", source, problem)
		}
	}
	if document != nil {
		for index := range document.nodes {
			if line := document.LineOf(index); line < 1 || line > last {
				t.Fatalf("%q has a value on line %d of %d", source, line, last)
			}
		}
	}
	return document, problems
}

func FuzzFullYAML(f *testing.F) {
	for _, text := range []string{withLines, bomb(3, 3, "x"), "a: &x {b: 1}\nc:\n  <<: *x\n", "a: 1\n...\n]", "a: {{ x }}\n", "!!int \"3\": 'x'\n"} {
		f.Add([]byte(text))
	}
	for _, path := range corpus() {
		if source, err := os.ReadFile(path); err == nil && len(source) < 2000 && filepath.Ext(path) != ".json" {
			f.Add(source)
		}
	}
	f.Fuzz(agrees)
}
