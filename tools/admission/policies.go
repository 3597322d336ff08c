package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	internal "k8s.io/kubernetes/pkg/apis/admissionregistration"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	"k8s.io/kubernetes/pkg/apis/admissionregistration/validation"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	generated "k8s.io/kubernetes/pkg/generated/openapi"
)

// strict decodes YAML and JSON, and rejects fields that the API's types do not have.
var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// load reads the objects of files, defaults them and validates them.
func load(files []string) ([]runtime.Object, error) {
	var objects []runtime.Object
	var problems []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
		for {
			document, err := readAll(documents)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if len(bytes.TrimSpace(document)) == 0 {
				continue
			}
			object, _, err := strict.Decode(document, nil, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			legacyscheme.Scheme.Default(object)
			if object, err = inV1(object); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if err := validate(object); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", file, err))
			}
			objects = append(objects, object)
		}
	}
	return objects, errors.Join(problems...)
}

// inV1 converts an admission policy or binding of an earlier API version to v1.
func inV1(object runtime.Object) (runtime.Object, error) {
	version := object.GetObjectKind().GroupVersionKind().GroupVersion()
	if version.Group != v1.GroupName || version == v1.SchemeGroupVersion {
		return object, nil
	}
	converted, err := legacyscheme.Scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if err != nil {
		return nil, err
	}
	return legacyscheme.Scheme.ConvertToVersion(converted, v1.SchemeGroupVersion)
}

func readAll(reader io.ReadCloser) ([]byte, error) {
	document := make([]byte, 4<<20)
	length, err := reader.Read(document)
	return document[:length], err
}

func validate(object runtime.Object) error {
	var found field.ErrorList
	switch typed := object.(type) {
	case *v1.ValidatingAdmissionPolicy:
		var converted internal.ValidatingAdmissionPolicy
		if err := legacyscheme.Scheme.Convert(typed, &converted, nil); err != nil {
			return err
		}
		found = validation.ValidateValidatingAdmissionPolicy(&converted)
		if len(found) == 0 {
			return checkTypes(typed)
		}
	case *v1.ValidatingAdmissionPolicyBinding:
		var converted internal.ValidatingAdmissionPolicyBinding
		if err := legacyscheme.Scheme.Convert(typed, &converted, nil); err != nil {
			return err
		}
		found = validation.ValidateValidatingAdmissionPolicyBinding(&converted)
	case *v1.MutatingAdmissionPolicy:
		var converted internal.MutatingAdmissionPolicy
		if err := legacyscheme.Scheme.Convert(typed, &converted, nil); err != nil {
			return err
		}
		found = validation.ValidateMutatingAdmissionPolicy(&converted)
	case *v1.MutatingAdmissionPolicyBinding:
		var converted internal.MutatingAdmissionPolicyBinding
		if err := legacyscheme.Scheme.Convert(typed, &converted, nil); err != nil {
			return err
		}
		found = validation.ValidateMutatingAdmissionPolicyBinding(&converted)
	case *corev1.Namespace:
	default:
		return fmt.Errorf("%T is not an admission policy, binding or Namespace", object)
	}
	return found.ToAggregate()
}

// checkTypes rejects a policy that the API server would accept with warnings in its status, about fields that a kind lacks.
func checkTypes(policy *v1.ValidatingAdmissionPolicy) error {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, version := range []schema.GroupVersion{corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion} {
		for kind := range legacyscheme.Scheme.KnownTypes(version) {
			mapper.Add(version.WithKind(kind), meta.RESTScopeNamespace)
		}
	}
	checker := validating.TypeChecker{
		SchemaResolver: resolver.NewDefinitionsSchemaResolver(generated.GetOpenAPIDefinitions, legacyscheme.Scheme),
		RestMapper:     mapper,
	}
	var problems []error
	for _, warning := range checker.Check(policy) {
		problems = append(problems, fmt.Errorf("%s: %s", warning.FieldRef, warning.Warning))
	}
	return errors.Join(problems...)
}
