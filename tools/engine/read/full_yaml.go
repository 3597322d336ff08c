package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	kubernetes "sigs.k8s.io/yaml"
)

// A Dialect says whose YAML is read.
type Dialect string

// The dialects.
const (
	Kubernetes Dialect = "kubernetes" // sigs.k8s.io/yaml: go-yaml v2, then JSON
	Gator      Dialect = "gator"      // Gatekeeper's gator: go-yaml v3, then JSON
)

// A fullParser reads one document of any YAML, into a tape. The value is what the dialect's own library makes of the text;
// the nodes of go-yaml v3 only say on which lines it stands, and where something is wrong.
type fullParser struct {
	text    []byte
	lines   lineTable
	limits  Limits
	dialect Dialect
}

// readFull reads the first document of a text. With a value come the problems that Kubernetes would refuse it for; without, why
// there is none. firstLine is the line of the file on which the text begins. isAlone: what follows the document is a problem.
func (r *Reader) readFull(text []byte, firstLine int, isAlone bool) (t *Tape, problems []Problem) {
	p := fullParser{text: text, lines: newLineTable(text, firstLine), limits: r.Limits, dialect: r.Dialect}
	if problem := notYAML(text, firstLine); problem != nil {
		return nil, p.broken(problem)
	}
	decoder := yaml3.NewDecoder(bytes.NewReader(text))
	var document yaml3.Node
	var root *yaml3.Node // nil if the document is empty, or go-yaml v3 cannot read it
	parsed := decoder.Decode(&document)
	if parsed == nil {
		root = document.Content[0]
		if problem := p.measure(root); problem != nil {
			return nil, p.broken(problem)
		}
	}
	encoded, err := p.decode(root, parsed)
	if err != nil {
		if root != nil {
			if problem := p.explain(root, root); problem != nil {
				return nil, p.broken(problem)
			}
			if duplicates := p.duplicates(root); len(duplicates) > 0 {
				return nil, duplicateProblems(duplicates) // that is what go-yaml v3 refuses
			}
		}
		return nil, p.broken(p.syntaxProblem(err))
	}
	t = &Tape{}
	t.reset(encoded)
	if encoded == nil {
		return t, nil
	}
	if _, _, ok := t.readJSON(p.limits.MaxDepth); !ok {
		return nil, p.broken(tooDeep(p.limits.MaxDepth, firstLine))
	}
	t.lines = make([]int, len(t.nodes))
	if root != nil {
		p.locate(t, 0, root, p.line(root))
		problems = duplicateProblems(p.duplicates(root))
		if line := p.rest(decoder); line > 0 && isAlone {
			problems = append(problems, Problem{
				Line: line, Message: "Kubernetes does not read what follows here", Remedy: "put a line `---` before it, or remove it",
			})
		}
	}
	return t, problems
}

// broken returns the problem of a document without a value.
func (p *fullParser) broken(problem *Problem) []Problem {
	problem.IsTemplate = isTemplate(p.text)
	return []Problem{*problem}
}

// decode returns the document as JSON, as its dialect has it; nil if there is nothing in it.
func (p *fullParser) decode(root *yaml3.Node, parsed error) ([]byte, error) {
	if parsed == io.EOF {
		return nil, nil
	}
	if p.dialect == Kubernetes {
		encoded, err := kubernetes.YAMLToJSON(p.text)
		var notFinite *json.UnsupportedValueError
		if errors.As(err, &notFinite) {
			return p.withWords()
		}
		return encoded, err
	}
	if parsed != nil {
		return nil, parsed
	}
	if root.Kind == yaml3.MappingNode {
		value := map[string]any{}
		if err := root.Decode(&value); err != nil {
			return nil, err
		}
		return json.Marshal(value)
	}
	var value any
	if err := root.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// withWords returns the document as JSON, with words for the numbers that JSON does not have.
func (p *fullParser) withWords() ([]byte, error) {
	var value any
	if err := yaml2.Unmarshal(p.text, &value); err != nil {
		return nil, err
	}
	text, err := yaml2.Marshal(wordsFor(value))
	if err != nil {
		return nil, err
	}
	return kubernetes.YAMLToJSON(text)
}

func wordsFor(value any) any {
	switch value := value.(type) {
	case map[any]any:
		for key, entry := range value {
			value[key] = wordsFor(entry)
		}
	case []any:
		for i, entry := range value {
			value[i] = wordsFor(entry)
		}
	case float64:
		switch {
		case math.IsNaN(value):
			return ".nan"
		case math.IsInf(value, 1):
			return ".inf"
		case math.IsInf(value, -1):
			return "-.inf"
		}
	}
	return value
}

// line returns the line of the file on which a node stands. An alias stands where its anchor stands.
func (p *fullParser) line(n *yaml3.Node) int { return p.lines.of(target(n).Line) }

func target(n *yaml3.Node) *yaml3.Node {
	if n.Kind == yaml3.AliasNode {
		return n.Alias
	}
	return n
}

// measure returns the problem of a document that is beyond a limit, or whose anchors contain themselves.
func (p *fullParser) measure(root *yaml3.Node) *Problem {
	const open = -1
	sizes := map[*yaml3.Node]int{} // of nodes with anchors: the bytes of their scalars, or open
	aliased := 0
	var problem *Problem
	var measure func(n *yaml3.Node, depth int) int
	measure = func(n *yaml3.Node, depth int) (size int) {
		switch n.Kind {
		case yaml3.ScalarNode:
			size = len(n.Value)
		case yaml3.AliasNode:
			size = sizes[n.Alias]
			aliased += max(size, 0)
			if size == open {
				problem = &Problem{
					Line: p.lines.of(n.Line), Message: "the anchor &" + n.Value + " contains itself", Remedy: correct,
				}
			} else if aliased > p.limits.MaxAliased {
				problem = p.tooMuchAliased(p.lines.of(n.Line))
			}
		default:
			if depth++; depth > p.limits.MaxDepth {
				problem = tooDeep(p.limits.MaxDepth, p.lines.of(n.Line))
			}
			if n.Anchor != "" {
				sizes[n] = open
			}
			for _, inside := range n.Content {
				if problem != nil {
					return size
				}
				size += measure(inside, depth)
			}
		}
		if n.Anchor != "" {
			sizes[n] = size
		}
		return size
	}
	measure(root, 0)
	return problem
}

func (p *fullParser) tooMuchAliased(line int) *Problem {
	return &Problem{
		Line:    line,
		Message: "aliases make the document too large",
		Remedy:  "write the values out (`pullguard check` allows more with --max-aliased)",
	}
}

// explain returns the first thing in a node that has no value in JSON, in the words of pullguard; nil if it finds none. The
// library that refused the document is asked of each scalar that may be the reason.
func (p *fullParser) explain(n, root *yaml3.Node) *Problem {
	switch n.Kind {
	case yaml3.ScalarNode:
		if n.Style&yaml3.TaggedStyle != 0 {
			if _, err := p.valueOf(n); err != nil {
				return p.mismatch(n)
			}
		}
		if p.dialect == Gator && n.Style == 0 && strings.HasPrefix(strings.TrimLeft(n.Value, "+-"), ".") && p.isNotFinite(n) {
			return &Problem{
				Line: p.line(n), Message: n.Value + " is no number that JSON has", Remedy: "put it in quotes",
			}
		}
	case yaml3.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if problem := p.explainKey(key, value, n == root); problem != nil {
				return problem
			}
			if problem := p.explain(value, root); problem != nil {
				return problem
			}
		}
	case yaml3.SequenceNode:
		for _, entry := range n.Content {
			if problem := p.explain(entry, root); problem != nil {
				return problem
			}
		}
	}
	return nil
}

func (p *fullParser) isNotFinite(n *yaml3.Node) bool {
	value, err := p.valueOf(n)
	return err == nil && value == ""
}

func (p *fullParser) explainKey(key, value *yaml3.Node, atTop bool) *Problem {
	line := p.lines.of(key.Line)
	if isMerge(key) {
		if !isMergeable(value) {
			return &Problem{
				Line: line, Message: "`<<` takes a mapping or a list of mappings", Remedy: "write its entries out",
			}
		}
		return nil
	}
	if target(key).Kind != yaml3.ScalarNode {
		return &Problem{Line: line, Message: "a mapping or a list cannot be a key", Remedy: "put the key in quotes"}
	}
	text, err := p.valueOf(target(key))
	switch {
	case err != nil:
		return p.mismatch(target(key))
	case p.dialect == Kubernetes:
		_, err = p.keyText(key)
	case !atTop && !strings.HasPrefix(text, `"`):
		// The outermost mapping takes the text of any scalar.
		err = errors.New("not a string")
	}
	if err != nil {
		shown := target(key).Value
		if shown == "" {
			shown = "an empty key"
		}
		return &Problem{Line: line, Message: shown + " cannot be a key of an object", Remedy: "put it in quotes"}
	}
	return nil
}

const longestShown = 20 // characters of a scalar in a message

func (p *fullParser) mismatch(n *yaml3.Node) *Problem {
	problem := Problem{Line: p.line(n), Message: "!!binary value is not base64", Remedy: "correct the value or remove the tag"}
	if n.ShortTag() != "!!binary" {
		shown := n.Value
		if runes := []rune(shown); len(runes) > longestShown {
			shown = string(runes[:longestShown]) + "..."
		}
		problem.Message = "`" + shown + "` is not a value of the tag " + n.ShortTag()
	}
	return &problem
}

func isMerge(n *yaml3.Node) bool {
	return n.Kind == yaml3.ScalarNode && n.Value == "<<" && n.ShortTag() == "!!merge"
}

// isMergeable tells whether `<<` takes a value.
func isMergeable(n *yaml3.Node) bool {
	if target(n).Kind == yaml3.MappingNode {
		return true
	}
	if n.Kind != yaml3.SequenceNode {
		return false
	}
	for _, entry := range n.Content {
		if target(entry).Kind != yaml3.MappingNode {
			return false
		}
	}
	return true
}

// valueOf returns what the library makes of a scalar that stands alone, as JSON; "" for a number that JSON does not have.
func (p *fullParser) valueOf(n *yaml3.Node) (string, error) {
	encoded, err := p.alone(scalarText(n))
	return string(encoded), err
}

// alone returns what the library makes of another document.
func (p *fullParser) alone(text string) ([]byte, error) {
	var encoded []byte
	var err error
	if p.dialect == Kubernetes {
		encoded, err = kubernetes.YAMLToJSON([]byte(text))
	} else {
		var value any
		if err = yaml3.Unmarshal([]byte(text), &value); err == nil {
			encoded, err = json.Marshal(value)
		}
	}
	var notFinite *json.UnsupportedValueError
	if errors.As(err, &notFinite) {
		return nil, nil
	}
	return encoded, err
}

// scalarText returns a scalar as a document of its own: with its tag if it states one, and as a plain scalar only where it may
// be something else than a string.
func scalarText(n *yaml3.Node) string {
	quoted := string(AppendString(nil, []byte(n.Value)))
	switch {
	case n.Style&yaml3.TaggedStyle != 0:
		return "!<" + n.LongTag() + "> " + quoted
	case n.Style == 0 && (n.Value == "" || startOf[n.Value[0]] != startsString) && !strings.Contains(n.Value, "\n"):
		return n.Value
	}
	return quoted
}

// keyText returns the string that a scalar in the place of a key stands for.
func (p *fullParser) keyText(key *yaml3.Node) (string, error) {
	key = target(key)
	isString := key.Style&yaml3.TaggedStyle == 0 && (key.Style != 0 || key.Value != "" && isPlainKey([]byte(key.Value)))
	if p.dialect == Gator || isString {
		return key.Value, nil
	}
	encoded, err := p.alone("? " + scalarText(key) + "\n: 0\n")
	if err != nil {
		return "", err
	}
	var mapping map[string]int
	if err := json.Unmarshal(encoded, &mapping); err != nil {
		return "", err
	}
	for text := range mapping {
		return text, nil
	}
	return "", errors.New("no key")
}

// duplicates returns the keys that stand in a mapping more than once, in the order of the document.
func (p *fullParser) duplicates(root *yaml3.Node) []duplicate {
	var found []duplicate
	var look func(n *yaml3.Node)
	look = func(n *yaml3.Node) {
		if n.Kind == yaml3.AliasNode {
			return
		}
		if n.Kind != yaml3.MappingNode {
			for _, inside := range n.Content {
				look(inside)
			}
			return
		}
		lines := make(map[string]int, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			text, err := p.keyText(key)
			// Kubernetes takes several merge keys.
			if err == nil && !(isMerge(key) && p.dialect == Kubernetes) {
				if isMerge(key) {
					text = "<<"
				}
				line := p.lines.of(key.Line)
				if first, isThere := lines[text]; isThere {
					found = append(found, duplicate{text, line, first, n == root})
				}
				lines[text] = line
			}
			look(n.Content[i+1])
		}
	}
	look(root)
	return found
}

// An entry is one of a mapping: where its key stands, and its value.
type entry struct {
	line  int
	value *yaml3.Node
}

// locate notes the lines, from 0, of a node of the tape and of all inside it.
func (p *fullParser) locate(t *Tape, index int, n *yaml3.Node, line int) {
	t.lines[index] = line - p.lines.first
	n = target(n)
	switch t.Kind(index) {
	case Mapping:
		entries := map[string]entry{}
		if n.Kind == yaml3.MappingNode {
			p.entries(n, entries)
		}
		for at, end := index+1, t.Next(index); at < end; at = t.Next(at + 1) {
			found, isThere := entries[string(t.Text(at))]
			if !isThere {
				found = entry{line, &yaml3.Node{}}
			}
			t.lines[at] = found.line - p.lines.first
			p.locate(t, at+1, found.value, found.line)
		}
	case Sequence:
		place := 0
		for at, end := index+1, t.Next(index); at < end; at = t.Next(at) {
			if n.Kind == yaml3.SequenceNode && place < len(n.Content) {
				p.locate(t, at, n.Content[place], p.line(n.Content[place]))
			} else {
				p.locate(t, at, &yaml3.Node{}, line)
			}
			place++
		}
	}
}

// entries adds the entries of a mapping to others, with those that it merges. go-yaml v2 merges where `<<` stands, so that it
// replaces what stands before it; v3 merges at the end, and replaces nothing.
func (p *fullParser) entries(n *yaml3.Node, found map[string]entry) {
	var merged []*yaml3.Node
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			sources := []*yaml3.Node{value}
			if value.Kind == yaml3.SequenceNode {
				sources = value.Content
			}
			if p.dialect == Gator {
				merged = append(merged, sources...)
				continue
			}
			for place := range sources {
				p.entries(target(sources[len(sources)-1-place]), found)
			}
			continue
		}
		text, err := p.keyText(key)
		if err != nil {
			continue
		}
		line := p.lines.of(key.Line)
		if value.Kind == yaml3.AliasNode {
			line = p.line(value)
		}
		found[text] = entry{line, value}
	}
	for _, source := range merged {
		more := map[string]entry{}
		p.entries(target(source), more)
		for text, own := range more {
			if _, isThere := found[text]; !isThere {
				found[text] = own
			}
		}
	}
}

// rest returns the line on which something stands behind the first document; 0 if nothing does.
func (p *fullParser) rest(decoder *yaml3.Decoder) int {
	var next yaml3.Node
	switch err := decoder.Decode(&next); {
	case err == nil:
		return p.lines.of(next.Line)
	case err == io.EOF:
		return 0
	default:
		line, _ := p.parseError(err)
		return line
	}
}

var (
	inWords = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?(?:line (\d+): )?((?s).*)$`)
	// What the parser says begins so; all else is said by the scanner, which counts lines from 1.
	ofParser = regexp.MustCompile(
		`^(did not find expected (<|node content|'-' indicator|key|',')|found (duplicate|incompatible|undefined tag handle))`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	tabs          = regexp.MustCompile(`^[ \-?:]*\t`)
)

// parseError returns the line, from 1, and the words of an error of go-yaml.
func (p *fullParser) parseError(err error) (line int, words string) {
	found := inWords.FindStringSubmatch(err.Error())
	line, words = 1, strings.TrimSpace(found[2])
	if found[1] != "" {
		line, _ = strconv.Atoi(found[1])
		if ofParser.MatchString(words) {
			line++
		}
	}
	return min(p.lines.of(line), p.lines.last()), words
}

// syntaxProblem says in the words of pullguard what a library says of a document.
func (p *fullParser) syntaxProblem(err error) *Problem {
	line, words := p.parseError(err)
	if p.dialect == Gator {
		// go-yaml v3 says where what is wrong begins, v2 where it is wrong.
		var value any
		if same := yaml2.Unmarshal(p.text, &value); same != nil && strings.HasSuffix(same.Error(), words) {
			line, _ = p.parseError(same)
		}
	}
	if anchor := unknownAnchor.FindStringSubmatch(words); anchor != nil {
		return &Problem{
			Line: p.lineOfAlias(anchor[1], words), Message: "the alias *" + anchor[1] + " has no anchor before it", Remedy: correct,
		}
	}
	switch {
	case strings.HasSuffix(words, "excessive aliasing"):
		return p.tooMuchAliased(p.lineOfAlias("", ""))
	case strings.HasPrefix(words, "exceeded max depth"):
		return tooDeep(p.limits.MaxDepth, line)
	}
	if earlier := p.explainBefore(line); earlier != nil {
		return earlier
	}
	problem := &Problem{Line: line, Message: "not valid YAML: " + words, Remedy: correct}
	if tabs.Match(p.text[p.lines.start(line):]) {
		problem.Remedy = "indent with spaces, not with tabs"
	}
	return problem
}

// explainBefore returns the problem of what stands before a line, if that is YAML.
func (p *fullParser) explainBefore(line int) *Problem {
	var document yaml3.Node
	if err := yaml3.Unmarshal(p.text[:p.lines.start(line)], &document); err != nil || document.IsZero() {
		return nil
	}
	return p.explain(document.Content[0], document.Content[0])
}

// lineOfAlias returns the line of the alias that a library refuses with certain words, without saying where it is: no part
// of the text that ends before it is refused so.
func (p *fullParser) lineOfAlias(name, words string) int {
	const mostTries = 100
	for at, tries := 0, 0; tries < mostTries; tries++ {
		next := bytes.Index(p.text[at:], []byte("*"+name))
		if next < 0 {
			break
		}
		at += next + 1 + len(name)
		line := p.lines.first + bytes.Count(p.text[:at], lineFeed)
		if words == "" {
			return line
		}
		var value any
		if err := yaml2.Unmarshal(p.text[:at], &value); err != nil && strings.HasSuffix(err.Error(), words) {
			return line
		}
	}
	return p.lines.first
}

// A lineTable gives the lines of a file, which end with line feeds, for the lines of go-yaml, for which other characters end a
// line as well.
type lineTable struct {
	text   []byte
	first  int   // the line of the file on which the text begins
	starts []int // where go-yaml's lines begin; nil if they are the same
}

var anyBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

func newLineTable(text []byte, first int) lineTable {
	table := lineTable{text: text, first: first}
	hasOdd := bytes.Count(text, []byte{'\r'}) != bytes.Count(text, []byte("\r\n"))
	for _, odd := range []string{"\u0085", "\u2028", "\u2029"} {
		hasOdd = hasOdd || bytes.Contains(text, []byte(odd))
	}
	if hasOdd {
		table.starts = []int{0}
		for _, found := range anyBreak.FindAllIndex(text, -1) {
			table.starts = append(table.starts, found[1])
		}
	}
	return table
}

// of returns the line of the file for a line of go-yaml, from 1.
func (t lineTable) of(line int) int {
	if t.starts == nil {
		return t.first + max(line-1, 0)
	}
	start := t.starts[max(min(line, len(t.starts))-1, 0)]
	return t.first + bytes.Count(t.text[:start], lineFeed)
}

// last returns the last line that has anything on it.
func (t lineTable) last() int {
	return t.first + bytes.Count(bytes.TrimRight(t.text, blanks), lineFeed)
}

// start returns where a line of the file begins in the text.
func (t lineTable) start(line int) int {
	at := 0
	for ; line > t.first; line-- {
		at += bytes.IndexByte(t.text[at:], '\n') + 1
	}
	return at
}
