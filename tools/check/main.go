// Pullguard-check reads manifests and judges them by Gatekeeper's policies, with OPA, for `pullguard check`.
//
// It reads the part of YAML in which all readers agree, and JSON, many times as fast as a reader of all of YAML. What it does
// not take for plain it hands back, for the strict reader in Python to read it or to say what is wrong with it: nothing
// that is wrong with a manifest is said here.
//
// Usage: pullguard-check [-max-document BYTES] [-max-depth LEVELS] FOLDER[=v0]...
//
// Each FOLDER has policies that can be loaded together, as a bundle for conftest has them. What is to be done comes on
// standard input, what was found goes to standard output; report.go and requests.go say how.
package main

import (
	"flag"
	"os"
	"runtime/debug"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Of two processors, collecting garbage takes less than a tenth of their time this way.
const garbagePercent = 400

func main() {
	maxDocument := flag.Int("max-document", 1<<28, "the largest document, in `bytes`")
	maxDepth := flag.Int("max-depth", 500, "how many `levels` mappings and lists may be nested")
	flag.Parse()
	debug.SetGCPercent(-1) // until the policies are loaded, which is over before it would matter
	out := newReport(os.Stdout)
	j := &judge{groups: make([]*group, flag.NArg())}
	compiled := make(chan error, 1)
	go func() {
		var err error
		for i, argument := range flag.Args() {
			folder, version := argument, ast.RegoV1
			if before, found := strings.CutSuffix(argument, "=v0"); found {
				folder, version = before, ast.RegoV0
			}
			if j.groups[i], err = compile(folder, version); err != nil {
				break
			}
		}
		debug.SetGCPercent(garbagePercent)
		compiled <- err
	}()
	s := session{judge: j, report: out, maxDocument: *maxDocument, maxDepth: *maxDepth}
	if err := s.run(os.Stdin, compiled); err != nil {
		out.write(record{Fatal: err.Error()}, nil)
		out.flush()
		os.Exit(1)
	}
	out.flush()
}
