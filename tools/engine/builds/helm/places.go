package helm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chart"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
	"pullguard.invalid/tools/engine/builds/nodes"
)

const (
	mostRounds     = 6  // renderings with marks: at most this many values can stand in for each other
	mostRenderings = 60 // of one chart
)

// A target is the mapping of a question, with what is known about it so far.
type target struct {
	document, kind, name string
	item                 []int
	index                int // index of the document in its text
	path                 []any
	policy, image        string            // the names of the fields
	was                  map[string]string // the scalars of the mapping in the output
	policies, images     []found
}

type found struct {
	*candidate
	tag bool // the mark is in the tag of the image
}

// Places returns where the rendered fields come from, in the order of the questions.
//
// It renders the chart again with marks in place of values: first of all values that may be policies or parts of images, and
// then without those that were found, because they may hide others, until a rendering finds no more.
func (c *Chart) Places(questions []builds.Question) ([]builds.Answer, error) {
	s := search{chart: c, left: mostRenderings}
	documents := map[string]bool{}
	for _, question := range questions {
		t, err := c.target(question)
		if err != nil {
			return nil, err
		}
		s.targets = append(s.targets, t)
		documents[t.document] = true
	}
	s.plain = plainChart(c.chart, c.chart.Name(), documents)
	s.run()
	lines := c.lines(s.plain, s.targets)
	answers := make([]builds.Answer, len(questions))
	for i, t := range s.targets {
		answers[i] = c.answer(t, lines[i])
	}
	return answers, nil
}

// target returns the mapping that a question is about.
func (c *Chart) target(question builds.Question) (*target, error) {
	if question.Text < 0 || question.Text >= len(c.order) {
		return nil, fmt.Errorf("the chart in %s was changed while it was read", c.path)
	}
	t := &target{document: c.order[question.Text], path: question.Path, was: map[string]string{}}
	t.policy, t.image = "imagePullPolicy", "image"
	if len(t.path) > 0 && t.path[len(t.path)-1] == "image" {
		t.policy, t.image = "pullPolicy", "reference" // in an image volume
	}
	for index, document := range parsed(c.texts[t.document]) {
		if object, item := at(document, question.Line, nil); object != nil {
			t.index, t.item = index, item
			t.kind, t.name = scalar(object, "kind"), scalar(nodes.Get(object, "metadata"), "name")
			mapping := nodes.Follow(object, question.Path)
			for i := 0; mapping != nil && mapping.Kind == yaml.MappingNode && i+1 < len(mapping.Content); i += 2 {
				if value := mapping.Content[i+1]; value.Kind == yaml.ScalarNode {
					t.was[mapping.Content[i].Value] = value.Value
				}
			}
			return t, nil
		}
	}
	return t, nil
}

// at returns the object that begins on a line of a document, and its indices in Lists.
func at(node *yaml.Node, line int, item []int) (*yaml.Node, []int) {
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	if node.Kind == yaml.MappingNode && node.Line == line && nodes.Get(node, "kind") != nil {
		return node, item
	}
	items := nodes.Get(node, "items")
	for i := 0; items != nil && i < len(items.Content); i++ {
		if found, place := at(items.Content[i], line, append(slices.Clone(item), i)); found != nil {
			return found, place
		}
	}
	return nil, nil
}

// in returns the same object in another rendering, and whether it has another name there.
func (t *target) in(documents map[string][]*yaml.Node) (object *yaml.Node, renamed bool) {
	own := documents[t.document]
	if t.index < len(own) {
		if object = t.inLists(own[t.index]); scalar(object, "kind") == t.kind && t.kind != "" {
			return object, scalar(nodes.Get(object, "metadata"), "name") != t.name
		}
	}
	for _, document := range own {
		object = t.inLists(document)
		if scalar(object, "kind") == t.kind && scalar(nodes.Get(object, "metadata"), "name") == t.name && t.kind != "" {
			return object, false
		}
	}
	return nil, false
}

func (t *target) inLists(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	for _, place := range t.item {
		items := nodes.Get(node, "items")
		if items == nil || place >= len(items.Content) {
			return nil
		}
		node = items.Content[place]
	}
	return node
}

// A search finds the values that decide policies and images.
type search struct {
	chart   *Chart
	plain   *chart.Chart // the chart to render
	targets []*target
	left    int // renderings that are left
}

func (s *search) run() {
	rendered := map[string]use{}
	for _, t := range s.targets {
		rendered[marks.Tag(t.was[t.image])] = tag
	}
	for _, t := range s.targets {
		rendered[t.was[t.policy]] = policy
	}
	delete(rendered, "")
	all := s.chart.candidates(rendered)
	open := make([]*candidate, len(all))
	for i := range all {
		open[i] = &all[i]
	}
	for range mostRounds {
		used := s.mark(open)
		if len(used) == 0 {
			break
		}
		open = slices.DeleteFunc(open, func(c *candidate) bool { return used[c] })
	}
	s.compare(all)
}

// mark renders with a mark for each candidate, and returns the candidates whose marks appear in the output. If the templates
// fail, it renders with each half of the candidates.
func (s *search) mark(open []*candidate) map[*candidate]bool {
	if len(open) == 0 || s.left <= 0 {
		return nil
	}
	changes := map[*candidate]any{}
	for mark, own := range open {
		changes[own] = own.marked(mark)
	}
	documents, err := s.render(changes)
	if err != nil {
		used := map[*candidate]bool{}
		if half := len(open) / 2; half > 0 {
			maps.Copy(used, s.mark(open[:half]))
			maps.Copy(used, s.mark(open[half:]))
		}
		return used
	}
	used := map[*candidate]bool{}
	for _, t := range s.targets {
		object, _ := t.in(documents)
		mapping := nodes.Follow(object, t.path)
		for _, mark := range marks.In(scalar(mapping, t.policy)) {
			if mark < len(open) {
				t.policies = append(t.policies, found{candidate: open[mark]})
				used[open[mark]] = true
			}
		}
		shown := scalar(mapping, t.image)
		tagged := marks.In(shown[len(marks.Name(shown)):])
		for _, mark := range marks.In(shown) {
			if mark < len(open) {
				t.images = append(t.images, found{candidate: open[mark], tag: slices.Contains(tagged, mark)})
				used[open[mark]] = true
			}
		}
	}
	return used
}

func (s *search) render(changes map[*candidate]any) (map[string][]*yaml.Node, error) {
	s.left--
	texts, err := s.chart.rendered(s.plain, s.chart.with(changes), false)
	if err != nil {
		return nil, err
	}
	documents := map[string][]*yaml.Node{}
	for _, t := range s.targets {
		if _, done := documents[t.document]; !done {
			documents[t.document] = parsed(texts[t.document])
		}
	}
	return documents, nil
}

// compare finds values that decide policies without appearing in them, for example because a template compares a tag. It
// renders with one value changed at a time.
func (s *search) compare(all []candidate) {
	var open []*target
	for _, t := range s.targets {
		if t.was[t.policy] != "" && len(t.policies) == 0 {
			open = append(open, t)
		}
	}
	for _, t := range open {
		tried := map[*candidate]bool{}
		for _, own := range t.images {
			if own.tag {
				tried[own.candidate] = true
			}
		}
		for i := range all {
			if all[i].use == policy {
				tried[&all[i]] = true
			}
		}
		for own := range all {
			if !tried[&all[own]] || s.left <= 0 {
				continue
			}
			documents, err := s.render(map[*candidate]any{&all[own]: all[own].another()})
			if err != nil {
				continue
			}
			object, _ := t.in(documents)
			if mapping := nodes.Follow(object, t.path); mapping != nil && scalar(mapping, t.policy) != t.was[t.policy] {
				t.policies = append(t.policies, found{candidate: &all[own]})
			}
		}
	}
}

// answer returns the answer about a target.
func (c *Chart) answer(t *target, l located) builds.Answer {
	answer := builds.Answer{Object: l.object, Fields: map[string]builds.Decision{}}
	if l.name != t.name {
		answer.Name = steady(t.name, l.name) + "*"
	}
	if _, rendered := l.fields[t.policy]; !rendered && len(t.policies) > 0 {
		l.fields[t.policy] = l.fields[""] // the field is not there, but could be
	}
	for field, template := range l.fields {
		decision := builds.Decision{Place: template}
		switch field {
		case t.policy:
			decision.Keys = c.keys(t.policies, t.was[field])
		case t.image:
			decision.Keys = c.keys(t.images, marks.Tag(t.was[field]))
		}
		if field == t.policy || field == t.image && decides(decision.Keys, t.was[field]) {
			for _, key := range decision.Keys {
				if key.Place != nil {
					decision.Place, decision.Template = *key.Place, &template
					break
				}
			}
		}
		answer.Fields[field] = decision
	}
	return answer
}

// decides tells whether the keys of an image decide its tag. They do not if the tag is in the template.
func decides(keys []builds.Key, image string) bool {
	return len(keys) > 0 && (keys[0].Tag || marks.Tag(image) == "")
}

// keys returns candidates as keys. Those that set a tag come first, beginning with the one whose value is in effect.
func (c *Chart) keys(all []found, now string) []builds.Key {
	rank := func(f found) int {
		switch {
		case f.use == image && !f.tag:
			return 3
		case f.unstated:
			return 2
		case now != "" && (number(f.value) == now || f.use == image && marks.Tag(number(f.value)) == now):
			return 0
		}
		return 1
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b found) int { return rank(a) - rank(b) })
	var keys []builds.Key
	for _, own := range all {
		key := builds.Key{
			Key: own.key(), Path: own.path, Place: c.place(own.candidate), Tag: own.tag, Policy: own.use == policy,
		}
		if !slices.ContainsFunc(keys, func(k builds.Key) bool { return k.Key == key.Key }) {
			keys = append(keys, key)
		}
	}
	return keys
}

// steady returns the common prefix of two renderings of a name, up to the last punctuation. Letters after it agree by chance.
func steady(a, b string) string {
	end := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if strings.IndexByte("-._", a[i]) >= 0 {
			end = i + 1
		}
	}
	return a[:end]
}

// parsed returns the documents of a text, up to the first error.
func parsed(text string) []*yaml.Node {
	var found []*yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		document := &yaml.Node{}
		if decoder.Decode(document) != nil {
			return found
		}
		found = append(found, document)
	}
}

func scalar(node *yaml.Node, key string) string {
	value := nodes.Get(node, key)
	if value == nil || value.Kind != yaml.ScalarNode {
		return ""
	}
	return value.Value
}
