package judge

import (
	"cmp"
	"errors"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A Module describes a Rego module.
type Module struct {
	Package    []string    `json:"package"` // its parts, without data
	Line       int         `json:"line"`    // of the package clause
	References []Reference `json:"references"`
	Sets       []string    `json:"sets"` // the names of its partial sets
	Metadata   *Metadata   `json:"metadata"`
}

// A Reference is an import, or a reference to data, up to its first part that is not a constant string.
type Reference struct {
	Parts    []string `json:"parts"`
	IsImport bool     `json:"isImport"`
	Line     int      `json:"line"`
}

// Metadata is the annotations of a package, with the comment that contains them.
type Metadata struct {
	Line        int              `json:"line"`
	Text        string           `json:"text"`
	Annotations *ast.Annotations `json:"annotations"`
}

// Parse parses a module of Rego v1.
func Parse(text string) (Module, error) {
	parsed, err := ast.ParseModuleWithOpts("", text, ast.ParserOptions{ProcessAnnotation: true})
	if err != nil {
		return Module{}, err
	}
	annotations, errs := ast.BuildAnnotationSet([]*ast.Module{parsed})
	if len(errs) > 0 {
		return Module{}, errs
	}
	found := Module{
		Package:    constants(parsed.Package.Path)[1:],
		Line:       parsed.Package.Loc().Row,
		References: references(parsed),
		Sets:       []string{},
	}
	for _, rule := range parsed.Rules {
		if head := rule.Head; head.Name != "" && head.Key != nil && head.Value == nil {
			found.Sets = append(found.Sets, string(head.Name))
		}
	}
	if own := annotations.GetPackageScope(parsed.Package); own != nil {
		found.Metadata = &Metadata{own.Loc().Row, string(own.Loc().Text), own}
	}
	return found, nil
}

// references returns the imports of a module, and its references to data in the order of the text.
func references(parsed *ast.Module) []Reference {
	found := []Reference{}
	for _, each := range parsed.Imports {
		found = append(found, Reference{constants(each.Path.Value.(ast.Ref)), true, each.Loc().Row})
	}
	var toData []ast.Ref
	for _, rule := range parsed.Rules {
		ast.WalkRefs(rule, func(ref ast.Ref) bool {
			if ref.HasPrefix(ast.DefaultRootRef) {
				toData = append(toData, ref)
			}
			return false
		})
	}
	slices.SortStableFunc(toData, func(a, b ast.Ref) int {
		first, second := a[0].Loc(), b[0].Loc()
		return cmp.Or(cmp.Compare(first.Row, second.Row), cmp.Compare(first.Col, second.Col))
	})
	for _, ref := range toData {
		found = append(found, Reference{constants(ref), false, ref[0].Loc().Row})
	}
	return found
}

// constants returns the first name of a reference, and the constant strings after it.
func constants(ref ast.Ref) []string {
	var parts []string
	for i, term := range ref {
		switch value := term.Value.(type) {
		case ast.Var:
			if i > 0 {
				return parts
			}
			parts = append(parts, string(value))
		case ast.String:
			parts = append(parts, string(value))
		default:
			return parts
		}
	}
	return parts
}

// FirstError returns OPA's first error about a module, because others mostly follow from it, and its line, or 0.
func FirstError(err error) (message string, line int) {
	var many ast.Errors
	var first *ast.Error
	switch {
	case errors.As(err, &many):
		first = many[0]
	case !errors.As(err, &first):
		return err.Error(), 0
	}
	if first.Location != nil {
		line = first.Location.Row
	}
	return first.Message, line
}
