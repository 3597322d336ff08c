package protocol

import (
	"encoding/json"
	"strconv"

	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/read"
)

// A sink writes a pool's results for files.
type sink struct{ *session }

// Seen records Namespaces and what is looked up, writes installers, and indexes objects.
func (s sink) Seen(file *judge.File, document *read.Document, objects []read.Object) (isKept bool) {
	for _, o := range s.installers(document, objects) {
		lines := document.AppendAllLines([]byte(`,"lines":`), o)
		s.write(append(append(appendInstaller(nil, file.ID, document, o), lines...), '}', '\n'))
	}
	s.lookups.note(file.ID, document, objects)
	for _, o := range s.lookups.waiting(document, objects) {
		if err := s.deferred.keep(waitingFinding(file, document, o)); err != nil {
			s.ended <- err
		}
	}
	return s.seen(s.index, file.ID, document, objects)
}

func (s *session) seen(remembering *index, file int, document *read.Document, objects []read.Object) (isKept bool) {
	for _, o := range objects {
		if o.Kind == "Namespace" {
			s.namespaces.note(document, o)
		}
	}
	return remembering != nil && remembering.add(file, document, objects)
}

// Problems writes the problems of a file.
func (s sink) Problems(file *judge.File, problems []read.Problem) { s.problems(file.ID, problems) }

func (s *session) problems(id int, problems []read.Problem) {
	for _, problem := range problems {
		if problem.Document != read.WholeFile {
			s.problem(id, problem)
			continue
		}
		// Documents are read in any order, and only the first such byte is reported.
		s.mutex.Lock()
		if first, isThere := s.badBytes[id]; !isThere || problem.Line < first.Line {
			s.badBytes[id] = problem
		}
		s.mutex.Unlock()
	}
}

// Done writes that a file is done.
func (s sink) Done(file *judge.File, result read.Result, objects int) {
	s.badByte(file.ID)
	entry := doneWith(file.ID, result, objects)
	entry.counts = countsOf(file)
	s.record(entry, nil)
	s.files.Done()
}

// badByte writes that a file has bytes that are not text.
func (s *session) badByte(id int) {
	s.mutex.Lock()
	problem, isThere := s.badBytes[id]
	delete(s.badBytes, id)
	s.mutex.Unlock()
	if isThere {
		s.problem(id, problem)
	}
}

// Flush sends what was written.
func (s sink) Flush() { s.flush() }

// Judged writes findings, and defers those that depend on a Namespace, or another object, that is not known yet.
func (s sink) Judged(found []judge.Judged) {
	var out []byte
	for _, judged := range found {
		if s.lookups.isWaiting(judged) {
			continue
		}
		if !dependsOnNamespace(judged.Answer) {
			out = appendFinding(out, judged)
		} else if err := s.deferred.add(judged); err != nil {
			s.ended <- err
			return
		}
	}
	s.write(out)
}

// Unjudged writes objects that hold something that a policy could judge, and that no policy judges.
func (s sink) Unjudged(found []judge.Unjudged) {
	var out []byte
	for _, unjudged := range found {
		line := strconv.AppendInt([]byte(`,"line":`), int64(unjudged.Document.LineOf(unjudged.Object.Node)), 10)
		out = append(append(appendUnjudged(out, unjudged), line...), '}', '\n')
	}
	s.write(out)
}

// Failed ends the session.
func (s sink) Failed(err error) { s.ended <- err }

// appendUnjudged appends a record about such an object, without its position.
func appendUnjudged(out []byte, found judge.Unjudged) []byte {
	out = appendItem(appendPlace(out, "unjudged", found.File.ID, found.Document.Index), found.Object.Items)
	out = read.AppendString(append(out, `,"holds":`...), []byte(found.Holds))
	out = read.AppendString(append(out, `,"remedy":`...), []byte(found.Remedy))
	out = read.AppendString(append(out, `,"object":{"kind":`...), []byte(found.Object.Kind))
	t := found.Document.Tape
	for _, field := range []struct {
		name string
		node int
	}{{"apiVersion", t.Version(found.Object)}, {"metadata", t.Get(found.Object.Node, "metadata")}} {
		if field.node >= 0 {
			out = t.AppendJSON(append(read.AppendString(append(out, ','), []byte(field.name)), ':'), field.node)
		}
	}
	return append(out, '}')
}

// appendFinding appends a record about an object that has violations, or that could not be judged.
func appendFinding(out []byte, found judge.Judged) []byte {
	return appendAnswer(appendObject(out, kindOf(found.Answer), found), found.Answer, appendLines(nil, found))
}

func kindOf(answer judge.Answer) string {
	if answer.Failure != "" {
		return "failure"
	}
	return "finding"
}

func appendObject(out []byte, kind string, found judge.Judged) []byte {
	out = appendItem(appendPlace(out, kind, found.File.ID, found.Document.Index), found.Object.Items)
	return found.Document.AppendObject(append(out, `,"object":`...), found.Object)
}

func appendAnswer(out []byte, answer judge.Answer, lines []byte) []byte {
	if answer.Failure != "" {
		out = read.AppendString(append(out, `,"message":`...), []byte(answer.Failure))
	} else {
		out = read.AppendString(append(out, `,"namespace":`...), []byte(answer.Namespace))
		responses, err := json.Marshal(answer.Responses)
		if err != nil {
			panic(err) // they were decoded from JSON
		}
		out = append(append(out, `,"responses":`...), responses...)
	}
	out = append(append(out, `,"lines":`...), lines...)
	return append(out, '}', '\n')
}

func appendLines(out []byte, found judge.Judged) []byte {
	paths := make([]string, len(found.Answer.Responses))
	for i, response := range found.Answer.Responses {
		paths[i] = response.Path()
	}
	return found.Document.AppendLines(out, found.Object, paths)
}
