package read

import (
	"maps"
	"slices"

	yaml3 "go.yaml.in/yaml/v3"
)

// An arranger puts the values of a tape into the order of the nodes, and records their lines.
type arranger struct {
	*fullParser
	tape  *Tape
	nodes []node
	lines []int
}

// arrange moves a node of the tape, which is on the given line, with everything inside it.
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

// entries are the entries of a mapping, in order, with their indices by key.
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

// entriesOf returns the entries of a mapping, including merged ones. go-yaml v2 merges at the position of `<<`, where merged
// entries replace earlier ones; v3 merges at the end, and replaces nothing.
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
