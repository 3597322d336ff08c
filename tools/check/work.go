package main

import (
	"runtime"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	chunkSize = 1 << 18 // bytes of small files that are judged together
	batchSize = 64      // objects in one query
	mostTapes = 128     // that a worker keeps to use again
)

// A pending object is one that constraints may select.
type pending struct {
	*document
	object    object
	term      *ast.Term
	selection *selection
}

// An unknown object is one of which nobody has asked yet which constraints select those like it.
type unknown struct {
	*document
	object object
	key    string
}

// A document is one that was read.
type document struct {
	file   *file
	span   span
	tape   *tape
	breaks []int // where its lines end; found when somebody asks
}

// A pool judges parts of files, several at a time.
type pool struct {
	judge    *judge
	ready    <-chan struct{} // closed when the judge can be used
	report   *report
	maxDepth int
	queue    chan []part
	spare    chan struct{} // a token for each evaluation that may run beside the workers' own
	working  sync.WaitGroup

	gathered []part // by add, for the queue
	size     int
}

func newPool(j *judge, ready <-chan struct{}, r *report, maxDepth int) *pool {
	workers := runtime.GOMAXPROCS(0)
	p := &pool{judge: j, ready: ready, report: r, maxDepth: maxDepth, queue: make(chan []part, workers)}
	p.spare = make(chan struct{}, workers-1)
	for range workers {
		p.working.Go(func() {
			w := worker{pool: p}
			for parts := range p.queue {
				w.work(parts)
			}
		})
	}
	return p
}

// add takes a part of a file. Small ones are gathered.
func (p *pool) add(next part) {
	p.gathered = append(p.gathered, next)
	if p.size += len(next.text); p.size >= chunkSize {
		p.send()
	}
}

// send hands what was gathered to the workers.
func (p *pool) send() {
	if len(p.gathered) > 0 {
		p.queue <- p.gathered
		p.gathered, p.size = nil, 0
	}
}

// close waits until all is judged.
func (p *pool) close() {
	p.send()
	close(p.queue)
	p.working.Wait()
}

// finish notes that a part of a file has been judged, or that all of them were made.
func (p *pool) finish(f *file, objects int) {
	f.mutex.Lock()
	f.objects += objects
	f.waiting--
	done := f.waiting == 0
	f.mutex.Unlock()
	if done {
		p.report.done(f)
	}
}

// A worker has what can be used again from one document to the next.
type worker struct {
	*pool
	terms   terms
	tapes   []*tape
	buffer  []byte
	key     []byte
	objects []object
	pending []*pending
	unknown []unknown
}

func (w *worker) work(parts []part) {
	<-w.ready
	counts := make([]int, len(parts))
	var used []*tape
	var out []byte
	for i, p := range parts {
		for _, s := range p.spans {
			t := s.read
			if t == nil {
				if t = w.read(p, s); t == nil {
					continue
				}
			}
			w.objects = t.objects(w.objects[:0])
			counts[i] += len(w.objects)
			doc := &document{file: p.file, span: s, tape: t}
			kept := false
			for _, o := range w.objects {
				if o.kind == "Namespace" {
					out = appendNamespace(out, t, o)
				}
				kept = w.keep(doc, o) || kept
			}
			if kept {
				used = append(used, t)
			} else if s.read == nil {
				w.tapes = append(w.tapes, t)
			}
		}
	}
	w.report.writeLines(out)
	w.selectUnknown()
	w.judgeAll()
	w.tapes = append(w.tapes, used...)
	if len(w.tapes) > mostTapes {
		clear(w.tapes[mostTapes:])
		w.tapes = w.tapes[:mostTapes]
	}
	w.pending, w.unknown = w.pending[:0], w.unknown[:0]
	for i, p := range parts {
		w.finish(p.file, counts[i])
	}
	w.report.flush()
}

// keep tells whether an object has to be judged, or whether that is not yet known; then it remembers it.
func (w *worker) keep(doc *document, o object) bool {
	key, isClear := doc.tape.appendKey(w.key[:0], o, doc.file.home, w.judge.byName)
	w.key = key
	if !isClear {
		w.add(doc, o, &selection{whole: true})
		return true
	}
	found := w.judge.known(key)
	switch {
	case found == nil:
		w.unknown = append(w.unknown, unknown{doc, o, string(key)})
	case found.none:
		return false
	default:
		w.add(doc, o, found)
	}
	return true
}

func (w *worker) add(doc *document, o object, found *selection) {
	w.pending = append(w.pending, &pending{doc, o, w.terms.object(doc.tape, o, doc.file.home), found})
}

// selectUnknown finds out which constraints select the objects of which that is not known.
func (w *worker) selectUnknown() {
	for namespace, own := range byNamespace(w.unknown) {
		var keys []string
		places := map[string]int{}
		for _, u := range own {
			if _, seen := places[u.key]; !seen {
				places[u.key] = len(keys)
				keys = append(keys, u.key)
			}
		}
		found, err := w.judge.selectBy(namespace, keys)
		for _, u := range own {
			if err != nil {
				w.add(u.document, u.object, &selection{whole: true}) // judging it says what is wrong
			} else if own := found[places[u.key]]; !own.none {
				w.add(u.document, u.object, own)
			}
		}
	}
}

// byNamespace returns objects by the namespace of those that state none.
func byNamespace[T interface{ home() string }](objects []T) map[string][]T {
	found := map[string][]T{}
	for _, o := range objects {
		found[o.home()] = append(found[o.home()], o)
	}
	return found
}

// home returns the namespace of the document's objects that state none.
func (d *document) home() string { return d.file.home.namespace }

// read returns what a document says, or nil if that is for the strict reader to say.
func (w *worker) read(p part, s span) *tape {
	source := p.text[s.start:s.end]
	text, buffer, ok := normal(source, w.buffer)
	var t *tape
	if ok {
		if last := len(w.tapes) - 1; last >= 0 {
			t, w.tapes = w.tapes[last], w.tapes[:last]
		} else {
			t = &tape{}
		}
		if len(text) != len(source) {
			text = append([]byte(nil), text...) // the buffer is for the next document
		}
		t.reset(text)
		if t.readYAML(w.maxDepth) {
			w.buffer = buffer
			return t
		}
		w.tapes = append(w.tapes, t)
	}
	w.buffer = buffer
	w.report.doubtful(p.file.id, s.index, s.line, source)
	return nil
}

// judgeAll judges what is pending, on other processors as well if they have nothing to do.
func (w *worker) judgeAll() {
	var beside sync.WaitGroup
	for namespace, own := range byNamespace(w.pending) {
		whole := slices.DeleteFunc(slices.Clone(own), func(p *pending) bool { return !p.selection.whole })
		selected := slices.DeleteFunc(own, func(p *pending) bool { return p.selection.whole })
		for batch := range slices.Chunk(selected, batchSize) {
			select {
			case w.spare <- struct{}{}:
				beside.Go(func() {
					w.judgeBatch(batch, true, namespace)
					<-w.spare
				})
			default:
				w.judgeBatch(batch, true, namespace)
			}
		}
		for batch := range slices.Chunk(whole, batchSize) {
			w.judgeBatch(batch, false, namespace)
		}
	}
	beside.Wait()
}

func (w *worker) judgeBatch(batch []*pending, selected bool, namespace string) {
	objects := make([]*ast.Term, len(batch))
	var selections []*selection
	for i, p := range batch {
		objects[i] = p.term
		if selected {
			selections = append(selections, p.selection)
		}
	}
	var out []byte
	for i, v := range w.judge.verdicts(objects, selections, namespace) {
		if v.failure != "" || len(v.Responses) > 0 {
			out = appendFinding(out, batch[i], v)
		}
	}
	w.report.writeLines(out)
}
