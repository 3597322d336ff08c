package main

import (
	"errors"
	"fmt"

	v1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/environment"
)

// checkVersion refuses ValidatingAdmissionPolicies with expressions that an older API server would not accept: the code
// knows which functions each version has brought.
func checkVersion(objects []runtime.Object, oldest string) error {
	parsed, err := version.ParseMajorMinor(oldest)
	if err != nil {
		return err
	}
	options := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	var problems []error
	for _, object := range objects {
		policy, ok := object.(*v1.ValidatingAdmissionPolicy)
		if !ok {
			continue
		}
		compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(parsed))
		if err != nil {
			return err
		}
		for _, variable := range policy.Spec.Variables {
			accessor := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
			found := compiler.CompileAndStoreVariable(accessor, options, environment.NewExpressions).Error
			if found != nil {
				problems = append(problems, fmt.Errorf("Kubernetes %s: %s: %s: %w", oldest, policy.Name, variable.Name, found))
			}
		}
	}
	return errors.Join(problems...)
}
