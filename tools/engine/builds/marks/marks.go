// Package marks replaces values by words that nobody uses, to find out which of them a build takes, and where.
package marks

import (
	"regexp"
	"strconv"
	"strings"
)

// A Mark is a number; in a text it is a word that can stand in a name or a tag of an image, and in plain YAML.
var pattern = regexp.MustCompile(`pgmark([0-9]+)z`)

// Word returns the word for a mark.
func Word(mark int) string { return "pgmark" + strconv.Itoa(mark) + "z" }

// In returns the marks in a text, in order.
func In(text string) []int {
	var found []int
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		if mark, err := strconv.Atoi(match[1]); err == nil {
			found = append(found, mark)
		}
	}
	return found
}

// Image returns an image with a word in place of its tag, or after its name if it has none. It returns ok=false if a digest
// decides.
func Image(image string, mark int) (marked string, ok bool) {
	if strings.Contains(image, "@") {
		return "", false
	}
	return Name(image) + ":" + Word(mark), true
}

// Name returns an image without its tag and digest.
func Name(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndexByte(image, ':'); colon > strings.LastIndexByte(image, '/') {
		return image[:colon]
	}
	return image
}

// Tag returns an image's tag, or "" if it has none.
func Tag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return strings.TrimPrefix(image[len(Name(image)):], ":")
}
