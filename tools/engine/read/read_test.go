package read

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// A source is a text to read.
type source struct {
	name    string
	dialect Dialect
	limits  Limits
}

// outcome returns the result of reading a text as lines: documents as their index and value, problems as their line, document
// and message.
func (s source) outcome(text string) []string {
	return s.read(func(splitter *Splitter) { splitter.SplitText([]byte(text)) })
}

func (s source) read(split func(*Splitter)) []string {
	if s.name == "" {
		s.name = "f.yaml"
	}
	if s.dialect == "" {
		s.dialect = Kubernetes
	}
	if s.limits == (Limits{}) {
		s.limits = DefaultLimits
	}
	var out []string
	tell := func(p Problem) {
		document, template := fmt.Sprint(p.Document), ""
		if p.Document == WholeFile {
			document = "file"
		}
		if p.IsTemplate {
			template = "template: "
		}
		out = append(out, fmt.Sprintf("%d %s: %s%s; %s", p.Line, document, template, p.Message, p.Remedy))
	}
	reader := Reader{Limits: s.limits, Dialect: s.dialect}
	splitter := Splitter{Name: s.name, Dialect: s.dialect, Limits: s.limits, Problem: tell, Parts: func(p Part) {
		for _, span := range p.Spans {
			document, problems := reader.Read(p, span)
			for _, problem := range problems {
				tell(problem)
			}
			if document != nil {
				out = append(out, fmt.Sprintf("%d %s", document.Index, valueIn(document)))
			}
		}
	}}
	split(&splitter)
	return out
}

func valueIn(d *Document) string {
	if d.IsEmpty() {
		return "null"
	}
	return string(d.AppendJSON(nil, 0))
}

func (s source) expect(t *testing.T, text string, expected ...string) {
	t.Helper()
	if found := s.outcome(text); !reflect.DeepEqual(found, expected) && len(found)+len(expected) > 0 {
		t.Errorf("%.200q is\n%s\nnot\n%s", text, strings.Join(found, "\n"), strings.Join(expected, "\n"))
	}
}

func TestDocumentsAndTheirNumbers(t *testing.T) {
	for text, expected := range map[string]string{
		"":                       "",
		"\n\n":                   "",
		"# only a comment\n":     "",
		"a: 1":                   `0 {"a":1}`,
		"---\na: 1\n":            `0 {"a":1}`,
		"# c\n\n--- # c\na: 1\n": `0 {"a":1}`,
		"a: 1\n---\nb: 2\n":      `0 {"a":1}|1 {"b":2}`,
		"a: 1\n---\n":            `0 {"a":1}`,
		"a: 1\n---":              `0 {"a":1}`,
		"---\n---\na: 1\n":       `0 null|1 {"a":1}`,
		"---\n# c\n--- # second\na: 1\n---\n\n---\nb: 2\n...\n": `0 null|1 {"a":1}|2 null|3 {"b":2}`,
		"a: 1\n---   \t\nb: 2\n":                                `0 {"a":1}|1 {"b":2}`,
		"a: 1\n---# c\nb: 2\n":                                  `0 {"a":1}|1 {"b":2}`,
		"a: |\n  x\n  ---\n  y\n---\nb: 2\n":                    `0 {"a":"x\u000a---\u000ay\u000a"}|1 {"b":2}`,
		"a: |\n---\nb: 2\n":                                     `0 {"a":""}|1 {"b":2}`,
		"a: 1\r\n---\r\nb: 2\r\n":                               `0 {"a":1}|1 {"b":2}`,
		"a: 1\r---\rb: 2\r":                                     `0 {"a":1}|1 {"b":2}`,
		"\ufeffa: 1\n---\n\ufeffb: 2\n":                         `0 {"a":1}|1 {"b":2}`,
		"- a\n---\nhello\n---\n42\n---\nnull\n---\na: 1\n":      `0 ["a"]|1 "hello"|2 42|3 null|4 {"a":1}`,
		"{a: b}\n":              `0 {"a":"b"}`,
		"{a: b}\n---\n{c: d}\n": `0 {"a":"b"}|1 {"c":"d"}`,
	} {
		source{}.expect(t, text, split(expected)...)
	}
}

func split(expected string) []string {
	if expected == "" {
		return nil
	}
	return strings.Split(expected, "|")
}

const (
	afterSeparator = "nothing but a comment may follow `---` on its line; put what follows on a line of its own"
	afterDocument  = "Kubernetes does not read what follows here; put a line `---` before it, or remove it"
	isDuplicate    = `the key "%s" occurs twice in one mapping, first on line %d: ` +
		"the last value counts, and Kubernetes' strict decoding refuses the object; remove one of them"
	isTooDeep = "nested deeper than 500 levels; reduce the nesting (`pullguard check` allows more with --max-depth)"
)

func TestProblemsBetweenDocuments(t *testing.T) {
	for text, expected := range map[string]string{
		"--- {a: 1}\n":                  "1 0: " + afterSeparator + `|0 {"a":1}`,
		"a: 1\n--- {b: 2}\n---\nc: 3\n": `0 {"a":1}|2 1: ` + afterSeparator + `|1 {"b":2}|2 {"c":3}`,
		"a: 1\n---b: 2\nc: 3\n":         `0 {"a":1}|2 1: ` + afterSeparator + `|1 {"c":3}`,
		"a: 1\n------\nc: 3\n":          `0 {"a":1}|2 1: ` + afterSeparator + `|1 {"c":3}`,
		"a: 1\n-----BEGIN":              `0 {"a":1}|2 1: ` + afterSeparator + `|1 null`,
		"# one\n\n--- kind: X\n---\nb: 1": "3 0: " + afterSeparator +
			"|3 0: not valid YAML: mapping values are not allowed in this context; correct the document" + `|1 {"b":1}`,
		"# c\n%YAML 1.1\n---\na: 1\n---\nb: 2\n": "2 0: Kubernetes does not read YAML directives; remove the line" + `|0 {"a":1}|1 {"b":2}`,
		"a: 1\n---\nb: [\n---\nc: 3\n":           `0 {"a":1}|3 1: not valid YAML: did not find expected node content; correct the document|2 {"c":3}`,
		"a: 1\n---\nb: 1\nb: 2\n...\nc: 3\n":     `0 {"a":1}|4 1: ` + fmt.Sprintf(isDuplicate, "b", 3) + "|6 1: " + afterDocument + `|1 {"b":2}`,
		"a: 1\n---\nb: \x00\n---\nc: 3\n":        `0 {"a":1}|3 1: a NUL byte: the file is damaged, or is not UTF-8 text; remove it, or save the file as UTF-8|2 {"c":3}`,
		"a: 1\n# caf\xe9\n---\nb: 2\n":           `2 file: a byte that is not UTF-8; save the file as UTF-8 (the byte was replaced, and the rest was read)|0 {"a":1}|1 {"b":2}`,
		"\xff\xfea\x00:\x00 \x001\x00\n\x00\x00\xd8": "2 file: a byte that is not UTF-16-LE; save the file as UTF-8 (the byte was replaced, and the rest was read)" +
			"|2 0: not valid YAML: could not find expected ':'; correct the document",
		"\xfe\xff\x00a\x00:\x00 \xd8\x3d\xde\x00": `0 {"a":"😀"}`,
	} {
		source{}.expect(t, text, split(expected)...)
	}
}

func TestTemplates(t *testing.T) {
	const content = "template: not valid YAML: did not find expected node content; correct the document"
	const collection = "template: a mapping or a list cannot be a key; put the key in quotes"
	for text, expected := range map[string]string{
		"a: {{ .Values.a }}\n---\nb: 2\n":                    "1 0: " + collection + `|1 {"b":2}`,
		"{{- if .Values.a }}\na: 1\n{{- end }}\n":            "1 0: " + content,
		"a:\n  {{- range .x }}\n  - b\n  {{- end }}\n":       "2 0: " + content,
		"{% if x %}\na: 1\n{% endif %}\n":                    "1 0: template: not valid YAML: found character that cannot start any token; correct the document",
		`a: "{{ .Values.a }}"`:                               `0 {"a":"{{ .Values.a }}"}`,
		"{\"a\": 1}\n{\"b\": {{ .Values.b }}}\n":             `0 {"a":1}|2 1: template: not valid JSON: invalid character '{' looking for beginning of object key string; correct the document`,
		"a:\n{% for x in y %}\n- b\n{% endfor %}\n":          "2 0: template: not valid YAML: found character that cannot start any token; correct the document",
		"a: {{ x }}\nkind: X\nmetadata:\n  {{- include . }}": "1 0: " + collection,
	} {
		source{}.expect(t, text, split(expected)...)
	}
}

func TestObjectsThatAreReadAsText(t *testing.T) {
	const wrong = ": it is read as text, not as an object; begin comments with # in YAML, and leave them out of JSON"
	for text, expected := range map[string]string{
		"// c\n{\"apiVersion\":\"v1\"}\n":                 "1 0" + wrong + `|0 "// c {\"apiVersion\":\"v1\"}"`,
		"a: 1\n---\n// c\n{\"apiVersion\":\"v1\"}\n---\n": `0 {"a":1}|3 1` + wrong + `|1 "// c {\"apiVersion\":\"v1\"}"`,
		"# c\n{\"apiVersion\": \"v1\"}\n":                 `0 {"apiVersion":"v1"}`,
		"just text\n":                                     `0 "just text"`,
	} {
		source{}.expect(t, text, split(expected)...)
		source{name: "f.json"}.expect(t, text, split(expected)...)
	}
}

func TestPackedFiles(t *testing.T) {
	const folder = "unpack it first, and name the folder"
	for text, expected := range map[string]string{
		"\x1f\x8b\x08\x00":       "gzip); unpack it first: `gunzip -c FILE`, or for a chart `helm template FILE`",
		"BZh91AY&SY\x00":         "bzip2); unpack it first: `bunzip2 -c FILE`",
		"\xfd7zXZ\x00\x00":       "xz); unpack it first: `xz -dc FILE`",
		"\x28\xb5\x2f\xfd\x24":   "zstd); unpack it first: `zstd -dc FILE`",
		"PK\x03\x04\x14":         "zip); " + folder,
		"7z\xbc\xaf\x27\x1c\x00": "7z); " + folder,
		"a.yaml" + strings.Repeat("\x00", 251) + "ustar": "tar); " + folder,
	} {
		source{}.expect(t, text, "0 file: a packed file ("+expected)
	}
	source{}.expect(t, "BZh: 1\n", `0 {"BZh":1}`)
	source{}.expect(t, "PK: ustar\n", `0 {"PK":"ustar"}`)
}

func TestJSONStreams(t *testing.T) {
	long := strings.Repeat("7", 5000)
	for text, expected := range map[string]string{
		`{"a": 1}`: `0 {"a":1}`,
		" \n{\"a\": 1}{\"b\": 2}\n\n {\"c\": 3}\n":             `0 {"a":1}|1 {"b":2}|2 {"c":3}`,
		"{\"a\": 1}\n---\n{\"b\": 2}\n---\nc: 3\n":             `0 {"a":1}|1 {"b":2}|2 {"c":3}`,
		"{\"a\": 1}\n{\"b\": 2}\n---\nc: 3\n":                  `0 {"a":1}|1 {"b":2}|2 {"c":3}`,
		"{\"a\": 1}\n# c\n":                                    `0 {"a":1}`,
		`{"a": 1} null [2]`:                                    `0 {"a":1}|1 null|2 [2]`,
		`{"a": 1.0, "b": 1e3, "c": -0, "d": 1e999}`:            `0 {"a":1.0,"b":1e3,"c":-0,"d":"1e999"}`,
		`{"a": ` + long + `}`:                                  `0 {"a":"` + long + `"}`,
		`{"a": 10000000000000000000000}`:                       `0 {"a":10000000000000000000000}`,
		`{"a": "\ud83d\ude00\/\t", "\ud800": "\udc00\ud800x"}`: `0 {"a":"😀/\u0009","` + "\ufffd\":\"\ufffd\ufffd" + `x"}`,
		"{\"a\": yes, b: [1,],}\n":                             `0 {"a":true,"b":[1]}`,
		"{\"a\": 1,}\n---\nb: 2\n":                             `0 {"a":1}|1 {"b":2}`,
		"{\"a\": 1}\n{\"b\": 2,,\n \"x\": {}}\n{\"c\": 3}\n":   `0 {"a":1}|2 1: not valid JSON: invalid character ',' looking for beginning of object key string; correct the document|2 {"c":3}`,
		"{\"a\": 1\n \"b\": 2}\n---\nc: 3\n":                   `2 0: not valid JSON: invalid character '"' after object key:value pair; correct the document|1 {"c":3}`,
		"{\"a\": 1} x\n":                                       `0 {"a":1}|1 1: not valid JSON: invalid character 'x' looking for beginning of value; correct the document`,
		"{\"a\": 1}\n{\"b\": NaN}\n":                           `0 {"a":1}|2 1: not valid JSON: invalid character 'N' looking for beginning of value; correct the document`,
		"{\"a\": 1}\n{\"b\":\n\n":                              `0 {"a":1}|2 1: not valid JSON: unexpected end of JSON input; correct the document`,
		"{a: b\n":                                              "1 0: not valid YAML: did not find expected ',' or '}'; correct the document",
		"{\"x\": 0}\n{\"a\": 1,\n \"b\": {\"c\": 1,\n  \"c\": 2},\n \"a\": {\"d\": 3}}\n": `0 {"x":0}|4 1: ` + fmt.Sprintf(isDuplicate, "c", 3) +
			"|5 1: " + fmt.Sprintf(isDuplicate, "a", 2) + `|1 {"b":{"c":2},"a":{"d":3}}`,
		"{\"a\": 1,\n \"a\": 2,\n \"b\": 0,\n \"a\": 3}\n": "2 0: " + fmt.Sprintf(isDuplicate, "a", 1) +
			"|4 0: " + fmt.Sprintf(isDuplicate, "a", 1) + `|0 {"b":0,"a":3}`,
	} {
		source{}.expect(t, text, split(expected)...)
	}
	for text, expected := range map[string]string{
		`["a", 1]`:         `0 ["a",1]`,
		"12":               "0 12",
		`"a" "b"`:          `0 "a"|1 "b"`,
		"a: 1":             `0 {"a":1}`,
		"\n\nkind: X\n":    `0 {"kind":"X"}`,
		"{\"a\":\n  [1}\n": "2 0: not valid JSON: invalid character '}' after array element; correct the document",
	} {
		source{name: "f.JSON"}.expect(t, text, split(expected)...)
	}
}

func TestNestingHasALimit(t *testing.T) {
	for _, depth := range []int{500, 501, 900, 20_000} {
		for _, brackets := range [][2]string{{"[", "]"}, {"{a: ", "}"}, {"- ", ""}, {`{"a": `, "}"}} {
			deep := strings.Repeat(brackets[0], depth) + "x" + strings.Repeat(brackets[1], depth)
			found := source{}.outcome("# deep\n" + deep + "\n---\nb: 2\n")
			if last := found[len(found)-1]; last != `1 {"b":2}` {
				t.Errorf("behind %d of %s is %s", depth, brackets[0], last)
			}
			if isDeep := found[0] == "2 0: "+isTooDeep; isDeep != (depth > 500) {
				t.Errorf("%d of %s is %.100s", depth, brackets[0], found[0])
			}
		}
		text := "{\"x\": 0}\n" + strings.Repeat(`{"a": `, depth) + "1" + strings.Repeat("}", depth) + "\n{\"y\": 0}\n"
		found := source{}.outcome(text)
		if isDeep := found[1] == "2 1: "+isTooDeep; isDeep != (depth > 500) || found[2] != `2 {"y":0}` {
			t.Errorf("%d levels of JSON are %.100s", depth, found)
		}
	}
	source{name: "f.json"}.expect(t, "[["+strings.Repeat("[],", 600)+"[]]]", "0 [["+strings.Repeat("[],", 600)+"[]]]")
}

func TestDocumentsThatAreTooLarge(t *testing.T) {
	const tooLarge = "the document is too large to be read; split it (`pullguard check` allows more with --max-document)"
	limited := source{limits: Limits{MaxDocument: 100, MaxDepth: 4, MaxAliased: 100}}
	limited.expect(t, "kind: A\ndata: "+strings.Repeat("x", 100)+"\n---\nkind: B\ndata: [[[[1]]]]\n---\nc: 3\n", split(
		"1 0: "+tooLarge+"|5 1: nested deeper than 4 levels; reduce the nesting (`pullguard check` allows more with --max-depth)|"+`2 {"c":3}`)...)
}

// fromFile returns the result of reading a file with the given text, in the form of outcome.
func (s source) fromFile(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.read(func(splitter *Splitter) { splitter.SplitPath(path) })
}

// A file is read in blocks of a megabyte, so separators and documents can cross blocks.
func TestDocumentsAreFoundWhereverBlocksEnd(t *testing.T) {
	for _, size := range []int{65_000, blockSize - 6, blockSize, 2*blockSize - 2} {
		filler := "kind: Filler\ndata: " + strings.Repeat("x", size/3) + "\n---\n"
		for shift := -3; shift < 4; shift++ {
			separators := []string{"---\n", "---\r\n", "--- # c\n", "--- x\n", "---\n---\n"}
			for _, separator := range []string{separators[0], separators[(shift+3)%len(separators)]} {
				text := "# c\n---\n" + filler + filler
				text += "kind: Filler\ndata: " + strings.Repeat("y", size-len(text)-25+shift) + "\n" + separator
				for number := range 3 {
					text += fmt.Sprintf("kind: Pod\nmetadata:\n  name: p%d\n%s", number, separator)
				}
				text += filler + filler + filler + "kind: Last\n"
				if found, expected := (source{}).fromFile(t, text), (source{}).outcome(text); !reflect.DeepEqual(found, expected) {
					t.Fatalf("%d bytes and %d with %q: %d documents, not %d", size, shift, separator, len(found), len(expected))
				}
			}
		}
	}
}

func TestJSONThatLiesAcrossBlocks(t *testing.T) {
	for _, between := range []string{"\n", "", " {broken} \n", "\n# c\n---\n"} {
		var text strings.Builder
		for number := range 9 {
			fmt.Fprintf(&text, "{\"kind\": \"X\",\n \"data\": {\"n\": %d, \"x\": %q}}%s", number, strings.Repeat("y", 300_000), between)
		}
		if found, expected := (source{}).fromFile(t, text.String()), (source{}).outcome(text.String()); !reflect.DeepEqual(found, expected) {
			t.Errorf("with %q: %d documents, not %d", between, len(found), len(expected))
		}
	}
}

// The time for many broken and unfinished values grows linearly.
func TestManyBrokenValues(t *testing.T) {
	const values = 20_000
	found := source{}.outcome("{}\n" + strings.Repeat("{\"a: [[[\n", values))
	if len(found) != values+1 || found[values] != fmt.Sprintf("%d %d: not valid JSON: invalid character '\\n' in string literal; correct the document", values+1, values) {
		t.Errorf("%d documents, the last of them %s", len(found), found[len(found)-1])
	}
}

func TestLongBlanksAndLines(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("\n", 3*blockSize) + "a: 1\nb: [\n",
		strings.Repeat(" \r\n", blockSize) + "{\"a\": 1}\n",
		"a: 1\r" + strings.Repeat("b", 2*blockSize) + "\n---\nc: 2",
		"a: 1\r---\rb: 2\r# " + strings.Repeat("b", 2*blockSize),
		strings.Repeat("---\n", blockSize/3),
	} {
		found, expected := (source{}).fromFile(t, text), (source{}).outcome(text)
		if !reflect.DeepEqual(found, expected) {
			t.Errorf("%.20q is\n%.500s\nnot\n%.500s", text, found, expected)
		}
	}
}

func TestLimitsOfFiles(t *testing.T) {
	limited := source{limits: Limits{MaxDocument: 2 * blockSize, MaxDepth: 4, MaxAliased: 100}}
	large := strings.Repeat("x", 3*blockSize)
	for text, expected := range map[string]string{
		"kind: A\ndata: " + large + "\n---\nkind: B\n---\nkind: C\ndata: [[[[1]]]]\n---\nkind: D\n": "1 0: too large|1 {\"kind\":\"B\"}|7 2: nested|3 {\"kind\":\"D\"}",
		"{\"kind\": \"A\", \"data\": \"" + large + "\"}\n{\"kind\": \"B\"}\n":                       "1 0: too large",
		"{\"kind\": \"A\"}\n{\"kind\": " + large:                                                    `0 {"kind":"A"}|2 1: too large`,
		"\xff\xfea\x00" + large:                                                                     "1 0: too large",
		strings.Repeat(" ", 3*blockSize) + "a: 1":                                                   "1 0: too large",
		"a\r" + large: "1 0: too large",
	} {
		found := limited.fromFile(t, text)
		for i := range found {
			found[i] = strings.Replace(found[i], "the document is too large to be read; split it (`pullguard check` allows more with --max-document)", "too large", 1)
			found[i] = strings.Replace(found[i], "nested deeper than 4 levels; reduce the nesting (`pullguard check` allows more with --max-depth)", "nested", 1)
		}
		if strings.Join(found, "|") != expected {
			t.Errorf("%.30q is %.300s, not %s", text, strings.Join(found, "|"), expected)
		}
	}
}

func TestUnreadableFiles(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "gone"), t.TempDir()} {
		splitter := Splitter{Dialect: Kubernetes, Limits: DefaultLimits}
		if result := splitter.SplitPath(path); result.Err == nil || result.Documents != 0 {
			t.Error(result)
		}
	}
}

// Several goroutines ask for lines of the same document.
func TestConcurrentLines(t *testing.T) {
	const lines = 50_000
	text := []byte(strings.Repeat("- a\n", lines))
	for range 20 {
		reader := Reader{Limits: DefaultLimits, Dialect: Kubernetes}
		document, _ := reader.Read(Part{Text: text}, Span{end: len(text), line: 1})
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				if line := document.LineOf(document.Item(0, lines-1)); line != lines {
					t.Errorf("the last value is on line %d", line)
				}
			})
		}
		asking.Wait()
	}
}

func TestLargeDocumentsAreNotKept(t *testing.T) {
	reader := Reader{Limits: DefaultLimits, Dialect: Kubernetes}
	release := func(text string) {
		splitter := Splitter{Name: "f", Dialect: Kubernetes, Limits: DefaultLimits, Parts: func(p Part) {
			for _, span := range p.Spans {
				document, _ := reader.Read(p, span)
				reader.Release(document)
			}
		}}
		splitter.SplitText([]byte(text))
	}
	release(`{"a": [` + strings.Repeat("1, ", largestTape) + "1]}")
	release("a: [" + strings.Repeat("1, ", largestTape) + "1]\n")
	if len(reader.tapes) != 0 {
		t.Errorf("%d large documents are kept", len(reader.tapes))
	}
	release(`{"a": 1}`)
	if len(reader.tapes) != 1 || reader.tapes[0].source != nil {
		t.Errorf("a small document is not kept as it should be: %v", reader.tapes)
	}
}
