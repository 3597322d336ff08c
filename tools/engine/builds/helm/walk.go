package helm

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"
)

const deepestFolder = 50 // links can form circles

// A walk reads the files of a chart as Helm does. It follows links, but only to files in the same repository.
type walk struct {
	top, within string
	options     Options
	ignored     *ignore.Rules
	files       []*loader.BufferedFile
	read        []string
}

func newWalk(top string, options Options) (*walk, error) {
	real, err := filepath.EvalSymlinks(top)
	if err != nil {
		return nil, err
	}
	w := &walk{top: top, within: repository(real), options: options, ignored: ignore.Empty()}
	if file := filepath.Join(top, ignore.HelmIgnore); isFile(file) {
		if w.ignored, err = ignore.ParseFile(file); err != nil {
			return nil, err
		}
	}
	w.ignored.AddDefaults()
	return w, nil
}

func (w *walk) folder(name string, depth int) error {
	if depth > deepestFolder {
		return fmt.Errorf("folders are nested deeper than %d levels at %s", deepestFolder, name)
	}
	entries, err := os.ReadDir(filepath.Join(w.top, name))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		own := path.Join(name, entry.Name())
		file := filepath.Join(w.top, own)
		status, err := os.Stat(file)
		if err != nil {
			return err
		}
		if w.ignored.Ignore(own, status) {
			continue
		}
		if entry.Type()&os.ModeSymlink != 0 {
			real, err := filepath.EvalSymlinks(file)
			if err != nil {
				return err
			}
			if !within(real, w.within) {
				return fmt.Errorf("%s is a link that leads out of %s", own, w.within)
			}
		}
		if status.IsDir() {
			if err := w.folder(own, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := w.file(own, file, status); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) file(name, file string, status os.FileInfo) error {
	if !status.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	if status.Size() > loader.MaxDecompressedFileSize {
		return fmt.Errorf("%s is larger than %d bytes", name, loader.MaxDecompressedFileSize)
	}
	text, err := w.options.textOf(file)
	if err != nil {
		return err
	}
	w.files = append(w.files, &loader.BufferedFile{Name: name, Data: withoutMark(text)})
	w.read = append(w.read, file)
	return nil
}

// repository returns the folder of the repository that a chart is in, or else the chart's own folder.
func repository(folder string) string {
	for at := folder; at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
	}
	return folder
}

func isFile(name string) bool {
	status, err := os.Stat(name)
	return err == nil && status.Mode().IsRegular()
}
