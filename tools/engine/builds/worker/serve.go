package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"runtime/debug"
	"strconv"
	"time"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/helm"
	"pullguard.invalid/tools/engine/builds/kustomize"
	"pullguard.invalid/tools/engine/memory"
)

// Builds create much garbage and keep little: memory is collected once there is this much of it, and not before.
const usualMemory = 384 << 20 // bytes

const memoryVariable = "PULLGUARD_BUILD_MEMORY" // bytes

// Serve answers requests until there are no more.
func Serve(input io.Reader, output io.Writer) error {
	http.DefaultTransport = offline{}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(usualMemory)
	go endWithParent(os.Getppid())
	if limit, err := strconv.Atoi(os.Getenv(memoryVariable)); err == nil {
		if err := memory.Limit(uint64(limit)); err != nil {
			return err
		}
	}
	lines := bufio.NewReaderSize(input, 1<<16)
	answers := bufio.NewWriterSize(output, 1<<16)
	var s server
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			return err
		}
		answer := s.answer(asked)
		if err := json.NewEncoder(answers).Encode(answer); err != nil {
			return err
		}
		if err := answers.Flush(); err != nil {
			return err
		}
	}
}

// endWithParent ends the process when its parent has ended, because nobody else would stop a template that loops.
func endWithParent(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

// offline refuses requests to a network.
type offline struct{}

func (offline) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, errors.New(kustomize.NoNetwork)
}

// A server keeps the last build, to answer questions about it.
type server struct {
	last  Build
	built built
}

// A built is a chart or a kustomization.
type built interface {
	Made() *builds.Made
	Places(questions []builds.Question) ([]builds.Answer, error)
}

func (s *server) answer(asked request) (answer response) {
	defer func() {
		// The libraries sometimes panic.
		if problem := recover(); problem != nil {
			answer = response{Failed: fmt.Sprint(problem)}
		}
	}()
	asked.Options.Texts = asked.Texts
	own, err := s.build(asked.Build, asked.Questions != nil)
	if err == nil {
		if asked.Questions == nil {
			answer.Made = own.Made()
		} else {
			answer.Answers, err = own.Places(asked.Questions)
		}
	}
	if err != nil {
		return response{Failed: err.Error()}
	}
	return answer
}

// build builds; isKept tells whether it may be the last build.
func (s *server) build(asked Build, isKept bool) (own built, err error) {
	if isKept && s.built != nil && reflect.DeepEqual(s.last, asked) {
		return s.built, nil
	}
	s.built = nil
	if asked.Kind == Kustomization {
		own, err = kustomize.Open(asked.Path, asked.Texts)
	} else {
		own, err = helm.Open(asked.Path, asked.Options)
	}
	if err != nil {
		return nil, err
	}
	s.last, s.built = asked, own
	return own, nil
}
