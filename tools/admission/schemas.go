package main

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiopenapi "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/builder3"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	generated "k8s.io/kubernetes/pkg/generated/openapi"
)

// schemas serves the API server's schema of Pods, the only kind that our policies mutate.
type schemas struct{}

func (schemas) Paths() (map[string]openapi.GroupVersion, error) {
	return map[string]openapi.GroupVersion{"api/v1": pods{}}, nil
}

type pods struct{}

func (pods) ServerRelativeURL() string { return "/openapi/v3/api/v1" }

func (pods) Schema(string) ([]byte, error) {
	namer := apiopenapi.NewDefinitionNamer(legacyscheme.Scheme)
	config := &common.OpenAPIV3Config{
		Info:              &spec.Info{},
		GetDefinitionName: namer.GetDefinitionName,
		GetDefinitions:    generated.GetOpenAPIDefinitions,
	}
	config.Definitions = config.GetDefinitions(func(name string) spec.Ref {
		shown, _ := namer.GetDefinitionName(name)
		return spec.MustCreateRef("#/components/schemas/" + common.EscapeJsonPointer(shown))
	})
	definitions, err := builder3.BuildOpenAPIDefinitionsForResources(config, corev1.Pod{}.OpenAPIModelName())
	if err != nil {
		return nil, fmt.Errorf("no schema of Pods: %w", err)
	}
	return json.Marshal(spec3.OpenAPI{Version: "3.0.0", Components: &spec3.Components{Schemas: definitions}})
}
