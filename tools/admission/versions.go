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

// checkVersion rejects admission policies with expressions that an older API server would not accept. The library knows in
// which version each function was introduced. An API server accepts new expressions only if the previous version knows their
// functions as well, so that it can be rolled back.
func checkVersion(objects []runtime.Object, oldest string) error {
	parsed, err := version.ParseMajorMinor(oldest)
	if err != nil {
		return err
	}
	known := environment.MustBaseEnvSet(parsed.SubtractMinor(1))
	options := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	var problems []error
	for _, object := range objects {
		name, variables := variablesOf(object)
		compiler, err := cel.NewCompositedCompiler(known)
		if err != nil {
			return err
		}
		for _, variable := range variables {
			accessor := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
			found := compiler.CompileAndStoreVariable(accessor, options, environment.NewExpressions).Error
			if found != nil {
				problems = append(problems, fmt.Errorf("Kubernetes %s: %s: %s: %w", oldest, name, variable.Name, found))
			}
		}
	}
	return errors.Join(problems...)
}

func variablesOf(object runtime.Object) (string, []v1.Variable) {
	switch policy := object.(type) {
	case *v1.ValidatingAdmissionPolicy:
		return policy.Name, policy.Spec.Variables
	case *v1.MutatingAdmissionPolicy:
		return policy.Name, policy.Spec.Variables
	}
	return "", nil
}
