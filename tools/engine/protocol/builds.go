package protocol

import (
	"bytes"
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"pullguard.invalid/tools/engine/builds"
	"pullguard.invalid/tools/engine/builds/helm"
	"pullguard.invalid/tools/engine/builds/kustomize"
	"pullguard.invalid/tools/engine/builds/worker"
	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// builders are worker processes, one for each processor.
type builders struct {
	once sync.Once
	free chan *worker.Worker
}

func (b *builders) take() (*worker.Worker, error) {
	command, err := worker.Command()
	if err != nil {
		return nil, err
	}
	b.once.Do(func() {
		b.free = make(chan *worker.Worker, runtime.GOMAXPROCS(0))
		for range cap(b.free) {
			b.free <- worker.New(command, worker.DefaultLimits)
		}
	})
	return <-b.free, nil
}

func (b *builders) close() {
	for b.free != nil && len(b.free) > 0 {
		(<-b.free).Close()
	}
}

// buildable answers which of some files are kustomizations and charts to build.
func (s *session) buildable(asked request) {
	var data struct {
		Kustomizations string   `json:"kustomizations"`
		Files          []string `json:"files"`
		Using          []string `json:"using"`
	}
	if err := decode(asked.data, &data); err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	var kustomizations, charts []string
	found := []worker.Build{}
	for _, name := range data.Files {
		if kustomize.IsFile(name) {
			kustomizations = append(kustomizations, name)
		} else if helm.IsFile(name) {
			charts = append(charts, name)
		}
	}
	if data.Kustomizations != "off" {
		for _, folder := range kustomize.Folders(kustomizations, data.Kustomizations != "each", data.Using) {
			found = append(found, worker.Build{Kind: worker.Kustomization, Path: folder})
		}
	}
	for _, folder := range helm.Folders(charts) {
		found = append(found, worker.Build{Kind: worker.Chart, Path: folder})
	}
	s.value(asked.ID, found, nil)
}

// build builds something, and judges its output.
func (s *session) build(asked request) {
	defer s.files.Done()
	var data worker.Build
	if err := decode(asked.data, &data); err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	w, err := s.builders.take()
	if err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	defer func() { s.builders.free <- w }()
	made, err := w.Make(data)
	if err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	b := &building{session: s, made: made, isInstalled: asked.IsInstalled}
	text := b.join()
	if asked.Unit == "text" {
		s.built(asked.ID, b, text)
		return
	}
	file := &judge.File{ID: asked.ID, Target: judge.TargetNamespace{Name: asked.Namespace, Replace: asked.Replace}}
	judge.Text(s.waitForJudge(), b, asked.limits, text, file)
	if err := b.locate(w, data); err != nil {
		s.failed(asked.ID, err.Error(), false)
		return
	}
	if err := b.report(); err != nil {
		s.ended <- err
		return
	}
	s.built(asked.ID, b, nil)
}

// built writes the last record of a build.
func (s *session) built(id int, b *building, text []byte) {
	s.record(struct {
		Type    string            `json:"type"`
		ID      int               `json:"id"`
		Objects int               `json:"objects"`
		Files   []string          `json:"files"`
		Omitted []builds.Omission `json:"omitted,omitempty"`
		Values  string            `json:"values,omitempty"`
		Chart   string            `json:"chart,omitempty"`
		Size    int               `json:"size,omitempty"`
		counts
	}{"done", id, b.objects, b.made.Files, b.made.Omitted, b.made.Values, b.made.Chart, len(text), b.counts}, text)
}

// A building is the sink for the results of one build.
type building struct {
	*session
	made    *builds.Made
	starts  []int // the line of the joined texts on which each text begins
	found   []located
	objects int
	counts  counts

	isInstalled bool // by an object of the input
}

// A located is a finding with questions about its places.
type located struct {
	file           int
	record, judged []byte
	target         string
	answer         judge.Answer
	asked          []builds.Question
	places         []byte
	name           string
	looksUp        bool // it is judged once all is read
	isUnjudged     bool // it is not a finding, but an object that no policy judges, or an installer
}

var betweenTexts = []byte("\n---\n")

// join returns all texts as one.
func (b *building) join() []byte {
	var all []byte
	line := 1
	for _, text := range b.made.Texts {
		b.starts = append(b.starts, line)
		whole := append([]byte(text.Text), betweenTexts...)
		if len(b.made.Texts) == 1 {
			whole = []byte(text.Text)
		}
		all = append(all, whole...)
		line += bytes.Count(whole, []byte{'\n'})
	}
	return all
}

// textAt returns the index of the text that contains a line of the joined texts, and the line within that text.
func (b *building) textAt(line int) (text, own int) {
	text = max(sort.SearchInts(b.starts, line+1)-1, 0)
	if len(b.starts) == 0 {
		return 0, line
	}
	return text, line - b.starts[text] + 1
}

func (b *building) Seen(file *judge.File, document *read.Document, objects []read.Object) (isKept bool) {
	for _, o := range b.installers(document, objects) {
		text, line := b.textAt(document.LineOf(o.Node))
		b.found = append(b.found, located{
			record:     appendInstaller(nil, file.ID, document, o),
			asked:      questionsAbout(text, line, document, document.Get(o.Node, "spec"), []any{"spec"}),
			isUnjudged: true,
		})
	}
	if !b.isInstalled { // that is only known once all else is judged
		b.lookups.note(file.ID, document, objects)
	}
	for _, o := range b.lookups.waiting(document, objects) {
		text, line := b.textAt(document.LineOf(o.Node))
		own := waitingFinding(file, document, o)
		b.found = append(b.found, located{
			file:    own.File,
			record:  own.Record[:len(own.Record)-1],
			judged:  own.Judged,
			target:  own.Default,
			asked:   questionsAbout(text, line, document, o.Node, nil),
			looksUp: true,
		})
	}
	return b.seen(nil, file.ID, document, objects)
}

// Problems receives the reader's problems with the output.
func (b *building) Problems(file *judge.File, problems []read.Problem) {
	for _, problem := range problems {
		text, line := b.textAt(problem.Line)
		source := ""
		if text < len(b.made.Texts) {
			source = b.made.Texts[text].Source
		}
		b.record(struct {
			Type    string `json:"type"`
			ID      int    `json:"id"`
			Source  string `json:"source"`
			Line    int    `json:"line,omitempty"` // of the output
			Message string `json:"message"`
			Remedy  string `json:"remedy"`
		}{"error", file.ID, source, line, problem.Message, problem.Remedy}, nil)
	}
}

func (b *building) Judged(found []judge.Judged) {
	for _, judged := range found {
		if b.lookups.isWaiting(judged) {
			continue
		}
		own := located{
			file:   judged.File.ID,
			record: appendObject(nil, kindOf(judged.Answer), judged),
			judged: judge.AppendObject(nil, judged.Document.Tape, judged.Object, judged.File.Target.Replacement(judged.Document.Tape, judged.Object)),
			target: judged.File.Target.Name,
			answer: judged.Answer,
		}
		text, line := b.textAt(judged.Document.LineOf(judged.Object.Node))
		var paths []string
		for _, response := range judged.Answer.Responses {
			paths = append(paths, response.Path())
			if owner := ownerOf(response.FixPath()); owner != "" {
				paths = append(paths, owner)
			}
		}
		slices.Sort(paths)
		for _, path := range slices.Compact(append([]string{""}, paths...)) {
			own.asked = append(own.asked, builds.Question{Text: text, Line: line, Path: steps(path)})
		}
		b.found = append(b.found, own)
	}
}

func (b *building) Unjudged(found []judge.Unjudged) {
	for _, unjudged := range found {
		text, line := b.textAt(unjudged.Document.LineOf(unjudged.Object.Node))
		b.found = append(b.found, located{
			record:     appendUnjudged(nil, unjudged),
			asked:      []builds.Question{{Text: text, Line: line, Path: steps("")}},
			isUnjudged: true,
		})
	}
}

func (b *building) Failed(err error) { b.ended <- err }

func (b *building) Done(file *judge.File, _ read.Result, objects int) {
	b.objects, b.counts = objects, countsOf(file)
}

func (b *building) Flush() {}

// ownerOf returns the path of the mapping that contains a field.
func ownerOf(path string) string { return path[:max(strings.LastIndexByte(path, '.'), 0)] }

// steps returns the keys and indices of a path such as `spec.containers[2]`.
func steps(path string) []any {
	found := []any{}
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
		if index, isIndex := strings.CutSuffix(part, "]"); isIndex {
			if number, err := strconv.Atoi(index); err == nil {
				found = append(found, number)
				continue
			}
		}
		found = append(found, part)
	}
	return found
}

// locate asks where the findings come from.
func (b *building) locate(w *worker.Worker, data worker.Build) error {
	var all []builds.Question
	for _, own := range b.found {
		all = append(all, own.asked...)
	}
	if len(all) == 0 {
		return nil
	}
	answers, err := w.Places(data, all)
	if err != nil {
		return err
	}
	for i := range b.found {
		own := &b.found[i]
		var pairs [][2]any
		for k, question := range own.asked {
			answer := answers[k]
			own.name = answer.Name
			if len(question.Path) == 0 {
				pairs = append(pairs, [2]any{question.Path, builds.Decision{Place: answer.Object}})
				continue
			}
			for _, field := range slices.Sorted(maps.Keys(answer.Fields)) {
				path := question.Path
				if field != "" {
					path = append(slices.Clone(path), field)
				}
				pairs = append(pairs, [2]any{path, answer.Fields[field]})
			}
		}
		answers = answers[len(own.asked):]
		if own.places, err = json.Marshal(pairs); err != nil {
			return err
		}
	}
	return nil
}

// report writes the findings, and defers those that depend on a Namespace that is not known.
func (b *building) report() error {
	var out []byte
	for _, own := range b.found {
		record := append(append(own.record, `,"places":`...), own.places...)
		if own.name != "" {
			record = read.AppendString(append(record, `,"name":`...), []byte(own.name))
		}
		if own.isUnjudged {
			out = append(append(out, record...), '}', '\n')
			continue
		}
		if !own.looksUp && !dependsOnNamespace(own.answer) {
			out = appendAnswer(append(out, record...), own.answer, []byte("[]"))
			continue
		}
		err := b.deferred.keep(deferredFinding{
			File: own.file, Record: append(record, '}'), Judged: own.judged, Default: own.target, Answer: own.answer,
			LooksUp: own.looksUp, Lines: []byte("[]"),
		})
		if err != nil {
			return err
		}
	}
	b.write(out)
	return nil
}
