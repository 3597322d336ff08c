package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A request is a line of JSON, followed by as many bytes as its size says. The first is the setup; the end of the
// requests is the end of standard input.
type request struct {
	// The constraints of each group; the size is that of a JSON list.
	Setup bool `json:"setup"`
	// The namespace of objects that state none, and whether it replaces that of objects that state one.
	Namespace string `json:"namespace"`
	Replace   bool   `json:"replace"`
	// A file to judge; the size is that of its path.
	File *int `json:"file"`
	// Objects to judge; the size is that of {"objects": [...], "namespaces": {...}}.
	Batch *int `json:"batch"`
	Size  int  `json:"size"`
}

// A session does what requests ask for.
type session struct {
	judge       *judge
	report      *report
	maxDocument int
	maxDepth    int
}

// A queue has no limit: whoever makes requests must never wait for what it has not yet read.
type queue struct {
	mutex  sync.Mutex
	filled *sync.Cond
	files  []fileRequest
	ended  bool
}

type fileRequest struct {
	id   int
	path string
	home home
}

func newQueue() *queue {
	q := &queue{}
	q.filled = sync.NewCond(&q.mutex)
	return q
}

func (q *queue) put(next fileRequest) {
	q.mutex.Lock()
	q.files = append(q.files, next)
	q.mutex.Unlock()
	q.filled.Signal()
}

func (q *queue) end() {
	q.mutex.Lock()
	q.ended = true
	q.mutex.Unlock()
	q.filled.Signal()
}

// take waits for a request if that was asked for; none is left, for now or for ever, if it is not ok.
func (q *queue) take(wait bool) (next fileRequest, ok bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for wait && len(q.files) == 0 && !q.ended {
		q.filled.Wait()
	}
	if len(q.files) == 0 {
		return next, false
	}
	next, q.files = q.files[0], q.files[1:]
	return next, true
}

// run does what is asked for until there is nothing more.
func (s *session) run(input io.Reader, compiled <-chan error) error {
	requests := bufio.NewReaderSize(input, 1<<16)
	setup, data, err := next(requests)
	if err == io.EOF {
		return nil // nobody wants anything
	}
	if err != nil || !setup.Setup {
		return fmt.Errorf("the first request is no setup: %w", err)
	}
	var constraints []map[string]any
	if err := numbers(data, &constraints); err != nil {
		return err
	}
	ready, failed := make(chan struct{}), make(chan error, 2)
	go func() {
		err := <-compiled
		if err == nil {
			err = s.judge.load(constraints)
		}
		if err != nil {
			failed <- err
			return
		}
		close(ready)
	}()
	files := newQueue()
	var batches sync.WaitGroup
	go func() {
		failed <- s.read(requests, files, &batches, ready)
		files.end()
	}()
	done := make(chan struct{})
	go func() {
		s.judgeFiles(files, ready)
		batches.Wait()
		close(done)
	}()
	// Policies that cannot be loaded are an error, whether or not there is anything to judge by them.
	for waiting := []<-chan struct{}{done, ready}; len(waiting) > 0; {
		select {
		case err := <-failed:
			if err != nil {
				return err
			}
		case <-waiting[0]:
			waiting = waiting[1:]
		}
	}
	return nil
}

// read takes requests as they come.
func (s *session) read(requests *bufio.Reader, files *queue, batches *sync.WaitGroup, ready <-chan struct{}) error {
	for {
		asked, data, err := next(requests)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case asked.File != nil:
			files.put(fileRequest{*asked.File, string(data), home{asked.Namespace, asked.Replace}})
		case asked.Batch != nil:
			batches.Add(1)
			go func() {
				defer batches.Done()
				<-ready
				s.report.write(s.answer(*asked.Batch, asked.Namespace, data), nil)
				s.report.flush()
			}()
		}
	}
}

func next(requests *bufio.Reader) (asked request, data []byte, err error) {
	line, err := requests.ReadBytes('\n')
	if err != nil {
		return asked, nil, err
	}
	if err = json.Unmarshal(line, &asked); err == nil {
		data = make([]byte, asked.Size)
		_, err = io.ReadFull(requests, data)
	}
	return asked, data, err
}

// judgeFiles splits one file after the other and lets a pool judge the parts.
func (s *session) judgeFiles(files *queue, ready <-chan struct{}) {
	workers := newPool(s.judge, ready, s.report, s.maxDepth)
	for {
		asked, ok := files.take(false)
		if !ok {
			// What is there is not to wait for what may come.
			workers.send()
			s.report.flush()
			if asked, ok = files.take(true); !ok {
				break
			}
		}
		f := &file{id: asked.id, home: asked.home, waiting: 1}
		splitter := splitter{
			file: f, maxDocument: s.maxDocument, maxDepth: s.maxDepth, parts: workers.add, report: s.report,
		}
		splitter.split(asked.path)
		workers.finish(f, 0)
	}
	workers.close()
}

// answer judges a batch.
func (s *session) answer(id int, namespace string, data []byte) record {
	found := record{Batch: &id}
	value, err := ast.ValueFromReader(bytes.NewReader(data))
	if err != nil {
		found.Failed = err.Error()
		return found
	}
	input, _ := value.(ast.Object)
	listed, _ := input.Get(ast.StringTerm("objects")).Value.(*ast.Array)
	objects := make([]*ast.Term, 0, listed.Len())
	listed.Foreach(func(object *ast.Term) { objects = append(objects, object) })
	if found.Answers, err = s.judge.evaluate(objects, nil, namespace, input.Get(ast.StringTerm("namespaces"))); err != nil {
		found.Failed, found.Timeout = inWords(err), topdown.IsCancel(err)
	}
	return found
}
