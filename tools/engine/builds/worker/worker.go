// Package worker builds in separate processes, because a template can loop or take all memory, and can only be stopped by
// ending its process.
package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/helm"
	"pullguard.invalid/tools/engine/memory"
)

// The kinds of builds.
const (
	Chart         = "chart"
	Kustomization = "kustomization"
)

// A Build is a chart or a kustomization to build.
type Build struct {
	Kind    string       `json:"kind"`
	Path    string       `json:"path"` // absolute: a folder, or a chart's archive
	Options helm.Options `json:"options,omitzero"`
	// Texts to read instead of files, by path.
	Texts map[string]string `json:"texts,omitempty"`
}

// Limits are the limits of one build.
type Limits struct {
	Time   time.Duration
	Memory int // bytes
}

// DefaultLimits are far above the needs of the largest charts.
var DefaultLimits = Limits{Time: 30 * time.Second, Memory: 2 << 30}

// A request is a line of JSON, to which a process answers with a line of JSON.
type request struct {
	Build
	// Questions about the last build; nil: build.
	Questions []builds.Question `json:"questions,omitempty"`
}

type response struct {
	Made    *builds.Made    `json:"made,omitempty"`
	Answers []builds.Answer `json:"answers,omitempty"`
	Failed  string          `json:"failed,omitempty"`
}

// A Worker builds one thing after the other. It starts its process when it is first needed, and again after a build has
// exceeded a limit.
type Worker struct {
	command []string
	limits  Limits
	process *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	said    *tail
}

// New returns a worker. command starts a process that calls Serve.
func New(command []string, limits Limits) *Worker { return &Worker{command: command, limits: limits} }

// Make builds.
func (w *Worker) Make(build Build) (*builds.Made, error) {
	answer, err := w.ask(request{Build: build})
	return answer.Made, err
}

// Places returns where the fields of a build's output come from, in the order of the questions.
func (w *Worker) Places(build Build, questions []builds.Question) ([]builds.Answer, error) {
	answer, err := w.ask(request{Build: build, Questions: questions})
	if err == nil && len(answer.Answers) != len(questions) {
		err = errors.New("there is not an answer for each question")
	}
	return answer.Answers, err
}

// Close ends the process.
func (w *Worker) Close() {
	if w.process != nil {
		w.input.Close()
		w.process.Process.Kill()
		w.process.Wait()
		w.process = nil
	}
}

func (w *Worker) start() error {
	w.process = exec.Command(w.command[0], w.command[1:]...)
	// The environment has no PATH, so that no program can be found.
	w.process.Env = []string{"PATH=", fmt.Sprintf("%s=%d", memoryVariable, w.limits.Memory)}
	w.said = &tail{}
	w.process.Stderr = w.said
	input, err := w.process.StdinPipe()
	if err != nil {
		return err
	}
	output, err := w.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.process.Start(); err != nil {
		w.process = nil
		return err
	}
	w.input, w.output = input, bufio.NewReaderSize(output, 1<<16)
	return nil
}

func (w *Worker) ask(asked request) (answer response, err error) {
	if w.process == nil {
		if err := w.start(); err != nil {
			return answer, fmt.Errorf("the build process cannot be started: %w", err)
		}
	}
	line, err := json.Marshal(asked)
	if err != nil {
		return answer, err
	}
	late := time.AfterFunc(w.limits.Time, func() { w.process.Process.Kill() })
	_, err = w.input.Write(append(line, '\n'))
	if err == nil {
		line, err = w.output.ReadBytes('\n')
	}
	isLate := !late.Stop()
	if err != nil {
		w.process.Wait()
		w.process = nil
		switch {
		case isLate:
			return answer, fmt.Errorf("it takes longer than %s", w.limits.Time)
		case memory.IsExhausted(string(w.said.first)) || memory.IsExhausted(string(w.said.rest)):
			return answer, fmt.Errorf("it takes more than %d MB of memory", w.limits.Memory>>20)
		case w.said.has("stack exceeds"):
			return answer, errors.New("it is nested too deep")
		}
		return answer, fmt.Errorf("the build process has ended: %s", w.said.last())
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return answer, err
	}
	if answer.Failed != "" {
		return answer, errors.New(answer.Failed)
	}
	return answer, nil
}

// A tail keeps the beginning and the end of a process's output, because libraries may write any number of warnings.
type tail struct{ first, rest []byte }

const mostSaid = 1 << 13

func (t *tail) Write(text []byte) (int, error) {
	if room := mostSaid - len(t.first); room > 0 {
		t.first = append(t.first, text[:min(room, len(text))]...)
	}
	t.rest = append(t.rest, text...)
	if len(t.rest) > 2*mostSaid {
		t.rest = append([]byte(nil), t.rest[len(t.rest)-mostSaid:]...)
	}
	return len(text), nil
}

func (t *tail) has(words string) bool {
	return strings.Contains(string(t.rest), words) || strings.Contains(string(t.first), words)
}

func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.rest)), "\n")
	return lines[len(lines)-1]
}

// Command returns the command that starts this program as a worker.
func Command() ([]string, error) {
	own, err := os.Executable()
	return []string{own, "build"}, err
}
