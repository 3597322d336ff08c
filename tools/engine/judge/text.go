package judge

import "pullguard.invalid/tools/engine/read"

// Text reads a text and judges its objects in the caller's goroutine. The sink receives the results.
func Text(j *Judge, sink Sink, limits read.Limits, text []byte, f *File) {
	p := &Pool{judge: func() *Judge { return j }, sink: sink, limits: limits}
	w := newWorker(p)
	f.waiting = 1
	splitter := read.Splitter{
		Dialect: read.Kubernetes,
		Limits:  limits,
		Problem: func(problem read.Problem) { sink.Problems(f, []read.Problem{problem}) },
		Parts: func(next read.Part) {
			f.waiting++
			w.work([]part{{next, f}})
		},
	}
	f.result = splitter.SplitText(text)
	p.finish(f, 0)
}
