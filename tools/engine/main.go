// Pullguard-engine reads manifests, judges them by Gatekeeper's policies, and evaluates Rego, for pullguard. It also has OPA's
// own command line.
//
//	pullguard-engine serve        answer the requests of protocol/PROTOCOL.md
//	pullguard-engine build        build for `serve`, in a separate process
//	pullguard-engine opa ARGS...  run OPA, without the functions that are withheld from policies
//	pullguard-engine version      say what it consists of, in JSON
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/cmd"

	"pullguard.invalid/tools/engine/builds/worker"
	"pullguard.invalid/tools/engine/judge"
	"pullguard.invalid/tools/engine/protocol"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		if err := protocol.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
	case len(os.Args) == 2 && os.Args[1] == "build":
		if err := worker.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) > 1 && os.Args[1] == "opa":
		os.Args = os.Args[1:]
		judge.Withhold()
		err := cmd.RootCommand.Execute()
		var stated *cmd.ExitError
		if errors.As(err, &stated) {
			os.Exit(stated.Exit)
		}
		if err != nil {
			os.Exit(1)
		}
	case len(os.Args) == 2 && os.Args[1] == "version":
		if err := writeVersions(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: pullguard-engine serve | opa ... | version")
		os.Exit(2)
	}
}
