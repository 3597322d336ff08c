package judge

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"pullguard.invalid/tools/engine/read"
)

const (
	chunkSize = 1 << 18 // bytes of small files that are judged together
	batchSize = 64      // objects in one query
	// The most objects of a worker whose terms are in memory. A chunk of small files has fewer.
	mostPending = 4 * batchSize
)

// A File is a file whose objects are judged. It is done when all its parts have been judged.
type File struct {
	ID     int
	Target TargetNamespace

	mutex sync.Mutex
	// The number of parts that are not yet judged, plus one until all parts have been read.
	waiting int
	result  read.Result
	objects int
	// unprotected counts objects that no constraint selects, but that some would select in another namespace, by namespace.
	// placeholders counts objects whose stated namespace is not a valid name, by that text.
	unprotected, placeholders map[string]int
}

// Unprotected returns the number of objects that are not judged because of their namespace, by namespace.
func (f *File) Unprotected() map[string]int { return f.unprotected }

// Placeholders returns the number of objects whose stated namespace is not a valid name, by that text.
func (f *File) Placeholders() map[string]int { return f.placeholders }

// A Judged is an object that has violations, or that could not be judged.
type Judged struct {
	File     *File
	Document *read.Document
	Object   read.Object
	Answer   Answer
}

// A Sink receives the results for files. It is called by several goroutines.
type Sink interface {
	// Seen receives the objects of a document, and tells whether the sink keeps the document.
	Seen(*File, *read.Document, []read.Object) (isKept bool)
	Problems(*File, []read.Problem)
	Judged([]Judged)
	// Unjudged receives objects of kinds that no constraint selects, if they hold something that a policy could judge.
	Unjudged([]Unjudged)
	// Failed receives an error of the survey that finds such objects.
	Failed(error)
	Done(file *File, result read.Result, objects int)
	// Flush is called when no more results will follow soon.
	Flush()
}

// A part is a part of a file.
type part struct {
	read.Part
	file *File
}

// A pending object is one that constraints may select.
type pending struct {
	file      *File
	document  *read.Document
	object    read.Object
	term      *ast.Term
	selection *selection
}

// An unmatched object is one whose match key has no cached selection.
type unmatched struct {
	file     *File
	document *read.Document
	object   read.Object
	key      string
}

// A surveyed object is one of a kind that no constraint selects, with parts that may be of interest.
type surveyed struct {
	file     *File
	document *read.Document
	object   read.Object
	parts    []byte
}

// A counted is a reason to count an object: its namespace excludes it from all constraints, or is a placeholder.
type counted struct {
	file          *File
	isPlaceholder bool
	namespace     string
}

// A Pool reads and judges files, several parts at a time.
type Pool struct {
	judge   func() *Judge // waits until the policies are loaded
	sink    Sink
	limits  read.Limits
	queue   chan []part
	spare   chan struct{} // a token for each evaluation that may run in addition to the workers' own
	working sync.WaitGroup

	gathered []part // small parts that are not in the queue yet
	size     int
}

// NewPool returns a pool. The function for its judge may block.
func NewPool(j func() *Judge, sink Sink, limits read.Limits) *Pool {
	workers := runtime.GOMAXPROCS(0)
	p := &Pool{judge: j, sink: sink, limits: limits, queue: make(chan []part, workers)}
	p.spare = make(chan struct{}, workers-1)
	for range workers {
		p.working.Go(func() {
			w := newWorker(p)
			for parts := range p.queue {
				w.work(parts)
			}
		})
	}
	return p
}

// Judge reads a file and judges its objects. The sink receives the results.
func (p *Pool) Judge(path, name string, f *File) {
	f.waiting = 1
	splitter := read.Splitter{
		Name:    name,
		Dialect: read.Kubernetes,
		Limits:  p.limits,
		Problem: func(problem read.Problem) { p.sink.Problems(f, []read.Problem{problem}) },
		Parts: func(next read.Part) {
			f.mutex.Lock()
			f.waiting++
			f.mutex.Unlock()
			p.add(part{next, f})
		},
	}
	result := splitter.SplitPath(path)
	f.mutex.Lock()
	f.result = result
	f.mutex.Unlock()
	p.finish(f, 0)
}

// add adds a part of a file. It gathers small parts.
func (p *Pool) add(next part) {
	p.gathered = append(p.gathered, next)
	if p.size += len(next.Text); p.size >= chunkSize {
		p.Send()
	}
}

// Send passes the gathered parts to the workers.
func (p *Pool) Send() {
	if len(p.gathered) > 0 {
		p.queue <- p.gathered
		p.gathered, p.size = nil, 0
	}
}

// Close waits until everything is judged.
func (p *Pool) Close() {
	p.Send()
	close(p.queue)
	p.working.Wait()
}

// finish records that a part of a file has been judged, or that there are no more parts.
func (p *Pool) finish(f *File, objects int) {
	f.mutex.Lock()
	f.objects += objects
	f.waiting--
	isDone := f.waiting == 0
	f.mutex.Unlock()
	if isDone {
		p.sink.Done(f, f.result, f.objects)
	}
}

// A worker reuses its memory for the next document.
type worker struct {
	*Pool
	loaded  *Judge
	reader  read.Reader
	terms   terms
	key     []byte
	objects []read.Object
	pending []*pending
	unknown []unmatched
	survey  []surveyed
	counts  map[counted]int
}

func newWorker(p *Pool) worker {
	return worker{Pool: p, reader: read.Reader{Limits: p.limits, Dialect: read.Kubernetes}, counts: map[counted]int{}}
}

func (w *worker) work(parts []part) {
	w.loaded = w.judge()
	counts := make([]int, len(parts))
	var used []*read.Document
	for i, p := range parts {
		for _, span := range p.Spans {
			document, problems := w.reader.Read(p.Part, span)
			if len(problems) > 0 {
				w.sink.Problems(p.file, problems)
			}
			if document == nil {
				continue
			}
			w.objects = document.Objects(w.objects[:0])
			counts[i] += len(w.objects)
			isKept := w.sink.Seen(p.file, document, w.objects)
			isUsed := false
			for _, o := range w.objects {
				isUsed = w.keep(p.file, document, o) || isUsed
				if len(w.pending)+len(w.unknown)+len(w.survey) >= mostPending {
					w.judgePending()
				}
			}
			switch {
			case isKept:
			case isUsed:
				used = append(used, document)
			default:
				w.reader.Release(document)
			}
		}
	}
	w.judgePending()
	for _, document := range used {
		w.reader.Release(document)
	}
	w.count()
	for i, p := range parts {
		w.finish(p.file, counts[i])
	}
	w.sink.Flush()
}

// judgePending judges the pending objects, and releases them: their terms take many times the memory of their text.
func (w *worker) judgePending() {
	w.selectUnmatched()
	w.judgeAll()
	w.askSurvey()
	clear(w.pending)
	clear(w.unknown)
	w.pending, w.unknown = w.pending[:0], w.unknown[:0]
}

// keep returns true if an object must be judged or surveyed, or if that is not yet known. It then keeps the object.
func (w *worker) keep(f *File, d *read.Document, o read.Object) bool {
	if stated := statedNamespace(d.Tape, o); stated != "" && !isName(stated) {
		w.counts[counted{f, true, stated}]++
	}
	key, isClear := appendMatchKey(w.key[:0], d.Tape, o, f.Target, w.loaded.needsMetadata)
	w.key = key
	if !isClear {
		w.add(f, d, o, &selection{mustMatchIndividually: true})
		return true
	}
	found := w.loaded.cached(key)
	switch {
	case found == nil:
		w.unknown = append(w.unknown, unmatched{f, d, o, string(key)})
	case found.isEmpty:
		return w.leave(f, d, o, found)
	default:
		w.add(f, d, o, found)
	}
	return true
}

func (w *worker) add(f *File, d *read.Document, o read.Object, found *selection) {
	if w.loaded.survey != nil {
		if key := w.loaded.survey.malformed(d.Tape, o); key >= 0 {
			w.sink.Problems(f, []read.Problem{{
				Document: d.Index, Line: d.LineOf(key),
				Message: fmt.Sprintf("%s is not a list, so Kubernetes refuses the object", d.Text(key)),
				Remedy:  "write it as a list, each entry after `- `",
			}})
		}
	}
	w.pending = append(w.pending, &pending{f, d, o, w.terms.object(d.Tape, o, f.Target.Replacement(d.Tape, o)), found})
}

// leave counts or surveys an object that no constraint selects. It returns true if the object must be surveyed.
func (w *worker) leave(f *File, d *read.Document, o read.Object, found *selection) bool {
	switch {
	case w.loaded.survey == nil:
	case found.isSelectable:
		w.counts[counted{f, false, found.namespace}]++
	default:
		if parts := w.loaded.survey.parts(d.Tape, o, w.limits); parts != nil {
			w.survey = append(w.survey, surveyed{f, d, o, parts})
			return true
		}
	}
	return false
}

// count adds the worker's counts to the files.
func (w *worker) count() {
	for what, number := range w.counts {
		what.file.mutex.Lock()
		counts := &what.file.unprotected
		if what.isPlaceholder {
			counts = &what.file.placeholders
		}
		if *counts == nil {
			*counts = map[string]int{}
		}
		(*counts)[what.namespace] += number
		what.file.mutex.Unlock()
	}
	clear(w.counts)
}

// askSurvey asks the survey about the objects that no constraint selects.
func (w *worker) askSurvey() {
	for chunk := range slices.Chunk(w.survey, batchSize) {
		objects := make([][]byte, len(chunk))
		for i, each := range chunk {
			objects[i] = each.parts
		}
		answers, err := w.loaded.survey.ask(objects)
		if err != nil {
			w.sink.Failed(err)
			return
		}
		var found []Unjudged
		for i, answer := range answers {
			if answer != nil {
				answer.File, answer.Document, answer.Object = chunk[i].file, chunk[i].document, chunk[i].object
				found = append(found, *answer)
			}
		}
		if len(found) > 0 {
			w.sink.Unjudged(found)
		}
	}
	clear(w.survey)
	w.survey = w.survey[:0]
}

// selectUnmatched finds the selections of objects whose match keys are not cached.
func (w *worker) selectUnmatched() {
	byNamespace := map[string][]unmatched{}
	for _, u := range w.unknown {
		byNamespace[u.file.Target.Name] = append(byNamespace[u.file.Target.Name], u)
	}
	for namespace, own := range byNamespace {
		var keys []string
		places := map[string]int{}
		for _, u := range own {
			if _, seen := places[u.key]; !seen {
				places[u.key] = len(keys)
				keys = append(keys, u.key)
			}
		}
		found, err := w.loaded.selectBy(namespace, keys)
		for _, u := range own {
			if err != nil {
				// Judging the object reports the error.
				w.add(u.file, u.document, u.object, &selection{mustMatchIndividually: true})
			} else if own := found[places[u.key]]; !own.isEmpty {
				w.add(u.file, u.document, u.object, own)
			} else {
				own.namespace = u.file.Target.Of(u.document.Tape, u.object)
				if u.object.Kind == "Namespace" {
					own.namespace = u.document.Str(u.document.Get(u.document.Get(u.object.Node, "metadata"), "name"))
				}
				w.leave(u.file, u.document, u.object, own)
			}
		}
	}
}

// judgeAll judges the pending objects, on other processors as well if they are idle.
func (w *worker) judgeAll() {
	byNamespace := map[string][]*pending{}
	for _, p := range w.pending {
		byNamespace[p.file.Target.Name] = append(byNamespace[p.file.Target.Name], p)
	}
	var beside sync.WaitGroup
	for namespace, own := range byNamespace {
		individual := slices.DeleteFunc(slices.Clone(own), func(p *pending) bool { return !p.selection.mustMatchIndividually })
		selected := slices.DeleteFunc(own, func(p *pending) bool { return p.selection.mustMatchIndividually })
		for chunk := range slices.Chunk(selected, batchSize) {
			select {
			case w.spare <- struct{}{}:
				beside.Go(func() {
					w.judgeChunk(chunk, true, namespace)
					<-w.spare
				})
			default:
				w.judgeChunk(chunk, true, namespace)
			}
		}
		for chunk := range slices.Chunk(individual, batchSize) {
			w.judgeChunk(chunk, false, namespace)
		}
	}
	beside.Wait()
}

func (w *worker) judgeChunk(chunk []*pending, isSelected bool, namespace string) {
	b := batch{objects: make([]*ast.Term, len(chunk)), namespaces: ast.ObjectTerm(), namespace: namespace}
	for i, p := range chunk {
		b.objects[i] = p.term
		if isSelected {
			b.selections = append(b.selections, p.selection)
		}
	}
	var found []Judged
	for i, answer := range w.loaded.answers(b) {
		if answer.Failure != "" || len(answer.Responses) > 0 {
			found = append(found, Judged{chunk[i].file, chunk[i].document, chunk[i].object, answer})
		}
	}
	if len(found) > 0 {
		w.sink.Judged(found)
	}
}
