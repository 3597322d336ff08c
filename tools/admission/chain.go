package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/client-go/discovery"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/restmapper"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/plugin/pkg/admission/alwayspullimages"
)

// patience is how long the plugins may take to read the policies.
const patience = 30 * time.Second

// A chain is the two admission plugins with policies in force.
type chain struct {
	mutating   *mutating.Plugin
	validating *validating.Plugin
	objects    admission.ObjectInterfaces
	// nil unless it is turned on
	alwaysPull *alwayspullimages.AlwaysPullImages
}

// A clientset serves the policies and the schemas, as a cluster would.
type clientset struct {
	kubernetes.Interface
}

type discovered struct {
	discovery.DiscoveryInterface
}

func (c clientset) Discovery() discovery.DiscoveryInterface {
	return discovered{c.Interface.Discovery()}
}

func (discovered) OpenAPIV3() openapi.Client { return schemas{} }

// IsWatchListSemanticsUnSupported is called by informers. An embedded interface would hide the method.
func (clientset) IsWatchListSemanticsUnSupported() bool { return true }

// start makes both plugins read the objects.
func start(objects []runtime.Object) (*chain, error) {
	client := clientset{fake.NewClientset(objects...)}
	factory := informers.NewSharedInformerFactory(client, 0)
	result := &chain{objects: admission.NewObjectInterfacesFromScheme(legacyscheme.Scheme)}
	var err error
	if result.mutating, err = mutating.NewPlugin(nil); err != nil {
		return nil, err
	}
	if result.validating, err = validating.NewPlugin(nil); err != nil {
		return nil, err
	}
	result.mutating.SetEnabled(true)
	never := make(chan struct{})
	for _, plugin := range []interface {
		SetExternalKubeInformerFactory(informers.SharedInformerFactory)
		SetExternalKubeClientSet(kubernetes.Interface)
		SetDrainedNotification(<-chan struct{})
		SetAuthorizer(authorizer.Authorizer)
		ValidateInitialization() error
		WaitForReady() bool
	}{result.mutating, result.validating} {
		plugin.SetExternalKubeInformerFactory(factory)
		plugin.SetExternalKubeClientSet(client)
		plugin.SetDrainedNotification(never)
		// None of our policies uses the authorizer.
		plugin.SetAuthorizer(authorizer.AuthorizerFunc(
			func(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
				return authorizer.DecisionDeny, "", nil
			}))
	}
	// Policies without paramKind do not use these two for lookups.
	mapper := restmapper.NewDiscoveryRESTMapper(nil)
	dynamic := dynamicfake.NewSimpleDynamicClient(legacyscheme.Scheme)
	result.mutating.SetRESTMapper(mapper)
	result.validating.SetRESTMapper(mapper)
	result.mutating.SetDynamicClient(dynamic)
	result.validating.SetDynamicClient(dynamic)
	if err := errors.Join(result.mutating.ValidateInitialization(), result.validating.ValidateInitialization()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	factory.Start(never)
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, fmt.Errorf("the informer of %s did not start in time", kind)
		}
	}
	if !result.mutating.WaitForReady() || !result.validating.WaitForReady() {
		return nil, errors.New("the plugins did not read the policies in time")
	}
	return result, nil
}

// judge sends one request through both plugins. It returns an error for an invalid case.
func (c *chain) judge(one *Case) (*Verdict, error) {
	request := &one.Request
	object, err := decode(one, request.Object.Raw)
	if err != nil {
		return &Verdict{Refused: err.Error()}, nil
	}
	old, err := decode(one, request.OldObject.Raw)
	if err != nil {
		return &Verdict{Refused: err.Error()}, nil
	}
	verdict := &Verdict{Allowed: true}
	attributes := &recording{
		Attributes: admission.NewAttributesRecord(
			object, old,
			schema.GroupVersionKind(request.Kind),
			request.Namespace, request.Name,
			schema.GroupVersionResource(request.Resource), request.SubResource,
			admission.Operation(request.Operation), nil, false,
			&user.DefaultInfo{Name: request.UserInfo.Username, Groups: request.UserInfo.Groups},
		),
		verdict: verdict,
	}
	ctx := warning.WithWarningRecorder(context.Background(), verdict)
	if err := c.pullAlways(ctx, attributes); err != nil {
		return nil, err
	}
	if one.Typed && request.Operation != admissionv1.Delete {
		err = c.mutating.Admit(ctx, attributes, c.objects)
		// The plugin reads the schemas in the background.
		for begun := time.Now(); apierrors.IsServiceUnavailable(err) && time.Since(begun) < patience; {
			time.Sleep(10 * time.Millisecond)
			err = c.mutating.Admit(ctx, attributes, c.objects)
		}
	}
	if err == nil {
		err = c.validating.Validate(ctx, attributes, c.objects)
	}
	if err == nil {
		err = c.requireAlways(ctx, attributes)
	}
	if err != nil {
		verdict.Allowed = false
		verdict.Message = err.Error()
		var status *apierrors.StatusError
		if errors.As(err, &status) {
			verdict.Message = status.ErrStatus.Message
		}
	}
	if one.Typed && object != nil {
		verdict.Object, err = json.Marshal(object)
	} else {
		err = nil
	}
	return verdict, err
}

// pullAlways lets the plugin AlwaysPullImages change a pod, if it is turned on.
func (c *chain) pullAlways(ctx context.Context, attributes admission.Attributes) error {
	internal, err := c.internal(attributes)
	if internal == nil || err != nil {
		return err
	}
	if err := c.alwaysPull.Admit(ctx, internal, c.objects); err != nil {
		return err
	}
	return legacyscheme.Scheme.Convert(internal.GetObject(), attributes.GetObject(), nil)
}

// requireAlways lets the plugin AlwaysPullImages refuse a pod, if it is turned on: it also sees what others have changed.
func (c *chain) requireAlways(ctx context.Context, attributes admission.Attributes) error {
	internal, err := c.internal(attributes)
	if internal == nil || err != nil {
		return err
	}
	return c.alwaysPull.Validate(ctx, internal, c.objects)
}

// internal returns a request about a pod with internal types, as plugins see it that are compiled in, or nil if the plugin
// AlwaysPullImages is not asked.
func (c *chain) internal(attributes admission.Attributes) (admission.Attributes, error) {
	_, isPod := attributes.GetObject().(*corev1.Pod)
	if !isPod || c.alwaysPull == nil || !c.alwaysPull.Handles(attributes.GetOperation()) {
		return nil, nil
	}
	object, err := internalPod(attributes.GetObject())
	if err != nil {
		return nil, err
	}
	old, err := internalPod(attributes.GetOldObject())
	if err != nil {
		return nil, err
	}
	return admission.NewAttributesRecord(
		object, old,
		attributes.GetKind(), attributes.GetNamespace(), attributes.GetName(), attributes.GetResource(),
		attributes.GetSubresource(), attributes.GetOperation(), nil, false, attributes.GetUserInfo(),
	), nil
}

func internalPod(pod runtime.Object) (runtime.Object, error) {
	if pod == nil {
		return nil, nil
	}
	converted := &core.Pod{}
	return converted, legacyscheme.Scheme.Convert(pod, converted, nil)
}

// decode returns the object of a request, or nil if it has none.
func decode(one *Case, raw []byte) (runtime.Object, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if one.Typed {
		kind := schema.GroupVersionKind(one.Request.Kind)
		object, _, err := strict.Decode(raw, &kind, nil)
		if err != nil {
			return nil, err
		}
		legacyscheme.Scheme.Default(object)
		return object, nil
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("not an object: %w", err)
	}
	return object, nil
}

// A recording keeps the audit annotations that plugins add to a request.
type recording struct {
	admission.Attributes
	verdict *Verdict
}

func (r *recording) AddAnnotation(key, value string) error {
	r.verdict.Audit = append(r.verdict.Audit, Annotation{key, value})
	return r.Attributes.AddAnnotation(key, value)
}

// AddWarning makes Verdict a recorder of warnings.
func (v *Verdict) AddWarning(_, text string) { v.Warnings = append(v.Warnings, text) }
