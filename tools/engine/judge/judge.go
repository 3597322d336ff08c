// Package judge judges Kubernetes objects by Gatekeeper's policies, with OPA.
package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

const (
	batchPackage   = "data.gatekeeper.batch."
	noAnswerInTime = "the policy engine did not answer in time"
)

var timeLimit = 2 * time.Minute // for one query

// An Answer is the answer of rego/gatekeeper/batch.rego for one object, or the reason why there is none.
type Answer struct {
	Namespace string     `json:"namespace"`
	Responses []Response `json:"responses"`
	Failure   string     `json:"failure,omitempty"`
}

// A Response is one violation of a constraint.
type Response map[string]any

// IsNamespaceAssumed tells whether it was assumed that the constraint selects the object's namespace, because the namespace or
// its labels are not known.
func (r Response) IsNamespaceAssumed() bool {
	assumed, _ := r["namespaceAssumed"].(bool)
	return assumed
}

// Path returns the part of the object that the violation is about, such as `spec.containers[2]`, or "" if it is not stated.
func (r Response) Path() string {
	details, _ := r["details"].(map[string]any)
	path, _ := details["path"].(string)
	return path
}

// FixPath returns the path of the field whose value fixes the violation, or that of the image that can be pinned; "" if
// neither is stated.
func (r Response) FixPath() string {
	details, _ := r["details"].(map[string]any)
	for _, key := range []string{"fix", "pin"} {
		edit, _ := details[key].(map[string]any)
		if path, _ := edit["path"].(string); path != "" {
			return path
		}
	}
	return ""
}

// A group is OPA with policies that can be loaded together.
type group struct {
	selecting       rego.PreparedEvalQuery
	judging         rego.PreparedEvalQuery
	judgingSelected rego.PreparedEvalQuery
}

// load returns a group with its policies and constraints.
func load(policies Policies) (*group, error) {
	compiler, err := policies.compile()
	if err != nil {
		return nil, err
	}
	g := &group{}
	store := inmem.NewFromObjectWithOpts(
		map[string]any{"pullguard": policies.Data}, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true),
	)
	for rule, prepared := range map[string]*rego.PreparedEvalQuery{
		"results": &g.judging, "selected_results": &g.judgingSelected, "selections": &g.selecting,
	} {
		*prepared, err = rego.New(rego.Compiler(compiler), rego.Store(store), rego.Query(batchPackage+rule)).
			PrepareForEval(context.Background())
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// query returns the array that is the result of a query for an input.
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

// evaluate returns the answers of a query, one for each object.
func (g *group) evaluate(prepared rego.PreparedEvalQuery, objects int, input [][2]*ast.Term) ([]Answer, error) {
	values, err := g.query(prepared, input...)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(values))
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

func (a *Answer) take(value any) bool {
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

// A Judge evaluates all groups of policies.
type Judge struct {
	groups []*group
	// Whether a match depends on more than the kind and the namespace of objects.
	needsMetadata bool

	survey *Survey // nil if objects that are not judged do not matter

	timeouts atomic.Int32 // number of queries that did not end in time

	mutex sync.RWMutex
	// The cached selections by match key.
	selections map[string]*selection
}

// A selection says which constraints of each group select an object.
type selection struct {
	constraints []*ast.Term // for each group, an array of indices
	isEmpty     bool
	// If it is empty: whether constraints would select the object in a namespace other than this one.
	isSelectable bool
	namespace    string
	// Whether the constraints that select the object depend on more than the match key.
	mustMatchIndividually bool
}

const mostSelections = 20_000

// New returns a judge with groups of policies. If survey is not nil, it says what to look for in objects that are not judged.
func New(groups []Policies, survey *Survey) (*Judge, error) {
	j := &Judge{groups: make([]*group, len(groups)), selections: map[string]*selection{}, survey: survey}
	if survey != nil {
		if err := survey.load(); err != nil {
			return nil, err
		}
	}
	for i, policies := range groups {
		var err error
		if j.groups[i], err = load(policies); err != nil {
			return nil, err
		}
		j.needsMetadata = j.needsMetadata || needsMetadata(policies.Data)
	}
	return j, nil
}

// The fields of a match that depend only on the kind and the namespace of an object, unless the object is a Namespace.
var fieldsDecidedByKindAndNamespace = []string{
	"kinds", "namespaces", "excludedNamespaces", "namespaceSelector", "scope", "source",
}

// needsMetadata tells whether the match of a constraint has other fields.
func needsMetadata(data map[string]any) bool {
	constraints, _ := data["constraints"].([]any)
	for _, entry := range constraints {
		value := entry
		for _, key := range []string{"constraint", "spec", "match"} {
			fields, _ := value.(map[string]any)
			value = fields[key]
		}
		fields, _ := value.(map[string]any)
		for field := range fields {
			if !slices.Contains(fieldsDecidedByKindAndNamespace, field) {
				return true
			}
		}
	}
	return false
}

// cached returns the selection for a match key, or nil.
func (j *Judge) cached(key []byte) *selection {
	j.mutex.RLock()
	defer j.mutex.RUnlock()
	return j.selections[string(key)]
}

// The answer of rego/gatekeeper/batch.rego for an object that constraints would select in another namespace.
const elsewhere = "elsewhere"

// selectBy finds the selections for match keys, which must have the same target namespace.
func (j *Judge) selectBy(namespace string, keys []string) ([]*selection, error) {
	found := make([]*selection, len(keys))
	objects := make([]*ast.Term, len(keys))
	for i, key := range keys {
		value, err := ast.ValueFromReader(strings.NewReader(key[len(namespace):]))
		if err != nil {
			return nil, err
		}
		objects[i] = ast.NewTerm(value)
		found[i] = &selection{isEmpty: true}
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
			places, isDecided := value.([]any)
			if value == elsewhere {
				isDecided, found[i].isSelectable = true, true
			}
			terms := make([]*ast.Term, len(places))
			for k, place := range places {
				number, ok := place.(json.Number)
				if !ok {
					return nil, errNoAnswer
				}
				terms[k] = ast.NewTerm(ast.Number(number))
			}
			found[i].mustMatchIndividually = found[i].mustMatchIndividually || !isDecided
			found[i].isEmpty = found[i].isEmpty && isDecided && len(places) == 0
			found[i].constraints = append(found[i].constraints, ast.ArrayTerm(terms...))
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

// A batch is a set of objects that are judged in one query.
type batch struct {
	objects []*ast.Term
	// The selection of each object; nil: match the objects as well, with the Namespaces that are known.
	selections []*selection
	namespaces *ast.Term
	inventory  *ast.Term // data.inventory, if selections is nil; nil: empty
	// The namespace of objects that do not state any.
	namespace string
}

// evaluate returns the answers of all groups, or the first error.
func (j *Judge) evaluate(b batch) ([]Answer, error) {
	together := make([]Answer, len(b.objects))
	for i := range together {
		together[i].Responses = []Response{}
	}
	for i, g := range j.groups {
		items := [][2]*ast.Term{ast.Item(ast.StringTerm("objects"), ast.ArrayTerm(b.objects...)), namespaceItem(b.namespace)}
		judging := g.judging
		if b.selections == nil {
			items = append(items, ast.Item(ast.StringTerm("namespaces"), b.namespaces))
			if b.inventory != nil {
				items = append(items, ast.Item(ast.StringTerm("inventory"), b.inventory))
			}
		} else {
			constraints := make([]*ast.Term, len(b.selections))
			for k, each := range b.selections {
				constraints[k] = each.constraints[i]
			}
			items = append(items, ast.Item(ast.StringTerm("selections"), ast.ArrayTerm(constraints...)))
			judging = g.judgingSelected
		}
		answers, err := g.evaluate(judging, len(b.objects), items)
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

// After this many timeouts, which take minutes each, policies are not evaluated any more.
const mostTimeouts = 3

// answers judges objects. If a policy fails for all of them together, it judges them one by one.
func (j *Judge) answers(b batch) []Answer {
	if j.timeouts.Load() >= mostTimeouts {
		return slices.Repeat([]Answer{{Failure: noAnswerInTime}}, len(b.objects))
	}
	found, err := j.evaluate(b)
	switch {
	case err == nil:
		return found
	case topdown.IsCancel(err):
		j.timeouts.Add(1)
		return slices.Repeat([]Answer{{Failure: noAnswerInTime}}, len(b.objects))
	case len(b.objects) == 1:
		return []Answer{{Failure: InWords(err)}}
	}
	for i := range b.objects {
		one := batch{objects: b.objects[i : i+1], namespaces: b.namespaces, inventory: b.inventory, namespace: b.namespace}
		if b.selections != nil {
			one.selections = b.selections[i : i+1]
		}
		found = append(found, j.answers(one)...)
	}
	return found
}

// Answers judges objects, each given as JSON.
//
// namespace is the namespace of objects that do not state any; namespaces are the known Namespaces by name, and inventory is
// data.inventory; nil stands for an empty object.
func (j *Judge) Answers(objects []json.RawMessage, namespace string, namespaces, inventory json.RawMessage) ([]Answer, error) {
	b := batch{objects: make([]*ast.Term, len(objects)), namespace: namespace, namespaces: ast.ObjectTerm()}
	for i, object := range objects {
		value, err := ast.ValueFromReader(bytes.NewReader(object))
		if err != nil {
			return nil, err
		}
		b.objects[i] = ast.NewTerm(value)
	}
	for _, known := range []struct {
		into *(*ast.Term)
		json json.RawMessage
	}{{&b.namespaces, namespaces}, {&b.inventory, inventory}} {
		if len(known.json) > 0 {
			value, err := ast.ValueFromReader(bytes.NewReader(known.json))
			if err != nil {
				return nil, err
			}
			*known.into = ast.NewTerm(value)
		}
	}
	return j.answers(b), nil
}

// InWords returns OPA's errors as one line.
func InWords(errs ...error) string {
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
			words = append(words, noAnswerInTime)
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
