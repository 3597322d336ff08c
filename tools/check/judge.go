package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

const (
	batchPackage = "data.gatekeeper.batch."
	timeLimit    = 2 * time.Minute // for one query
)

// An answer is what rego/gatekeeper/batch.rego says of one object.
type answer struct {
	Namespace string           `json:"namespace"`
	Responses []map[string]any `json:"responses"`
}

// A group is OPA with policies that can be loaded together.
type group struct {
	compiler        *ast.Compiler
	selecting       rego.PreparedEvalQuery
	judging         rego.PreparedEvalQuery
	judgingSelected rego.PreparedEvalQuery
}

// compile loads the policies below a folder; version is that of their Rego.
func compile(folder string, version ast.RegoVersion) (*group, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		// The adapter for conftest stands beside the policies of a library.
		if err == nil && entry.IsDir() && path == filepath.Join(folder, "conftest") {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".rego") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	modules := make([]*ast.Module, len(names))
	failed := make([]error, len(names))
	var parsing sync.WaitGroup
	for i, name := range names {
		parsing.Go(func() {
			source, err := os.ReadFile(name)
			if err == nil {
				shown, _ := filepath.Rel(folder, name)
				modules[i], err = ast.ParseModuleWithOpts(shown, string(source), ast.ParserOptions{RegoVersion: version})
			}
			failed[i] = err
		})
	}
	parsing.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, errors.New(inWords(failed...))
	}
	byName := map[string]*ast.Module{}
	for i, name := range names {
		byName[name] = modules[i]
	}
	compiler := ast.NewCompiler().WithDefaultRegoVersion(version)
	if compiler.Compile(byName); compiler.Failed() {
		return nil, errors.New(inWords(compiler.Errors))
	}
	return &group{compiler: compiler}, nil
}

// load gives it its constraints: what is data.pullguard for rego/gatekeeper/batch.rego.
func (g *group) load(data map[string]any) error {
	store := inmem.NewFromObjectWithOpts(
		data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true),
	)
	for rule, prepared := range map[string]*rego.PreparedEvalQuery{
		"results": &g.judging, "selected_results": &g.judgingSelected, "selections": &g.selecting,
	} {
		var err error
		*prepared, err = rego.New(rego.Compiler(g.compiler), rego.Store(store), rego.Query(batchPackage+rule)).
			PrepareForEval(context.Background())
		if err != nil {
			return err
		}
	}
	return nil
}

// query returns the array that a query gives for an input.
func (g *group) query(prepared rego.PreparedEvalQuery, input ...[2]*ast.Term) ([]any, error) {
	limited, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	results, err := prepared.Eval(limited, rego.EvalParsedInput(ast.NewObject(input...)))
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, errNoAnswer
	}
	values, ok := results[0].Expressions[0].Value.([]any)
	if !ok {
		return nil, errNoAnswer
	}
	return values, nil
}

// evaluate returns the answers that a query gives, one for each object.
func (g *group) evaluate(prepared rego.PreparedEvalQuery, objects int, input [][2]*ast.Term) ([]answer, error) {
	values, err := g.query(prepared, input...)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(values))
	for i, value := range values {
		if !answers[i].take(value) {
			return nil, errNoAnswer
		}
	}
	if len(answers) != objects {
		return nil, errNoAnswer
	}
	return answers, nil
}

var errNoAnswer = errors.New("OPA gave no answer for each object")

func (a *answer) take(value any) bool {
	fields, _ := value.(map[string]any)
	responses, ok := fields["responses"].([]any)
	for _, response := range responses {
		entry, isObject := response.(map[string]any)
		ok = ok && isObject
		a.Responses = append(a.Responses, entry)
	}
	if len(a.Responses) > 0 {
		a.Namespace, _ = fields["namespace"].(string)
	}
	return ok
}

// A judge is all groups together.
type judge struct {
	groups []*group
	byName bool // a constraint asks for more than the kind and the namespace of objects

	mutex sync.RWMutex
	// Which constraints select objects, by what matching asks of an object.
	selections map[string]*selection
}

// A selection says which constraints of each group select an object; whole: that can only be told with the object itself.
type selection struct {
	places []*ast.Term // an array for each group
	none   bool
	whole  bool
}

const mostSelections = 20_000

// load gives every group its constraints.
func (j *judge) load(data []map[string]any) error {
	if len(data) != len(j.groups) {
		return fmt.Errorf("%d groups of policies and %d of constraints", len(j.groups), len(data))
	}
	j.selections = map[string]*selection{}
	for i, g := range j.groups {
		if err := g.load(data[i]); err != nil {
			return err
		}
		j.byName = j.byName || asksForNames(data[i])
	}
	return nil
}

// What a match can ask for that only the kind and the namespace of an object decide, unless it is a Namespace.
var general = []string{"kinds", "namespaces", "excludedNamespaces", "namespaceSelector", "scope", "source"}

// asksForNames tells whether the match of a constraint asks for more than that.
func asksForNames(data map[string]any) bool {
	own, _ := data["pullguard"].(map[string]any)
	constraints, _ := own["constraints"].([]any)
	for _, entry := range constraints {
		value := entry
		for _, key := range []string{"constraint", "spec", "match"} {
			fields, _ := value.(map[string]any)
			value = fields[key]
		}
		fields, _ := value.(map[string]any)
		for field := range fields {
			if !slices.Contains(general, field) {
				return true
			}
		}
	}
	return false
}

// known returns the selection of objects of which matching knows no more than the key, if it was asked for before. The key
// begins with the namespace of objects that state none.
func (j *judge) known(key []byte) *selection {
	j.mutex.RLock()
	defer j.mutex.RUnlock()
	return j.selections[string(key)]
}

// selectBy asks for the selections of keys: a namespace and JSON objects that have of an object what matching asks for.
func (j *judge) selectBy(namespace string, keys []string) ([]*selection, error) {
	found := make([]*selection, len(keys))
	objects := make([]*ast.Term, len(keys))
	for i, key := range keys {
		value, err := ast.ValueFromReader(strings.NewReader(key[len(namespace):]))
		if err != nil {
			return nil, err
		}
		objects[i] = ast.NewTerm(value)
		found[i] = &selection{none: true}
	}
	for _, g := range j.groups {
		values, err := g.query(g.selecting, ast.Item(ast.StringTerm("objects"), ast.ArrayTerm(objects...)), namespaceItem(namespace))
		if err != nil {
			return nil, err
		}
		if len(values) != len(keys) {
			return nil, errNoAnswer
		}
		for i, value := range values {
			places, ok := value.([]any)
			terms := make([]*ast.Term, len(places))
			for k, place := range places {
				terms[k] = ast.NewTerm(ast.Number(place.(json.Number)))
			}
			found[i].whole = found[i].whole || !ok
			found[i].none = found[i].none && ok && len(places) == 0
			found[i].places = append(found[i].places, ast.ArrayTerm(terms...))
		}
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if len(j.selections) > mostSelections {
		clear(j.selections)
	}
	for i, key := range keys {
		j.selections[key] = found[i]
	}
	return found, nil
}

func namespaceItem(namespace string) [2]*ast.Term {
	return ast.Item(ast.StringTerm("namespace"), ast.StringTerm(namespace))
}

// evaluate returns the answers of all groups for objects, or the first error. Without selections, which constraints select
// them is asked as well.
func (j *judge) evaluate(
	objects []*ast.Term, selections []*selection, namespace string, namespaces *ast.Term,
) ([]answer, error) {
	together := make([]answer, len(objects))
	for i := range together {
		together[i].Responses = []map[string]any{}
	}
	for i, g := range j.groups {
		items := [][2]*ast.Term{ast.Item(ast.StringTerm("objects"), ast.ArrayTerm(objects...)), namespaceItem(namespace)}
		judging := g.judging
		if selections == nil {
			items = append(items, ast.Item(ast.StringTerm("namespaces"), namespaces))
		} else {
			places := make([]*ast.Term, len(selections))
			for k, each := range selections {
				places[k] = each.places[i]
			}
			items = append(items, ast.Item(ast.StringTerm("selections"), ast.ArrayTerm(places...)))
			judging = g.judgingSelected
		}
		answers, err := g.evaluate(judging, len(objects), items)
		if err != nil {
			return nil, err
		}
		for k, own := range answers {
			if len(together[k].Responses) == 0 {
				together[k].Namespace = own.Namespace
			}
			together[k].Responses = append(together[k].Responses, own.Responses...)
		}
	}
	return together, nil
}

// A verdict is the answer for an object, or why there is none.
type verdict struct {
	answer
	failure string
}

// verdicts judges objects, one by one if a policy fails for all of them together.
func (j *judge) verdicts(objects []*ast.Term, selections []*selection, namespace string) []verdict {
	found := make([]verdict, len(objects))
	answers, err := j.evaluate(objects, selections, namespace, ast.ObjectTerm())
	switch {
	case err == nil:
		for i, answer := range answers {
			found[i].answer = answer
		}
	case len(objects) == 1 || topdown.IsCancel(err):
		for i := range found {
			found[i].failure = inWords(err)
		}
	default:
		for i := range objects {
			if selections == nil {
				found[i] = j.verdicts(objects[i:i+1], nil, namespace)[0]
			} else {
				found[i] = j.verdicts(objects[i:i+1], selections[i:i+1], namespace)[0]
			}
		}
	}
	return found
}

// inWords says what OPA's errors say, in one line.
func inWords(errs ...error) string {
	var words []string
	for _, err := range errs {
		var many ast.Errors
		var failed *topdown.Error
		switch {
		case err == nil:
		case errors.As(err, &many):
			for _, each := range many {
				words = append(words, at(each.Location)+each.Message)
			}
		case topdown.IsCancel(err):
			words = append(words, "the policy engine did not answer in time")
		case errors.As(err, &failed):
			words = append(words, at(failed.Location)+failed.Message)
		default:
			words = append(words, err.Error())
		}
	}
	slices.Sort(words)
	return strings.Join(strings.Fields(strings.Join(slices.Compact(words), "; ")), " ")
}

func at(location *ast.Location) string {
	if location == nil || location.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", location.File, location.Row)
}

func numbers(text []byte, value any) error {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	return decoder.Decode(value)
}
