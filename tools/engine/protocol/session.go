package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/open-policy-agent/opa/v1/topdown"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/memory"
	"pullguard.invalid/tools/engine/read"
)

// With this setting, garbage collection takes less than a tenth of the time of two processors.
const (
	garbagePercent = 400
	frugalPercent  = 50
)

// A session answers the requests of a client.
type session struct {
	*writer
	limits read.Limits
	judge  chan *judge.Judge // receives the judge when the policies are loaded
	loaded *judge.Judge
	ready  sync.Once

	queue   *queue
	pool    *judge.Pool
	files   sync.WaitGroup // files that are not done
	running sync.WaitGroup // batches and queries
	slots   chan struct{}  // a token for each batch or query that may run
	surveys bool           // objects that are not judged are reported
	// The kinds of objects that are reported because they install charts, as GROUP/KIND.
	installerKinds []string
	lookups        lookups
	rules          judge.Rules
	ended          chan error // the error that ends the session, or nil

	builders   builders
	namespaces namespaces
	index      *index // nil if controlled objects are not needed
	deferred   deferred

	mutex    sync.Mutex
	badBytes map[int]read.Problem // the first one of each file
}

// The default memory limit of the process: several times the need of the largest inputs.
const maxMemory = 4 << 30

// Serve answers the requests of a client until there are no more.
func Serve(input io.Reader, output io.Writer) error {
	debug.SetGCPercent(garbagePercent)
	if err := memory.Limit(maxMemory); err != nil {
		return err
	}
	s := &session{
		writer:   &writer{stream: bufio.NewWriterSize(output, 1<<16)},
		limits:   read.DefaultLimits,
		judge:    make(chan *judge.Judge, 1),
		queue:    newQueue(),
		slots:    make(chan struct{}, runtime.GOMAXPROCS(0)),
		ended:    make(chan error, 2),
		badBytes: map[int]read.Problem{},
	}
	s.record(struct {
		Protocol int `json:"protocol"`
	}{Version}, nil)
	s.flush()
	defer s.deferred.close()
	defer s.builders.close()
	go func() {
		if err := s.take(bufio.NewReaderSize(input, longestLine)); err != nil {
			s.ended <- err
		}
		s.queue.end()
	}()
	go func() {
		s.work()
		s.running.Wait()
		s.ended <- nil
	}()
	err := <-s.ended
	var reported reportedError
	if err != nil && !errors.As(err, &reported) {
		s.record(struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}{"fatal", err.Error()}, nil)
	}
	s.flush()
	return err
}

// A reportedError has already been reported in the last record of its request.
type reportedError struct{ error }

// take reads requests, and queues those that must be answered in order.
func (s *session) take(input *bufio.Reader) error {
	for hasJudge := false; ; {
		asked, err := next(input)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		asked.limits, asked.index = s.limits, s.index
		switch asked.Type {
		case "setup":
			if hasJudge {
				return errors.New("setup was asked for twice")
			}
			hasJudge = true
			if err := s.setup(asked); err != nil {
				return err
			}
		case "file", "batch", "build":
			if !hasJudge && !(asked.Type == "build" && asked.Unit == "text") {
				return fmt.Errorf("%s was asked for before setup", asked.Type)
			}
			switch asked.Type {
			case "file":
				s.queue.put(asked)
			case "batch":
				s.run(func() { s.batch(asked) })
			case "build":
				s.files.Add(1)
				s.run(func() { s.build(asked) })
			}
		case "read", "namespaces", "controlled":
			s.queue.put(asked)
		case "parse":
			s.run(func() { s.parse(asked) })
		case "query":
			s.run(func() { s.query(asked) })
		case "buildable":
			s.run(func() { s.buildable(asked) })
		default:
			return fmt.Errorf("there is no request of the type %q", asked.Type)
		}
	}
}

// run calls a function concurrently with the queue.
func (s *session) run(do func()) {
	s.running.Go(func() {
		s.slots <- struct{}{}
		do()
		<-s.slots
		s.flush()
	})
}

// setup sets the limits and loads the policies.
func (s *session) setup(asked request) error {
	data := struct {
		Groups []judge.Policies `json:"groups"`
		Limits struct {
			read.Limits
			MaxMemory uint64 `json:"maxMemory"`
		} `json:"limits"`
		Remember bool `json:"remember"`
		Frugal   bool `json:"frugal"`
		// What to look for in objects that no constraint selects; absent: nothing.
		Survey *judge.Survey `json:"survey"`
		// The kinds of objects that install charts, as GROUP/KIND.
		Installers []string `json:"installers"`
		// What policies look up in data.inventory, and what is judged with it; absent: nothing.
		Inventory struct {
			Of []string `json:"of"`
			By []string `json:"by"`
		} `json:"inventory"`
	}{}
	data.Limits.Limits, data.Limits.MaxMemory = read.DefaultLimits, maxMemory
	if err := decode(asked.data, &data); err != nil {
		return err
	}
	if err := memory.Limit(data.Limits.MaxMemory); err != nil {
		return err
	}
	s.limits = data.Limits.Limits
	s.surveys, s.installerKinds = data.Survey != nil, data.Installers
	s.lookups.of, s.lookups.by = data.Inventory.Of, data.Inventory.By
	if data.Remember {
		s.index = newIndex()
	}
	debug.SetGCPercent(-1) // loading ends before memory matters
	s.running.Go(func() {
		defer s.flush()
		loaded, err := judge.New(data.Groups, data.Survey)
		if data.Frugal {
			debug.SetGCPercent(frugalPercent)
		} else {
			debug.SetGCPercent(garbagePercent)
		}
		if err != nil {
			s.failed(asked.ID, err.Error(), false)
			s.ended <- reportedError{err}
			return
		}
		s.judge <- loaded
		s.record(done{Type: "done", ID: asked.ID}, nil)
	})
	return nil
}

// work answers the queued requests.
func (s *session) work() {
	for {
		asked, ok := s.queue.take(false)
		if !ok {
			// Flush before blocking on the next request.
			if s.pool != nil {
				s.pool.Send()
			}
			s.flush()
			if asked, ok = s.queue.take(true); !ok {
				break
			}
		}
		switch asked.Type {
		case "file":
			s.file(asked)
		case "read":
			s.read(asked)
		case "namespaces":
			s.wait()
			s.rejudge(asked)
		case "controlled":
			s.wait()
			s.controlled(asked)
		}
	}
	if s.pool != nil {
		s.pool.Close()
	}
}

// wait waits until all requested files and builds are done.
func (s *session) wait() {
	if s.pool != nil {
		s.pool.Send()
	}
	s.files.Wait()
}

func (s *session) file(asked request) {
	if s.pool == nil {
		s.pool = judge.NewPool(s.waitForJudge, sink{s}, asked.limits)
	}
	s.files.Add(1)
	path, target := string(asked.data), judge.TargetNamespace{Name: asked.Namespace, Replace: asked.Replace}
	if asked.index != nil {
		asked.index.addFile(asked.ID, indexedFile{path, asked.Name, target})
	}
	s.pool.Judge(path, asked.Name, &judge.File{ID: asked.ID, Target: target})
}

// waitForJudge waits until the policies are loaded.
func (s *session) waitForJudge() *judge.Judge {
	s.ready.Do(func() { s.loaded = <-s.judge })
	return s.loaded
}

// batch judges the objects of a request.
func (s *session) batch(asked request) {
	var data struct {
		Objects    []json.RawMessage `json:"objects"`
		Namespaces json.RawMessage   `json:"namespaces"`
	}
	err := decode(asked.data, &data)
	var answers []judge.Answer
	if err == nil {
		answers, err = s.waitForJudge().Answers(data.Objects, asked.Namespace, data.Namespaces, nil)
	}
	if err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	s.record(done{Type: "done", ID: asked.ID, Answers: answers}, nil)
}

// parse answers with the parsed module, or with its first error.
func (s *session) parse(asked request) {
	module, err := judge.Parse(string(asked.data))
	if err != nil {
		message, line := judge.FirstError(err)
		s.failedAt(asked.ID, message, line)
		return
	}
	s.value(asked.ID, module, nil)
}

// query answers with the value of a rule.
func (s *session) query(asked request) {
	var data struct {
		Modules map[string]string `json:"modules"`
		Input   json.RawMessage   `json:"input"`
	}
	err := decode(asked.data, &data)
	var value any
	if err == nil {
		value, err = s.rules.Query(judge.Modules{RegoVersion: asked.RegoVersion, Texts: data.Modules}, asked.Entry, data.Input)
	}
	s.value(asked.ID, value, err)
}

// value answers with a value, or with an error.
func (s *session) value(id int, value any, err error) {
	var encoded []byte
	if err == nil {
		encoded, err = json.Marshal(value)
	}
	if err != nil {
		s.failed(id, judge.InWords(err), topdown.IsCancel(err))
		return
	}
	s.record(done{Type: "done", ID: id, Size: len(encoded)}, encoded)
}

// decode decodes the data of a request. Numbers keep their notation.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the data of a request cannot be read: %w", err)
	}
	return nil
}

// A queue is unbounded, because a client must be able to send requests before it reads records.
type queue struct {
	mutex    sync.Mutex
	filled   *sync.Cond
	requests []request
	isEnded  bool
}

func newQueue() *queue {
	q := &queue{}
	q.filled = sync.NewCond(&q.mutex)
	return q
}

func (q *queue) put(next request) {
	q.mutex.Lock()
	q.requests = append(q.requests, next)
	q.mutex.Unlock()
	q.filled.Signal()
}

func (q *queue) end() {
	q.mutex.Lock()
	q.isEnded = true
	q.mutex.Unlock()
	q.filled.Signal()
}

// take returns the next request. With wait, it waits for one. It returns ok=false when the queue is empty.
func (q *queue) take(wait bool) (next request, ok bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for wait && len(q.requests) == 0 && !q.isEnded {
		q.filled.Wait()
	}
	if len(q.requests) == 0 {
		return next, false
	}
	next, q.requests = q.requests[0], q.requests[1:]
	return next, true
}
