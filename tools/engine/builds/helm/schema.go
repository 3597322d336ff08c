package helm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"pullguard.invalid/tools/engine/builds"
)

var errElsewhere = errors.New("it refers to a schema outside of the chart, which is not read")

// checkSchemas validates values by the schemas of a chart and its subcharts, as Helm does, but does not resolve references.
func (c *Chart) checkSchemas(own *chart.Chart, values any) error {
	fields, ok := values.(map[string]any)
	if merged, isValues := values.(chartutil.Values); isValues {
		fields, ok = merged, true
	}
	if !ok {
		return nil
	}
	if own.Schema != nil {
		err := checkSchema(own.Schema, fields)
		switch {
		case errors.Is(err, errElsewhere):
			c.omitted = append(c.omitted, builds.Omission{
				Name: own.Name() + "/values.schema.json", Why: "the values are not checked: " + errElsewhere.Error(),
			})
		case err != nil:
			return fmt.Errorf("the values of %s do not meet its schema: %w", own.Name(), err)
		}
	}
	for _, sub := range own.Dependencies() {
		if err := c.checkSchemas(sub, fields[sub.Name()]); err != nil {
			return err
		}
	}
	return nil
}

type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errElsewhere }

func checkSchema(schema []byte, values map[string]any) error {
	const name = "file:///values.schema.json"
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(name, parsed); err != nil {
		return err
	}
	compiled, err := compiler.Compile(name)
	var failed *jsonschema.LoadURLError
	if errors.As(err, &failed) {
		return errElsewhere
	}
	if err != nil {
		return err
	}
	if err := compiled.Validate(values); err != nil {
		_, text, _ := strings.Cut(err.Error(), "\n")
		return errors.New(strings.Join(strings.Fields(text), " "))
	}
	return nil
}
