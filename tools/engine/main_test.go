package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pullguard.invalid/tools/engine/memory"
)

// The test binary runs the program if an environment variable says so.
func TestMain(m *testing.M) {
	if os.Getenv("PULLGUARD_ENGINE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0], arguments...)
	command.Env = append(os.Environ(), "PULLGUARD_ENGINE=1")
	return command
}

func TestTheProgram(t *testing.T) {
	t.Run("opa", func(t *testing.T) {
		out, err := program(t, "opa", "eval", "1 + 1", "--format", "raw").CombinedOutput()
		if err != nil || string(out) != "2\n" {
			t.Errorf("%s: %v", out, err)
		}
		policy := filepath.Join(t.TempDir(), "a_test.rego")
		if err := os.WriteFile(policy, []byte("package a\n\ntest_x if false\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		failed := program(t, "opa", "test", policy)
		if out, err := failed.CombinedOutput(); err == nil || failed.ProcessState.ExitCode() != 2 {
			t.Errorf("%s: %v", out, err)
		}
	})
	t.Run("version", func(t *testing.T) {
		var found versions
		out, err := program(t, "version").Output()
		if err != nil || json.Unmarshal(out, &found) != nil {
			t.Fatalf("%s: %v", out, err)
		}
		// The modules of a test binary are not stated.
		if found.Go != runtime.Version() || found.Platform != runtime.GOOS+"/"+runtime.GOARCH || found.Modules == nil {
			t.Errorf("%+v", found)
		}
	})
	t.Run("usage", func(t *testing.T) {
		wrong := program(t, "serv")
		if out, err := wrong.CombinedOutput(); err == nil || wrong.ProcessState.ExitCode() != 2 || !strings.HasPrefix(string(out), "usage: ") {
			t.Errorf("%s: %v", out, err)
		}
	})
	t.Run("too much memory", func(t *testing.T) {
		input := func(data any, kind string, more string) string {
			encoded, _ := json.Marshal(data)
			return fmt.Sprintf("{\"type\":%q,\"id\":1%s,\"size\":%d}\n%s", kind, more, len(encoded), encoded)
		}
		greedy := map[string]any{"modules": map[string]string{"a.rego": "package a\n\nx := count(numbers.range(1, 100000000))\n"}}
		served := program(t, "serve")
		served.Stdin = strings.NewReader(
			input(map[string]any{"limits": map[string]any{"maxMemory": 300_000_000}}, "setup", "") + input(greedy, "query", `,"entry":"data.a.x"`))
		var out, said bytes.Buffer
		served.Stdout, served.Stderr = &out, &said
		if err := served.Run(); err == nil || !memory.IsExhausted(said.String()) {
			t.Errorf("%v: %.500s %s", err, said.String(), out.String())
		}
	})
}
