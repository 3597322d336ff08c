// Command images says whether a container's image lets it start on a node, by the kubelet's own code: its image manager
// and its pull manager, over a runtime whose registries are there, and are gone.
//
//	kubelet-images < cases > answers
//
// Each line of the input is a case, each line of the output its answer. Exit code 2: a line is not a case.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/klog/v2"
)

// Case is a node with what has happened on it, and a question.
type Case struct {
	// Images are what the node had before the kubelet pulled anything: IDs by full names, such as
	// docker.io/library/nginx:1.
	Images map[string]string `json:"images"`
	// Registry is what can be pulled: IDs by full names.
	Registry map[string]string `json:"registry"`
	// Old is whether the kubelet does not care about credentials, as before Kubernetes 1.35.
	Old bool `json:"old"`
	// Private are the registries' hosts that want credentials.
	Private []string `json:"private"`
	// History are pods that started before, one after the other, while the registries were there.
	History []Request `json:"history"`
	// Removed are names that somebody has taken from images since; the images stay if they have others.
	Removed []string `json:"removed"`
	// Gone are the hosts of the registries that cannot be reached any more.
	Gone []string `json:"gone"`
	// Asked is the pod that starts now.
	Asked Request `json:"asked"`
}

// Request is a container that starts.
type Request struct {
	Namespace string   `json:"namespace"`
	Image     string   `json:"image"`
	Policy    string   `json:"policy"`
	Secrets   []Secret `json:"secrets"`
}

// Secret holds credentials for registries, in the pod's namespace.
type Secret struct {
	Name     string   `json:"name"`
	Hosts    []string `json:"hosts"`
	Password string   `json:"password"`
}

// Answer is what the kubelet does.
type Answer struct {
	Starts bool `json:"starts"`
	// Reason is empty where the container starts.
	Reason string `json:"reason"`
	// Images are those that the node had when it was asked: IDs by full names.
	Images map[string]string `json:"images"`
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(input io.Reader, output io.Writer) error {
	ctx := context.Background()
	reader := bufio.NewReader(input)
	encoder := json.NewEncoder(output)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		var one Case
		if err := json.Unmarshal(line, &one); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		answer, err := one.answer(ctx)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
}
