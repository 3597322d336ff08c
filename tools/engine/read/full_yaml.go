package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
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
// there is none. first is the line of the file on which the text begins. isAlone: what follows the document is a problem.
func (r *Reader) readFull(text []byte, first int, isAlone bool) (t *Tape, problems []Problem) {
	p := fullParser{text: text, lines: newLineTable(text, first), limits: r.Limits, dialect: r.Dialect}
	if problem := notYAML(text, first); problem != nil {
		return nil, p.broken(problem)
	}
	nodes := p.parse()
	if nodes.err != nil && nodes.root == nil && p.hasAliases() {
		return nil, p.broken(p.syntaxProblem(nodes.err)) // what they stand for is not known
	}
	if nodes.root != nil {
		if problem := p.measure(nodes.root); problem != nil {
			return nil, p.broken(problem)
		}
	}
	var duplicates []duplicate
	if nodes.root != nil {
		duplicates = p.duplicates(nodes.root)
	}
	encoded, err := p.decode(nodes, duplicates)
	if err != nil {
		if nodes.root != nil {
			if problem := p.explain(nodes.root, nodes.root); problem != nil {
				return nil, p.broken(problem)
			}
			if len(duplicates) > 0 && p.dialect == Gator {
				return nil, duplicateProblems(duplicates) // go-yaml v3 refuses them
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
		return nil, p.broken(tooDeep(p.limits.MaxDepth, first))
	}
	t.lines = make([]int, len(t.nodes))
	if nodes.err == nil || nodes.root != nil && p.isAll(nodes, encoded) {
		a := arranger{fullParser: &p, tape: t}
		a.arrange(0, nodes.root, p.line(nodes.root))
		t.nodes, t.lines = a.nodes, a.lines
		problems = duplicateProblems(duplicates)
	}
	if nodes.rest > 0 && isAlone {
		problems = append(problems, Problem{
			Line: nodes.rest, Message: "Kubernetes does not read what follows here", Remedy: "put a line `---` before it, or remove it",
		})
	}
	return t, problems
}

// Nodes are what go-yaml v3 makes of the document.
type nodes struct {
	root *yaml3.Node // nil if there is nothing in it
	rest int         // the line of what follows it, or 0
	err  error       // why it cannot read the whole text; then the root may be that of the text before the error
	text []byte      // what it has read
}

// parse returns the nodes of the document. go-yaml v3 looks at more than the document: what follows that may be what it cannot
// read.
func (p *fullParser) parse() (found nodes) {
	const mostTries = 10
	found.text = p.text
	for range mostTries {
		decoder := yaml3.NewDecoder(bytes.NewReader(found.text))
		var document yaml3.Node
		err := decoder.Decode(&document)
		if err == io.EOF {
			return found
		}
		if err == nil {
			found.root = document.Content[0]
			if rest := p.rest(decoder); rest > 0 {
				found.rest = rest
			}
			return found
		}
		if found.err == nil {
			found.err = err
		}
		found.rest, _ = p.parseError(err)
		before := p.text[:p.lines.start(found.rest)]
		if len(before) >= len(found.text) {
			return found
		}
		found.text = before
	}
	return found
}

// isAll tells whether the part of the text that could be read with nodes has the same value as all of it.
func (p *fullParser) isAll(found nodes, encoded []byte) bool {
	same, err := kubernetes.YAMLToJSON(found.text)
	return err == nil && bytes.Equal(same, encoded)
}

func (p *fullParser) hasAliases() bool {
	return bytes.IndexByte(p.text, '&') >= 0 && bytes.IndexByte(p.text, '*') >= 0
}

// broken returns the problem of a document without a value.
func (p *fullParser) broken(problem *Problem) []Problem {
	problem.IsTemplate = isTemplate(p.text)
	return []Problem{*problem}
}

// decode returns the document as JSON, as its dialect has it; nil if there is nothing in it.
func (p *fullParser) decode(found nodes, duplicates []duplicate) ([]byte, error) {
	root := found.root
	if root == nil && found.err == nil {
		return nil, nil
	}
	if p.dialect == Kubernetes {
		text := p.text
		if found.err == nil && len(duplicates) > 0 && p.dropOddDuplicates(root) {
			var err error
			if text, err = yaml3.Marshal(root); err != nil {
				return nil, err
			}
		}
		encoded, err := kubernetes.YAMLToJSON(text)
		var notFinite *json.UnsupportedValueError
		if errors.As(err, &notFinite) {
			return p.withWords()
		}
		if err != nil && found.err == nil && p.writeOutMergedLists(root) {
			text, failed := yaml3.Marshal(root)
			if failed != nil {
				return nil, err
			}
			return kubernetes.YAMLToJSON(text)
		}
		return encoded, err
	}
	if found.err != nil {
		return nil, found.err
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

// writeOutMergedLists puts lists in the place of their aliases under `<<`, and tells whether there are any. Go refuses such an
// alias; everybody else takes it for the list.
func (p *fullParser) writeOutMergedLists(n *yaml3.Node) bool {
	found := false
	for i, inside := range n.Content {
		if n.Kind == yaml3.MappingNode && i%2 > 0 && isMerge(n.Content[i-1]) && target(inside).Kind == yaml3.SequenceNode {
			found = found || inside.Kind == yaml3.AliasNode
			n.Content[i] = &yaml3.Node{Kind: yaml3.SequenceNode, Line: inside.Line, Content: target(inside).Content}
		} else if inside.Kind != yaml3.AliasNode {
			found = p.writeOutMergedLists(inside) || found
		}
	}
	return found
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

// dropOddDuplicates leaves the last of the entries whose keys are the same string but different values, such as 1 and '1', and
// tells whether there are any: sigs.k8s.io/yaml takes any of them.
func (p *fullParser) dropOddDuplicates(n *yaml3.Node) bool {
	isOdd := false
	if n.Kind == yaml3.MappingNode {
		last := map[string]int{}
		for i := 0; i < len(n.Content); i += 2 {
			text, err := p.keyText(n.Content[i])
			if err != nil || isMerge(n.Content[i]) {
				continue
			}
			if before, isThere := last[text]; isThere {
				one, other := target(n.Content[before]), target(n.Content[i])
				isOdd = isOdd || one.Value != other.Value || one.ShortTag() != other.ShortTag()
			}
			last[text] = i
		}
		if isOdd {
			var kept []*yaml3.Node
			for i := 0; i < len(n.Content); i += 2 {
				text, err := p.keyText(n.Content[i])
				if place, isThere := last[text]; err != nil || !isThere || place == i || isMerge(n.Content[i]) {
					kept = append(kept, n.Content[i], n.Content[i+1])
				}
			}
			n.Content = kept
		}
	}
	for _, inside := range n.Content {
		if n.Kind != yaml3.AliasNode {
			isOdd = p.dropOddDuplicates(inside) || isOdd
		}
	}
	return isOdd
}

// An arranger puts the values of a tape in the order of the nodes, and notes their lines.
type arranger struct {
	*fullParser
	tape  *Tape
	nodes []node
	lines []int
}

// arrange takes over a node of the tape, which stands on a line, and all inside it.
func (a *arranger) arrange(index int, n *yaml3.Node, line int) {
	at := len(a.nodes)
	a.add(index, line)
	n = target(n)
	switch a.tape.Kind(index) {
	case Mapping:
		places := map[string]int{}
		for key, end := index+1, a.tape.Next(index); key < end; key = a.tape.Next(key + 1) {
			places[string(a.tape.Text(key))] = key
		}
		var found entries
		if n.Kind == yaml3.MappingNode {
			found = a.entriesOf(n)
		}
		for _, each := range found.list {
			if key, isThere := places[each.key]; isThere {
				delete(places, each.key)
				a.add(key, each.line)
				a.arrange(key+1, each.value, each.line)
			}
		}
		for _, key := range slices.Sorted(maps.Values(places)) {
			a.add(key, line)
			a.arrange(key+1, &yaml3.Node{}, line)
		}
	case Sequence:
		place := 0
		for item, end := index+1, a.tape.Next(index); item < end; item = a.tape.Next(item) {
			if n.Kind == yaml3.SequenceNode && place < len(n.Content) {
				a.arrange(item, n.Content[place], a.line(n.Content[place]))
			} else {
				a.arrange(item, &yaml3.Node{}, line)
			}
			place++
		}
	}
	a.nodes[at].next = uint32(len(a.nodes))
}

func (a *arranger) add(index, line int) {
	a.nodes = append(a.nodes, a.tape.nodes[index])
	a.nodes[len(a.nodes)-1].next = uint32(len(a.nodes))
	a.lines = append(a.lines, line-a.fullParser.lines.first)
}

// Entries are those of a mapping, in their order: where they stand, and their values.
type entries struct {
	list   []entry
	places map[string]int
}

type entry struct {
	key   string
	line  int
	value *yaml3.Node
}

func (e *entries) set(own entry) {
	if e.places == nil {
		e.places = map[string]int{}
	}
	if place, isThere := e.places[own.key]; isThere {
		e.list[place] = own
		return
	}
	e.places[own.key] = len(e.list)
	e.list = append(e.list, own)
}

// entriesOf returns the entries of a mapping, with those that it merges. go-yaml v2 merges where `<<` stands, so that it
// replaces what stands before it; v3 merges at the end, and replaces nothing.
func (p *fullParser) entriesOf(n *yaml3.Node) (found entries) {
	var last []*yaml3.Node
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			sources := []*yaml3.Node{value}
			if value.Kind == yaml3.SequenceNode {
				sources = value.Content
			}
			if p.dialect == Gator {
				last = append(last, sources...)
				continue
			}
			for place := range sources {
				for _, merged := range p.entriesOf(target(sources[len(sources)-1-place])).list {
					found.set(merged)
				}
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
		found.set(entry{text, line, value})
	}
	for _, source := range last {
		for _, merged := range p.entriesOf(target(source)).list {
			if _, isThere := found.places[merged.key]; !isThere {
				found.set(merged)
			}
		}
	}
	return found
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
	return p.lines.of(line), words
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
	problem := &Problem{Line: line, Message: "not valid YAML: " + words, Remedy: correct}
	if tabs.Match(p.text[p.lines.start(line):]) {
		problem.Remedy = "indent with spaces, not with tabs"
	}
	return problem
}

// lineOfAlias returns the line of the alias that a library refuses with certain words, without saying where it is: no lines
// of the text before it are refused so.
func (p *fullParser) lineOfAlias(name, words string) int {
	const mostTries = 100
	for at, tries := 0, 0; tries < mostTries; tries++ {
		next := bytes.Index(p.text[at:], []byte("*"+name))
		if next < 0 {
			break
		}
		at += next + 1 + len(name)
		if at < len(p.text) && (isWordByte(p.text[at]) || p.text[at] == '_' || p.text[at] == '-') {
			continue // it has a longer name
		}
		line := p.lines.first + bytes.Count(p.text[:at], lineFeed)
		if words == "" {
			return line
		}
		end := at + len(firstLine(p.text[at:]))
		var value any
		if err := yaml2.Unmarshal(p.text[:end], &value); err != nil && strings.HasSuffix(err.Error(), words) {
			return line
		}
	}
	return p.lines.first
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, lineFeed)
	return line
}

// A lineTable gives the lines of a file, which end with line feeds, for the lines of go-yaml, for which other characters end a
// line as well.
type lineTable struct {
	text   []byte
	first  int   // the line of the file on which the text begins
	last   int   // the last one that has anything on it
	starts []int // where go-yaml's lines begin; nil if they are the same
}

var anyBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

func newLineTable(text []byte, first int) lineTable {
	table := lineTable{text: text, first: first}
	table.last = first + bytes.Count(bytes.TrimRight(text, blanks), lineFeed)
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
		return min(t.first+max(line-1, 0), t.last)
	}
	start := t.starts[max(min(line, len(t.starts))-1, 0)]
	return min(t.first+bytes.Count(t.text[:start], lineFeed), t.last)
}

// start returns where a line of the file begins in the text.
func (t lineTable) start(line int) int {
	at := 0
	for ; line > t.first; line-- {
		at += bytes.IndexByte(t.text[at:], '\n') + 1
	}
	return at
}
