// Package builds describes the output of kustomizations and charts, and the places in files from which its values come.
//
// The packages below it build with the libraries of kustomize and Helm. They run no programs, fetch nothing and write nothing.
// A template can still loop forever or take all memory, so a Worker runs them in a separate process with limits.
package builds

// A Text is YAML that a build made.
type Text struct {
	// The file that it was made from: a template or the kustomization file.
	Source string `json:"source"`
	Text   string `json:"text"`
}

// An Omission is a part of a build that could not be made, with the reason.
type Omission struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A Made is the output of a build.
type Made struct {
	Texts   []Text     `json:"texts"`
	Omitted []Omission `json:"omitted,omitempty"`
	// The files that were read, sorted. Their content is judged as part of the output.
	Files []string `json:"files"`
	// The file with Helm values that was used because the chart's own values do not suffice: one of its ci/*-values.yaml.
	Values string `json:"values,omitempty"`
	// The name of the chart.
	Chart string `json:"chart,omitempty"`
}

// A Question asks where the fields of a mapping, such as a container, come from.
type Question struct {
	Text int   `json:"text"` // index of the text
	Line int   `json:"line"` // line of the text on which the object begins
	Path []any `json:"path"` // keys and indices
}

// An Answer says where the object of a Question and the fields of its mapping come from.
type Answer struct {
	// The place of the object in a resource or a template.
	Object Place `json:"object"`
	// The object's name, if part of it is random: * stands for that part.
	Name string `json:"name,omitempty"`
	// The fields of the mapping and what decides them; the key "" stands for the mapping itself.
	Fields map[string]Decision `json:"fields"`
}

// A Place is a line of a file, counted from 1.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	// The column, counted in characters from 1; 0 if not known.
	Column int `json:"column,omitempty"`
}

// A Decision says what decides the value of a field.
type Decision struct {
	// Where to change it: in a resource, a patch, a kustomization file or a values file, or else in the template.
	Place
	// The line of the template that the field was rendered from.
	Template *Place `json:"template,omitempty"`
	// The keys of Helm values that set the field. The first one is in effect, but setting any of them changes the field.
	Keys []Key `json:"keys,omitempty"`
	// The exact place of the value in a kustomization's input, if the input has it unchanged.
	Written *Place `json:"written,omitempty"`
}

// A Key is a key of Helm values.
type Key struct {
	Key  string `json:"key"` // in the notation of --set
	Path []any  `json:"path"`
	// Its place; nil if no file has it.
	Place *Place `json:"place,omitempty"`
	// Whether it sets an image's tag, not only its name.
	Tag bool `json:"tag,omitempty"`
	// Whether it sets a pull policy.
	Policy bool `json:"policy,omitempty"`
}
