// Package marks replaces values by unique words, to find out which values a build uses, and where.
package marks

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// A mark is a number. In a text it is a word that is valid in a name, in the tag of an image, and in plain YAML.
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

// Replaced returns a text with what own returns for the marks that it knows. If that is "", the mark was a tag that an image
// did not have.
func Replaced(text []byte, own func(mark int) (string, bool)) []byte {
	var out []byte
	start := 0
	for _, at := range pattern.FindAllSubmatchIndex(text, -1) {
		mark, err := strconv.Atoi(string(text[at[2]:at[3]]))
		if err != nil {
			continue
		}
		if value, ok := own(mark); ok {
			out = append(out, text[start:at[0]]...)
			if value == "" {
				out = bytes.TrimSuffix(out, []byte(":"))
			}
			out, start = append(out, value...), at[1]
		}
	}
	return append(out, text[start:]...)
}

// Image returns an image with a word in place of its tag, or with the word as its tag if it has none. It returns ok=false if
// the image has a digest, which decides.
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
