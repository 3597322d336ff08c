package helm

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/marks"
)

// A use is what a value may be used for, judging by its key.
type use int

const (
	other  use = iota
	policy     // a pull policy
	tag
	digest
	image // an image with or without a tag, or a part of its name
)

var (
	policyKey = regexp.MustCompile(`(?i)pull.?policy|^imagePull$`)
	tagKey    = regexp.MustCompile(`(?i)tag$|^tag|version$`)
	digestKey = regexp.MustCompile(`(?i)digest$|^sha256$|^sha$`)
	imageKey  = regexp.MustCompile(`(?i)images?$|^image|repo|registry|^hub$`)
	// A value that looks like an image, whatever its key.
	imageValue = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)+(:[\w.-]+)?(@sha256:[0-9a-f]+)?$`)
)

// A candidate is a value that may decide a pull policy or an image.
type candidate struct {
	path  []any // keys and indices
	value any
	use   use
	// No values file has it: a template asks for it.
	unstated bool
}

func (c candidate) key() string {
	var out strings.Builder
	for i, step := range c.path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&out, "[%d]", step)
		case string:
			if i > 0 {
				out.WriteByte('.')
			}
			out.WriteString(strings.ReplaceAll(step, ".", `\.`))
		}
	}
	return out.String()
}

// marked returns a replacement for a candidate's value that contains a mark.
func (c candidate) marked(mark int) any {
	text, _ := c.value.(string)
	word := marks.Word(mark)
	switch {
	case c.use == digest:
		return "sha256:" + word
	case c.use != image:
		return word
	case text == "":
		return word
	}
	if marks.Tag(text) != "" || strings.Contains(text, "@") {
		return marks.Name(text) + ":" + word
	}
	return text + "-" + word
}

// another returns another value that templates accept, in order to see whether it makes a difference.
func (c candidate) another() any {
	text, _ := c.value.(string)
	switch {
	case c.use == policy && text == "IfNotPresent":
		return "Never"
	case c.use == policy:
		return "IfNotPresent"
	case c.use == digest:
		return "sha256:" + strings.Repeat("a", 64)
	case c.use == image && text != "":
		return marks.Name(text) + ":9.9.9"
	}
	return "9.9.9"
}

// candidates returns the candidates among all values of a chart and its subcharts: those that a key names, and those that are
// among the pull policies and tags that are rendered.
func (c *Chart) candidates(rendered map[string]use) []candidate {
	values, err := chartutil.CoalesceValues(c.chart, c.given)
	if err != nil {
		return nil
	}
	own := collector{rendered: rendered}
	own.collect(c.chart, values, nil, false)
	own.collectUnstated(c.chart, values, nil)
	return own.found
}

// A collector collects candidates.
type collector struct {
	rendered map[string]use
	found    []candidate
}

func (c *collector) collect(own *chart.Chart, values map[string]any, at []any, below bool) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var sub *chart.Chart
		if own != nil {
			for _, dependency := range own.Dependencies() {
				if dependency.Name() == key {
					sub = dependency
				}
			}
			if key == chartutil.GlobalKey && len(at) > 0 {
				continue // Helm copies the parent's values
			}
		}
		c.collectValue(sub, key, values[key], append(slices.Clone(at), key), below || imageKey.MatchString(key))
	}
}

// collectValue adds the candidates in a value. below tells whether a key above it contains "image".
func (c *collector) collectValue(sub *chart.Chart, key string, value any, at []any, below bool) {
	switch value := value.(type) {
	case map[string]any:
		c.collect(sub, value, at, below)
	case []any:
		for i, item := range value {
			if _, isText := item.(string); !isText {
				c.collectValue(nil, key, item, append(slices.Clone(at), i), below)
			}
		}
	case bool:
	default:
		text, isText := value.(string)
		kind := other
		switch {
		case strings.ContainsAny(text, "\n "):
		case policyKey.MatchString(key):
			kind = policy
		case digestKey.MatchString(key):
			kind = digest
		case tagKey.MatchString(key):
			kind = tag
		case isText && text != "" && imageKey.MatchString(key):
			kind = image
		case c.rendered[number(value)] != other:
			kind = c.rendered[number(value)]
		case isText && text != "" && (below || imageValue.MatchString(text)):
			kind = image
		}
		if kind != other {
			c.found = append(c.found, candidate{path: at, value: value, use: kind})
		}
	}
}

var (
	asked = regexp.MustCompile(`\.Values((?:\.[A-Za-z_]\w*)+)`)
	// Lines that render a field, whatever the keys of its values.
	policyLine = regexp.MustCompile(`^\s*(?:- )?["']?(?:imageP|p)ullPolicy["']?:`)
	imageLine  = regexp.MustCompile(`^\s*(?:- )?["']?image["']?:`)
)

// collectUnstated adds policies, tags and digests that templates use and no values file has. A key or the line says what they are.
func (c *collector) collectUnstated(own *chart.Chart, values map[string]any, at []any) {
	for _, template := range own.Templates {
		for _, match := range asked.FindAllSubmatchIndex(template.Data, -1) {
			keys := strings.Split(string(template.Data[match[2]:match[3]]), ".")[1:]
			last := keys[len(keys)-1]
			before := template.Data[:match[0]]
			before = before[bytes.LastIndexByte(before, '\n')+1:]
			kind := other
			switch {
			case policyKey.MatchString(last) || policyLine.Match(before):
				kind = policy
			case digestKey.MatchString(last):
				kind = digest
			case tagKey.MatchString(last) || imageLine.Match(before):
				kind = tag
			}
			if kind == other {
				continue
			}
			parent, isMap := any(values), true
			for _, key := range keys[:len(keys)-1] {
				fields, _ := asMap(parent)
				parent = fields[key]
			}
			fields, isMap := asMap(parent)
			if _, stated := fields[last]; !isMap || stated {
				continue
			}
			whole := slices.Clone(at)
			if keys[0] == chartutil.GlobalKey {
				whole = nil
			}
			for _, key := range keys {
				whole = append(whole, key)
			}
			next := candidate{path: whole, use: kind, unstated: true}
			if !slices.ContainsFunc(c.found, func(c candidate) bool { return slices.Equal(c.path, next.path) }) {
				c.found = append(c.found, next)
			}
		}
	}
	for _, sub := range own.Dependencies() {
		fields, _ := asMap(values[sub.Name()])
		c.collectUnstated(sub, fields, append(slices.Clone(at), sub.Name()))
	}
}

func asMap(value any) (map[string]any, bool) {
	switch value := value.(type) {
	case map[string]any:
		return value, true
	case chartutil.Values:
		return value, true
	}
	return nil, false
}

// with returns the given values with some changes.
func (c *Chart) with(changes map[*candidate]any) map[string]any {
	all, err := chartutil.CoalesceValues(c.chart, c.given)
	if err != nil {
		all = nil
	}
	out, _ := copied(c.given).(map[string]any)
	for own, value := range changes {
		out = put(out, map[string]any(all), own.path, value).(map[string]any)
	}
	return out
}

// put sets a value at a path. It copies a missing list from all values, because a given list replaces the chart's.
func put(into, all any, at []any, value any) any {
	if len(at) == 0 {
		return value
	}
	switch step := at[0].(type) {
	case string:
		fields, ok := asMap(into)
		if !ok {
			fields = map[string]any{}
		}
		below, _ := asMap(all)
		fields[step] = put(fields[step], below[step], at[1:], value)
		return fields
	case int:
		items, ok := into.([]any)
		below, _ := all.([]any)
		if !ok {
			items, _ = copied(below).([]any)
		}
		if step < len(items) && step < len(below) {
			items[step] = put(items[step], below[step], at[1:], value)
		}
		return items
	}
	return into
}

func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, own := range value {
			out[key] = copied(own)
		}
		return out
	case chartutil.Values:
		return copied(map[string]any(value))
	case []any:
		out := make([]any, len(value))
		for i, own := range value {
			out[i] = copied(own)
		}
		return out
	}
	return value
}

// place returns the place of a candidate's value, or nil if no file has it or --set overrides it.
func (c *Chart) place(own *candidate) *builds.Place {
	if own.unstated {
		return nil
	}
	if isSet(c.set, own.path) {
		if c.options.SettingsFile == "" {
			return nil
		}
		return &builds.Place{File: c.options.SettingsFile, Line: 1}
	}
	for _, file := range slices.Backward(c.valuesFiles) {
		if line := lineIn(file.text, own.path); line > 0 {
			return &builds.Place{File: file.path, Line: line}
		}
	}
	// The chart's own values file comes first, then that of the subchart that the value belongs to, and so on.
	full, at := c.chart.Name(), own.path
	parent := c.chart
	for {
		for _, file := range c.files {
			if file.Name == path.Join(c.folders[full], "values.yaml") {
				if line := lineIn(file.Data, at); line > 0 {
					return &builds.Place{File: c.in(c.folders[full], "values.yaml"), Line: line}
				}
			}
		}
		var sub *chart.Chart
		for _, dependency := range parent.Dependencies() {
			if len(at) > 0 && at[0] == dependency.Name() {
				sub = dependency
			}
		}
		if sub == nil {
			return nil
		}
		full, at, parent = full+"/charts/"+sub.Name(), at[1:], sub
		if strings.Contains(c.folders[full], ".tgz") && !isArchive(c.path) {
			return &builds.Place{File: c.in(c.folders[full], ""), Line: 1}
		}
	}
}

func isSet(values any, at []any) bool {
	for _, step := range at {
		fields, isMap := asMap(values)
		key, isKey := step.(string)
		if !isMap || !isKey {
			return values != nil
		}
		value, isThere := fields[key]
		if !isThere {
			return false
		}
		values = value
	}
	return true
}

// lineIn returns the line of a key in a values file, or 0.
func lineIn(text []byte, at []any) int {
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader(text)).Decode(&document) != nil || len(document.Content) == 0 {
		return 0
	}
	node, line := document.Content[0], 0
	for _, step := range at {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		next := (*yaml.Node)(nil)
		switch step := step.(type) {
		case string:
			for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == step {
					next, line = node.Content[i+1], node.Content[i].Line
				}
			}
		case int:
			if node.Kind == yaml.SequenceNode && step < len(node.Content) {
				next = node.Content[step]
				line = next.Line
			}
		}
		if next == nil {
			return 0
		}
		node = next
	}
	return line
}

func number(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(value, 10)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}
