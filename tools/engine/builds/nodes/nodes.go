// Package nodes finds values in YAML. Builds use it to follow the paths of findings.
package nodes

import "go.yaml.in/yaml/v3"

// Follow returns the node at a path of keys and indices, or nil.
func Follow(node *yaml.Node, path []any) *yaml.Node {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			node = Get(node, step)
		case float64: // a number in JSON
			node = Item(node, int(step))
		case int:
			node = Item(node, step)
		}
	}
	return node
}

// Item returns an item of a sequence, or nil.
func Item(node *yaml.Node, index int) *yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode || index < 0 || index >= len(node.Content) {
		return nil
	}
	return node.Content[index]
}

// Get returns the value of a key in a mapping, or nil.
func Get(node *yaml.Node, key string) *yaml.Node {
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
