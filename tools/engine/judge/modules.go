package judge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// Policies are policies that can be loaded together, and their constraints.
type Policies struct {
	Modules
	// The value of data.pullguard for rego/gatekeeper/batch.rego.
	Data map[string]any `json:"data"`
}

// Modules are Rego modules that can be loaded together: those below a folder, or texts by the file names for errors.
type Modules struct {
	RegoVersion string            `json:"regoVersion"`
	Folder      string            `json:"folder"`
	Texts       map[string]string `json:"modules"`
}

// Withheld are the functions that reach beyond the policies, or reveal their environment. The functions for JSON schemas read
// files and fetch addresses that a schema names.
var Withheld = []string{"http.send", "json.match_schema", "json.verify_schema", "net.lookup_ip_addr", "opa.runtime"}

func isWithheld(b *ast.Builtin) bool { return slices.Contains(Withheld, b.Name) }

var capabilities = sync.OnceValue(func() *ast.Capabilities {
	found := ast.CapabilitiesForThisVersion()
	found.Builtins = slices.DeleteFunc(found.Builtins, isWithheld)
	found.AllowNet = []string{}
	return found
})

// Withhold removes the functions from OPA itself, because its server ignores capabilities. Call it before anything else.
func Withhold() {
	ast.Builtins = slices.DeleteFunc(ast.Builtins, isWithheld)
	for _, name := range Withheld {
		delete(ast.BuiltinMap, name)
	}
}

// compile compiles the modules.
func (m Modules) compile() (*ast.Compiler, error) {
	version := ast.RegoV1
	if m.RegoVersion == "v0" {
		version = ast.RegoV0
	}
	texts := m.Texts
	if m.Folder != "" {
		var err error
		if texts, err = textsBelow(m.Folder); err != nil {
			return nil, err
		}
	}
	names := slices.Sorted(maps.Keys(texts))
	modules := make([]*ast.Module, len(names))
	failed := make([]error, len(names))
	var parsing sync.WaitGroup
	for i, name := range names {
		parsing.Go(func() {
			modules[i], failed[i] = ast.ParseModuleWithOpts(
				name, texts[name], ast.ParserOptions{RegoVersion: version, Capabilities: capabilities()},
			)
		})
	}
	parsing.Wait()
	if errors.Join(failed...) != nil {
		return nil, errors.New(InWords(failed...))
	}
	byName := map[string]*ast.Module{}
	for i, name := range names {
		byName[name] = modules[i]
	}
	compiler := ast.NewCompiler().WithDefaultRegoVersion(version).WithCapabilities(capabilities())
	if compiler.Compile(byName); compiler.Failed() {
		return nil, errors.New(InWords(compiler.Errors))
	}
	return compiler, nil
}

const mostRego = 64 << 20 // bytes below a folder

// textsBelow reads the policies below a folder, without the adapter for conftest, which is next to a library's policies.
func textsBelow(folder string) (map[string]string, error) {
	texts := map[string]string{}
	size := int64(0)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path == filepath.Join(folder, "conftest"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".rego"):
			name, err := filepath.Rel(folder, path)
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if !info.Mode().IsRegular() {
				return fmt.Errorf("%s is not a regular file", name)
			}
			if size += info.Size(); size > mostRego {
				return fmt.Errorf("there is more than %d MB of Rego", mostRego>>20)
			}
			text, err := os.ReadFile(path)
			texts[name] = string(text)
			return err
		}
		return nil
	})
	return texts, err
}

// Rules caches compiled modules, and the rules of them that were asked for.
type Rules struct {
	mutex    sync.Mutex
	compiled map[[sha256.Size]byte]*compiled
}

type compiled struct {
	compiler *ast.Compiler
	rules    map[string]rego.PreparedEvalQuery
}

// Query returns the value of a rule, such as data.scope.plan.plan. The input is JSON, or empty.
func (r *Rules) Query(modules Modules, rule string, input []byte) (any, error) {
	prepared, err := r.prepare(modules, rule)
	if err != nil {
		return nil, err
	}
	var options []rego.EvalOption
	if len(input) > 0 {
		value, err := ast.ValueFromReader(bytes.NewReader(input))
		if err != nil {
			return nil, err
		}
		options = append(options, rego.EvalParsedInput(value))
	}
	limited, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	results, err := prepared.Eval(limited, options...)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%s is undefined", rule)
	}
	return results[0].Expressions[0].Value, nil
}

func (r *Rules) prepare(modules Modules, rule string) (rego.PreparedEvalQuery, error) {
	// Maps are encoded in the order of their keys, so equal modules have equal keys.
	encoded, err := json.Marshal(modules)
	if err != nil {
		return rego.PreparedEvalQuery{}, err
	}
	key := sha256.Sum256(encoded)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	found := r.compiled[key]
	if found == nil {
		compiler, err := modules.compile()
		if err != nil {
			return rego.PreparedEvalQuery{}, err
		}
		if r.compiled == nil {
			r.compiled = map[[sha256.Size]byte]*compiled{}
		}
		found = &compiled{compiler, map[string]rego.PreparedEvalQuery{}}
		r.compiled[key] = found
	}
	prepared, isPrepared := found.rules[rule]
	if !isPrepared {
		prepared, err = rego.New(rego.Compiler(found.compiler), rego.Query(rule)).PrepareForEval(context.Background())
		if err != nil {
			return prepared, err
		}
		found.rules[rule] = prepared
	}
	return prepared, nil
}
