// Command admission evaluates admission policies with the API server's own code: it decodes, defaults and validates the
// policies, and then sends requests through the mutating and the validating plugin.
//
//	admission [-kubernetes VERSION] [-always-pull-images] FILE... < requests > verdicts
//
// The files hold ValidatingAdmissionPolicies, MutatingAdmissionPolicies, their bindings, and Namespaces, as YAML. Each line
// of the input is a case, and each line of the output is its verdict. With -kubernetes, the expressions must be valid for an
// API server of that version. With -always-pull-images, the admission plugin AlwaysPullImages is turned on. Exit code 2: the API server would not accept the files, or a line is not a case.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/plugin/pkg/admission/alwayspullimages"
)

// Case is one request.
type Case struct {
	// Request is what a webhook would receive.
	Request admissionv1.AdmissionRequest `json:"request"`
	// Typed decodes the object into the API's type and defaults it first, as for every built-in kind. Otherwise it is used as it
	// is, like a custom resource. Only typed objects are mutated.
	Typed bool `json:"typed"`
}

// Verdict is the answer to one case.
type Verdict struct {
	// Refused says why the API server would have refused the object before asking the plugins.
	Refused string `json:"refused,omitempty"`
	Allowed bool   `json:"allowed"`
	// Message is the user's message if the request is denied.
	Message string `json:"message,omitempty"`
	// Warnings and Audit are the results of the actions Warn and Audit.
	Warnings []string     `json:"warnings,omitempty"`
	Audit    []Annotation `json:"audit,omitempty"`
	// Object is the object after mutation and defaulting, for typed cases.
	Object json.RawMessage `json:"object,omitempty"`
}

// An Annotation is an entry for the request in the audit log.
type Annotation struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	oldest := flag.String("kubernetes", "", "the oldest version that must accept the expressions, such as 1.30")
	alwaysPull := flag.Bool("always-pull-images", false, "turn on the admission plugin AlwaysPullImages")
	flag.Parse()
	if err := run(flag.Args(), *oldest, *alwaysPull, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(files []string, oldest string, alwaysPull bool, input io.Reader, output io.Writer) error {
	objects, err := load(files)
	if err != nil {
		return err
	}
	if oldest != "" {
		if err := checkVersion(objects, oldest); err != nil {
			return err
		}
	}
	chain, err := start(objects)
	if err != nil {
		return err
	}
	if alwaysPull {
		chain.alwaysPull = alwayspullimages.NewAlwaysPullImages()
	}
	reader := bufio.NewReader(input)
	writer := bufio.NewWriter(output)
	encoder := json.NewEncoder(writer)
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
		verdict, err := chain.judge(&one)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(verdict); err != nil {
			return err
		}
		// The sender of a line may wait for its answer.
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}
