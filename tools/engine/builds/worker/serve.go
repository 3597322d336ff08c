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

// Builds create much garbage and keep little.
const garbagePercent = 400

const memoryVariable = "PULLGUARD_BUILD_MEMORY" // bytes

// Serve answers requests until there are no more.
func Serve(input io.Reader, output io.Writer) error {
	http.DefaultTransport = offline{}
	debug.SetGCPercent(garbagePercent)
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

// A server keeps the last chart and the kinds of the last kustomization, to answer questions about them.
type server struct {
	last  Build
	chart *helm.Chart
	kinds []string
}

func (s *server) answer(asked request) (answer response) {
	defer func() {
		// The libraries sometimes panic.
		if problem := recover(); problem != nil {
			answer = response{Failed: fmt.Sprint(problem)}
		}
	}()
	asked.Options.Texts = asked.Texts
	var err error
	switch {
	case asked.Kind == Kustomization && asked.Questions == nil:
		s.last, s.kinds = asked.Build, nil
		if answer.Made, err = kustomize.Make(asked.Path, asked.Texts); err == nil && asked.Texts == nil {
			s.kinds = answer.Made.Kinds
		}
	case asked.Kind == Kustomization:
		if s.last.Kind != Kustomization || s.last.Path != asked.Path {
			s.kinds = nil
		}
		answer.Answers, err = kustomize.Places(asked.Path, s.kinds, asked.Questions)
	case asked.Questions == nil:
		if s.chart, err = helm.Open(asked.Path, asked.Options); err == nil {
			s.last = asked.Build
			answer.Made = s.chart.Made()
		}
	default:
		answer.Answers, err = s.places(asked)
	}
	if err != nil {
		return response{Failed: err.Error()}
	}
	return answer
}

func (s *server) places(asked request) ([]builds.Answer, error) {
	if s.chart == nil || !reflect.DeepEqual(s.last, asked.Build) {
		var err error
		if s.chart, err = helm.Open(asked.Path, asked.Options); err != nil {
			return nil, err
		}
		s.last = asked.Build
	}
	return s.chart.Places(asked.Questions)
}
