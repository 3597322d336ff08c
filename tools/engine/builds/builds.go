// Package builds describes what kustomizations and charts make: manifests, and the places in files that people edit
// where their values come from.
//
// The packages below it build by the libraries of kustomize and Helm. They run nothing, fetch nothing and write nothing,
// but a template can loop and take all memory: a Worker keeps them in a process of their own, with limits.
package builds

// A Text is YAML that a build made.
type Text struct {
	// The file that it was made from: a template, or the kustomization file.
	Source string `json:"source"`
	Text   string `json:"text"`
}

// An Omission is a part of a build that could not be made, and why.
type Omission struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A Made is what a build made.
type Made struct {
	Texts   []Text     `json:"texts"`
	Omitted []Omission `json:"omitted,omitempty"`
	// The files that were read to make it, sorted: what stands in them is judged as it was made.
	Files []string `json:"files"`
	// The Helm values that were taken because the chart's own do not suffice: one of its ci/*-values.yaml.
	Values string `json:"values,omitempty"`
	// The kinds of the objects that a kustomization makes, in their order.
	Kinds []string `json:"-"`
}

// A Question asks where the fields of a mapping, such as a container, come from.
type Question struct {
	Text int   `json:"text"` // counted from 0
	Line int   `json:"line"` // on which the object begins in it
	Path []any `json:"path"` // of keys and indices
}

// An Answer says where the object of a Question and the fields of its mapping come from.
type Answer struct {
	// The resource or the template that the object comes from.
	Object Place `json:"object"`
	// The object's name, with * for a part that every rendering generates anew.
	Name string `json:"name,omitempty"`
	// What the mapping's fields are decided by; "" stands for the mapping itself.
	Fields map[string]Decision `json:"fields"`
}

// A Place is a line, counted from 1, of a file.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	// Where on the line, counted in characters from 1; 0 if that is not known.
	Column int `json:"column,omitempty"`
}

// A Decision says what decides the value of a field.
type Decision struct {
	// Where to change it: in a resource, a patch, a kustomization file, a values file, or else in the template.
	Place
	// The line of the template that the field was rendered from.
	Template *Place `json:"template,omitempty"`
	// The keys of Helm values that set it. The first one is in effect; setting any of them changes it.
	Keys []Key `json:"keys,omitempty"`
	// Where a kustomization's input has the value itself, to the column, if it stands there as it is.
	Written *Place `json:"written,omitempty"`
}

// A Key of Helm values.
type Key struct {
	Key  string `json:"key"` // as --set takes it
	Path []any  `json:"path"`
	// Where it stands; nil if no file has it.
	Place *Place `json:"place,omitempty"`
	// Whether it sets an image's tag, not only its name.
	Tag bool `json:"tag,omitempty"`
	// Whether it sets a pull policy.
	Policy bool `json:"policy,omitempty"`
}
