package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/errors"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// files gives read-only access to the disk, below a folder that links must not lead out of.
type files struct {
	filesys.FileSystem
	within string // absolute, without links
	read   map[string]bool
	// Returns the text to read instead of a file's own.
	change func(path string, text []byte) []byte
}

func newFiles(within string) *files {
	return &files{FileSystem: filesys.MakeFsOnDisk(), within: within, read: map[string]bool{}}
}

var errReadOnly = errors.Errorf("a build cannot write files")

func (f *files) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (f *files) Mkdir(string) error                  { return errReadOnly }
func (f *files) MkdirAll(string) error               { return errReadOnly }
func (f *files) RemoveAll(string) error              { return errReadOnly }
func (f *files) WriteFile(string, []byte) error      { return errReadOnly }

// kustomize also calls CleanedAbs before it enters a folder.
func (f *files) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	folder, name, err := f.FileSystem.CleanedAbs(path)
	if err == nil && !inside(string(folder), f.within) {
		return "", "", fmt.Errorf("%s is outside of %s", path, f.within)
	}
	return folder, name, err
}

func (f *files) ReadFile(path string) ([]byte, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	if !inside(real, f.within) {
		return nil, fmt.Errorf("%s is outside of %s", path, f.within)
	}
	status, err := os.Stat(real)
	if err != nil {
		return nil, err
	}
	if !status.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	text, err := os.ReadFile(real)
	if err != nil {
		return nil, err
	}
	f.read[path] = true
	if f.change != nil {
		text = f.change(path, text)
	}
	return text, nil
}

func (f *files) names() []string {
	names := make([]string, 0, len(f.read))
	for name := range f.read {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func isFile(path string) bool {
	status, err := os.Stat(path)
	return err == nil && status.Mode().IsRegular()
}

func inside(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder+string(filepath.Separator))
}

// root returns the folder that a build may read: the repository, or else the whole disk.
func root(folder string) string {
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return at
		}
	}
}
