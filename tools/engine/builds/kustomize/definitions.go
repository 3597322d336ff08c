package kustomize

import (
	"bytes"
	"regexp"
)

const definition = "CustomResourceDefinition"

var (
	isDefinition = regexp.MustCompile(`(?m)^kind:[ \t]*["']?` + definition + `["']?[ \t]*(?:#.*)?\r?$`)
	separator    = regexp.MustCompile(`(?m)^---(?:[ \t].*)?\r?$`)
)

// Definitions that are smaller than this may be patches.
const leastDefinition = 4096 // bytes

// blankDefinitions returns a text in which empty lines replace those of large definitions.
func blankDefinitions(text []byte) []byte {
	if len(text) < leastDefinition || !bytes.Contains(text, []byte(definition)) {
		return text
	}
	var out []byte
	start := 0
	add := func(end int) {
		own := text[start:end]
		if len(own) >= leastDefinition && isDefinition.Match(own) {
			own = bytes.Repeat([]byte{'\n'}, bytes.Count(own, []byte{'\n'}))
		}
		out = append(out, own...)
	}
	for _, at := range separator.FindAllIndex(text, -1) {
		add(at[0])
		out = append(out, text[at[0]:at[1]]...)
		start = at[1]
	}
	add(len(text))
	return out
}
