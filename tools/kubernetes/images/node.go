package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/distribution/reference"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/features"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubelet/container/testing"
	"k8s.io/kubernetes/pkg/kubelet/images"
	"k8s.io/kubernetes/pkg/kubelet/images/pullmanager"
)

func (one *Case) answer(ctx context.Context) (*Answer, error) {
	folder, err := os.MkdirTemp("", "kubelet-images")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	node := &runtime{FakeRuntime: &testing.FakeRuntime{}, ids: map[string]string{}, registry: one.Registry, private: one.Private}
	for name, id := range one.Images {
		node.ids[name] = id
	}
	gate := fmt.Sprintf("%s=%t", features.KubeletEnsureSecretPulledImages, !one.Old)
	if err := utilfeature.DefaultMutableFeatureGate.Set(gate); err != nil {
		return nil, err
	}
	manager, err := newManager(ctx, folder, node)
	if err != nil {
		return nil, err
	}
	for _, request := range one.History {
		start(ctx, manager, request) // whether it starts is no matter: what it leaves is
	}
	for _, name := range one.Removed {
		delete(node.ids, name)
	}
	answer := &Answer{Starts: true, Images: maps.Clone(node.ids)}
	node.gone = one.Gone
	if err := start(ctx, manager, one.Asked); err != nil {
		answer.Starts, answer.Reason = false, err.Error()
	}
	return answer, nil
}

// newManager returns the image manager of a kubelet that runs with the defaults of its configuration.
func newManager(ctx context.Context, folder string, node *runtime) (images.ImageManager, error) {
	records, err := pullmanager.NewFSPullRecordsAccessor(klog.FromContext(ctx), folder)
	if err != nil {
		return nil, err
	}
	enforcer, err := pullmanager.NewImagePullCredentialVerificationPolicy(kubeletconfig.NeverVerifyPreloadedImages, nil)
	if err != nil {
		return nil, err
	}
	pulls, err := pullmanager.NewImagePullManager(ctx, records, enforcer, node, 1)
	if err != nil {
		return nil, err
	}
	return images.NewImageManager(
		&record.FakeRecorder{}, &credentialprovider.BasicDockerKeyring{}, node, pulls,
		flowcontrol.NewBackOff(time.Second, time.Second), true, nil, 0, 0, noTimes{},
	), nil
}

func start(ctx context.Context, manager images.ImageManager, request Request) error {
	pod := &v1.Pod{}
	pod.Namespace, pod.Name, pod.UID = request.Namespace, "pod", types.UID(fmt.Sprint(request))
	secrets := []v1.Secret{}
	for _, secret := range request.Secrets {
		secrets = append(secrets, secret.object(request.Namespace))
	}
	sandbox := &runtimeapi.PodSandboxConfig{Metadata: &runtimeapi.PodSandboxMetadata{Namespace: pod.Namespace, Name: pod.Name}}
	_, _, err := manager.EnsureImageExists(
		ctx, &v1.ObjectReference{}, pod, request.Image, secrets, sandbox, "", v1.PullPolicy(request.Policy),
	)
	return err
}

func (secret *Secret) object(namespace string) v1.Secret {
	auths := map[string]map[string]string{}
	for _, host := range secret.Hosts {
		auths[host] = map[string]string{"username": "node", "password": secret.Password}
	}
	data, _ := json.Marshal(map[string]any{"auths": auths}) // strings always can be written
	made := v1.Secret{Type: v1.SecretTypeDockerConfigJson, Data: map[string][]byte{v1.DockerConfigJsonKey: data}}
	made.Namespace, made.Name, made.UID = namespace, secret.Name, types.UID(namespace+"/"+secret.Name)
	return made
}

// runtime finds images as containerd does: by full names, without the tag where there is a digest, and by IDs.
type runtime struct {
	*testing.FakeRuntime
	ids      map[string]string
	registry map[string]string
	private  []string
	gone     []string
}

func (node *runtime) GetImageRef(_ context.Context, image container.ImageSpec) (string, error) {
	name, _, err := full(image.Image)
	if err != nil {
		return "", err
	}
	return node.ids[name], nil
}

func (node *runtime) PullImage(
	_ context.Context, image container.ImageSpec, credentials []credentialprovider.TrackedAuthConfig, _ *runtimeapi.PodSandboxConfig,
) (string, *credentialprovider.TrackedAuthConfig, error) {
	name, host, err := full(image.Image)
	switch id := node.registry[name]; {
	case err != nil:
		return "", nil, err
	case slices.Contains(node.gone, host):
		return "", nil, errors.New("connection refused")
	case id == "":
		return "", nil, errors.New("not found")
	case !slices.Contains(node.private, host):
		node.ids[name] = id
		return id, nil, nil
	case len(credentials) == 0:
		return "", nil, errors.New("unauthorized")
	default:
		node.ids[name] = id
		return id, &credentials[0], nil
	}
}

// full returns the name under which containerd keeps an image, and its registry.
func full(image string) (name, host string, err error) {
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return "", "", err
	}
	return named.String(), reference.Domain(named), nil
}

type noTimes struct{}

func (noTimes) RecordImageStartedPulling(types.UID)  {}
func (noTimes) RecordImageFinishedPulling(types.UID) {}
