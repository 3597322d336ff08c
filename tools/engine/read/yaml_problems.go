package read

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
)

// explain returns a problem for the first thing in a node that JSON cannot express, or nil. It asks the library that rejected
// the document about each scalar that may be the reason.
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
				Line: p.line(n), Message: n.Value + " is not a number in JSON", Remedy: "put it in quotes",
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
		// At the top level, the text of any scalar can be a key.
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

var (
	inWords = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?(?:line (\d+): )?((?s).*)$`)
	// The parser's errors begin like this. All others are the scanner's, which counts lines from 1.
	ofParser = regexp.MustCompile(
		`^(did not find expected (<|node content|'-' indicator|key|',')|found (duplicate|incompatible|undefined tag handle))`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	tabs          = regexp.MustCompile(`^[ \-?:]*\t`)
)

// parseError returns the line, from 1, and the message of an error of go-yaml.
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

// syntaxProblem returns a problem for the error of a library.
func (p *fullParser) syntaxProblem(err error) *Problem {
	line, words := p.parseError(err)
	if p.dialect == Gator {
		// go-yaml v3 reports the line where the wrong construct begins, and v2 the line of the error.
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

// lineOfAlias returns the line of the alias that a library rejects without naming its line: the first line at which the text
// up to it is rejected with the same message. It searches up to some megabytes.
func (p *fullParser) lineOfAlias(name, words string) int {
	for at, left := 0, 1<<22; left > 0; {
		next := bytes.Index(p.text[at:], []byte("*"+name))
		if next < 0 {
			break
		}
		at += next + 1 + len(name)
		if at < len(p.text) && (isWordByte(p.text[at]) || p.text[at] == '_' || p.text[at] == '-') {
			continue // the alias has a longer name
		}
		number := p.lines.first + bytes.Count(p.text[:at], lineFeed)
		if words == "" {
			return number
		}
		line, _, _ := bytes.Cut(p.text[at:], lineFeed)
		end := at + len(line)
		left -= end
		var value any
		if err := yaml2.Unmarshal(p.text[:end], &value); err != nil && strings.HasSuffix(err.Error(), words) {
			return number
		}
	}
	return p.lines.first
}

func (p *fullParser) tooMuchAliased(line int) *Problem {
	return &Problem{
		Line:    line,
		Message: "aliases make the document too large",
		Remedy:  "write the values out (`pullguard check` allows more with --max-aliased)",
	}
}
