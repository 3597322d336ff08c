package read

import (
	"fmt"
	"slices"
)

// Limits are the limits of what is read. Anything beyond them is a Problem.
type Limits struct {
	MaxDocument int `json:"maxDocument"` // bytes of a document
	MaxDepth    int `json:"maxDepth"`    // levels of mappings and lists
	MaxAliased  int `json:"maxAliased"`  // bytes that the aliases of a document stand for
}

// DefaultLimits are the limits of readers without others. An API server accepts objects of at most 3 MB.
var DefaultLimits = Limits{MaxDocument: 1 << 28, MaxDepth: 500, MaxAliased: 10_000_000}

// WholeFile is the document of a Problem that is about the whole file.
const WholeFile = -1

// A Problem is something that cannot be read, or that Kubernetes would refuse.
type Problem struct {
	Document int // from 0
	Line     int // in the file, from 1; 0 if not known
	Message  string
	Remedy   string
	// Whether the document cannot be read and looks like a template that was not rendered.
	IsTemplate bool
}

const correct = "correct the document"

func tooDeep(maxDepth, line int) *Problem {
	return &Problem{
		Line:    line,
		Message: fmt.Sprintf("nested deeper than %d levels", maxDepth),
		Remedy:  "reduce the nesting (`pullguard check` allows more with --max-depth)",
	}
}

func tooLarge(document, line int) Problem {
	return Problem{
		Document: document,
		Line:     line,
		Message:  "the document is too large to be read",
		Remedy:   "split it (`pullguard check` allows more with --max-document)",
	}
}

func notText(encoding string, line int) Problem {
	return Problem{
		Document: WholeFile,
		Line:     line,
		Message:  "a byte that is not " + encoding,
		Remedy:   "save the file as UTF-8 (the byte was replaced, and the rest was read)",
	}
}

// A duplicate is a repeated key in a mapping.
type duplicate struct {
	key   string
	line  int
	first int  // the line of its previous occurrence
	atTop bool // the mapping is the whole document
}

const maxDuplicates = 10 // reported for one document

// duplicateProblems returns the problems for the duplicate keys of a document. If a separator is missing between two whole
// objects, their keys are duplicates as well; that is one problem with a remedy of its own.
func duplicateProblems(found []duplicate) []Problem {
	var problems []Problem
	repeats := func(key string) bool {
		return slices.ContainsFunc(found, func(d duplicate) bool { return d.atTop && d.key == key })
	}
	if repeats("apiVersion") && repeats("kind") {
		first := slices.IndexFunc(found, func(d duplicate) bool { return d.atTop })
		problems = append(problems, found[first].problem("put a line `---` between the two objects"))
		found = slices.DeleteFunc(found, func(d duplicate) bool { return d.atTop })
	}
	for i, d := range found[:min(len(found), maxDuplicates)] {
		problem := d.problem("remove one of them")
		if hidden := len(found) - maxDuplicates; hidden > 0 && i == maxDuplicates-1 {
			problem.Message += fmt.Sprintf(" (%d more of these follow)", hidden)
		}
		problems = append(problems, problem)
	}
	return problems
}

func (d duplicate) problem(remedy string) Problem {
	return Problem{
		Line: d.line,
		Message: fmt.Sprintf(
			"the key \"%s\" occurs twice in one mapping, first on line %d: "+
				"the last value counts, and Kubernetes' strict decoding refuses the object", d.key, d.first),
		Remedy: remedy,
	}
}
