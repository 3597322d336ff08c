package protocol

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// namespaces holds the labels of the Namespaces that were read, by name; nil if the input has different labels for a name.
type namespaces struct {
	mutex  sync.Mutex
	labels map[string]map[string]any
}

// note records a Namespace.
func (n *namespaces) note(d *read.Document, o read.Object) {
	metadata := d.Get(o.Node, "metadata")
	name := d.Str(d.Get(metadata, "name"))
	if d.Group(o) != "" || name == "" {
		return
	}
	own := map[string]any{}
	if labels := d.Get(metadata, "labels"); d.Kind(labels) == read.Mapping {
		if err := decode(d.AppendJSON(nil, labels), &own); err != nil {
			panic(err) // a Tape always gives valid JSON
		}
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.labels == nil {
		n.labels = map[string]map[string]any{}
	}
	if other, isThere := n.labels[name]; isThere && !reflect.DeepEqual(own, other) {
		own = nil
	}
	n.labels[name] = own
}

// known returns the labels of the unambiguous Namespaces, and the names of the ambiguous ones. Stated labels override those
// that were read.
func (n *namespaces) known(stated map[string]map[string]any) (labels map[string]map[string]any, ambiguous []string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	labels = maps.Clone(n.labels)
	if labels == nil {
		labels = map[string]map[string]any{}
	}
	maps.Copy(labels, stated)
	for name, own := range labels {
		if own == nil {
			ambiguous = append(ambiguous, name)
			delete(labels, name)
		}
	}
	slices.Sort(ambiguous)
	return labels, ambiguous
}

// dependsOnNamespace tells whether an answer may differ once the Namespace of its object is known.
func dependsOnNamespace(answer judge.Answer) bool {
	return answer.Namespace != "" && slices.ContainsFunc(answer.Responses, judge.Response.IsNamespaceAssumed)
}

// deferred holds the findings that depend on a Namespace that is not known, and the objects that look up others.
type deferred struct{ spool }

// A deferredFinding is one of these findings.
type deferredFinding struct {
	File    int             `json:"file"`
	Record  json.RawMessage `json:"record"` // without the answer and the lines
	Judged  json.RawMessage `json:"judged"` // the object as it was judged
	Default string          `json:"default"`
	Answer  judge.Answer    `json:"answer"`
	LooksUp bool            `json:"looksUp"` // it was not judged before
	Lines   json.RawMessage `json:"lines"`
}

// add defers a finding.
func (d *deferred) add(found judge.Judged) error {
	return d.keep(deferredFinding{
		File:    found.File.ID,
		Record:  append(appendObject(nil, kindOf(found.Answer), found), '}'),
		Judged:  judge.AppendObject(nil, found.Document.Tape, found.Object, found.File.Target.Replacement(found.Document.Tape, found.Object)),
		Default: found.File.Target.Name,
		Answer:  found.Answer,
		Lines:   appendLines(nil, found),
	})
}

func (d *deferred) keep(entry deferredFinding) error {
	encoded, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	_, err = d.spool.add(append(encoded, '\n'))
	return err
}

const rejudged = 64 // objects at once

// rejudge evaluates the deferred objects that look up others or whose Namespace is known by now, and writes all deferred
// findings.
func (s *session) rejudge(asked request) {
	var stated map[string]map[string]any
	if len(asked.data) > 0 {
		if err := decode(asked.data, &stated); err != nil {
			s.ended <- err
			return
		}
	}
	for name, labels := range stated {
		if labels == nil {
			stated[name] = map[string]any{}
		}
	}
	known, ambiguous := s.namespaces.known(stated)
	inventory := s.lookups.inventory()
	var running sync.WaitGroup
	chunks := make(chan []deferredFinding)
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for chunk := range chunks {
				s.rejudgeChunk(chunk, known, inventory)
			}
		})
	}
	err := s.deferred.chunks(chunks)
	close(chunks)
	running.Wait()
	s.deferred.close()
	if err != nil {
		s.ended <- err
		return
	}
	s.record(done{Type: "done", ID: asked.ID, Known: known, Ambiguous: ambiguous, Inventory: inventory}, nil)
}

// chunks reads the deferred findings. The findings of a chunk have the same default namespace.
func (d *deferred) chunks(out chan<- []deferredFinding) error {
	lines := bufio.NewReader(io.NewSectionReader(d.reader(), 0, d.size))
	decoder := json.NewDecoder(lines)
	decoder.UseNumber()
	var chunk []deferredFinding
	for {
		var found deferredFinding
		err := decoder.Decode(&found)
		isFull := len(chunk) == rejudged || len(chunk) > 0 && chunk[0].Default != found.Default
		if len(chunk) > 0 && (err != nil || isFull) {
			out <- chunk
			chunk = nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		chunk = append(chunk, found)
	}
}

func (s *session) rejudgeChunk(chunk []deferredFinding, known map[string]map[string]any, inventory json.RawMessage) {
	var again []int
	var objects []json.RawMessage
	own := map[string]any{}
	namespaces := make([]string, len(chunk))
	for i, found := range chunk {
		name := found.Answer.Namespace
		namespaces[i] = name
		labels, isKnown := known[name]
		if isKnown || found.LooksUp {
			again = append(again, i)
			objects = append(objects, found.Judged)
		}
		if isKnown {
			own[name] = map[string]any{
				"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name, "labels": labels},
			}
		}
	}
	if len(again) > 0 {
		encoded, err := json.Marshal(own)
		var answers []judge.Answer
		if err == nil {
			answers, err = s.waitForJudge().Answers(objects, chunk[0].Default, encoded, inventory)
		}
		if err != nil {
			s.ended <- err
			return
		}
		for i, place := range again {
			chunk[place].Answer = answers[i]
		}
	}
	var out []byte
	unprotected := map[int]map[string]int{}
	for i, found := range chunk {
		if found.Answer.Failure == "" && len(found.Answer.Responses) == 0 {
			if found.LooksUp {
				continue
			}
			if unprotected[found.File] == nil {
				unprotected[found.File] = map[string]int{}
			}
			unprotected[found.File][namespaces[i]]++
			continue
		}
		record := found.Record[:len(found.Record)-1]
		if found.Answer.Failure != "" {
			record = append([]byte(`{"type":"failure"`), record[len(`{"type":"finding"`):]...)
		}
		out = appendAnswer(append(out, record...), found.Answer, found.Lines)
	}
	s.write(out)
	if !s.surveys {
		return
	}
	for id, counts := range unprotected {
		s.record(struct {
			Type        string         `json:"type"`
			ID          int            `json:"id"`
			Unprotected map[string]int `json:"unprotected"`
		}{"unprotected", id, counts}, nil)
	}
}
