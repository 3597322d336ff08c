package kustomize

import (
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// appendJSON appends a node as JSON, with the value that kustomize writes for it.
func appendJSON(out []byte, node *yaml.Node) ([]byte, error) {
	switch node.Kind {
	case yaml.DocumentNode:
		return appendJSON(out, node.Content[0])
	case yaml.AliasNode:
		return appendJSON(out, node.Alias)
	case yaml.SequenceNode:
		out = append(out, '[')
		for i, item := range node.Content {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = appendJSON(out, item); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case yaml.MappingNode:
		out = append(out, '{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			if isRepeated(node, i) {
				continue
			}
			if out[len(out)-1] != '{' {
				out = append(out, ',')
			}
			out = append(appendString(out, node.Content[i].Value), ':')
			var err error
			if out, err = appendJSON(out, node.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	}
	if node.ShortTag() == "!!str" {
		return appendString(out, node.Value), nil
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", node.Value, err)
	}
	return append(out, text...), nil
}

// isRepeated tells whether a key occurs again later in a mapping. The last occurrence counts.
func isRepeated(mapping *yaml.Node, key int) bool {
	for i := key + 2; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == mapping.Content[key].Value {
			return true
		}
	}
	return false
}

func appendString(out []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // encoding a string cannot fail
	return append(out, quoted...)
}
