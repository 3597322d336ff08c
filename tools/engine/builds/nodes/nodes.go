// Package nodes finds values in YAML: builds follow the paths of findings through texts that they made.
package nodes

import "go.yaml.in/yaml/v3"

// Follow returns the node at a path of keys and indices; nil if there is none.
func Follow(node *yaml.Node, path []any) *yaml.Node {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			node = Get(node, step)
		case float64: // as JSON has it
			node = Item(node, int(step))
		case int:
			node = Item(node, step)
		}
	}
	return node
}

// Item returns an item of a sequence; nil if there is none.
func Item(node *yaml.Node, index int) *yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode || index < 0 || index >= len(node.Content) {
		return nil
	}
	return node.Content[index]
}

// Get returns the value of a key in a mapping; nil if there is none.
func Get(node *yaml.Node, key string) *yaml.Node {
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
