package main

import (
	"encoding/json"
	"io"
	"runtime"
	"runtime/debug"
)

// version is that of pullguard, which the linker sets.
var version = ""

// versions are what the program consists of.
type versions struct {
	Version  string            `json:"version"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Modules  map[string]string `json:"modules"`
}

// writeVersions writes them as JSON, modules by their paths; a module that is replaced counts as what takes its place.
func writeVersions(to io.Writer) error {
	found := versions{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, map[string]string{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Replace != nil {
				module = module.Replace
			}
			found.Modules[module.Path] = module.Version
		}
	}
	return json.NewEncoder(to).Encode(found)
}
