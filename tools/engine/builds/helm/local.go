package helm

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"
)

// dependencies are those in a Chart.yaml, or in a requirements.yaml of Helm 2.
type dependencies struct {
	Dependencies []struct{ Name, Repository string }
}

// addLocal adds the dependencies with file:// that a chart does not contain, as `helm dependency build` does. The chart is in a
// folder, and its files have a prefix. Charts that contain the chart itself are not added.
func (c *Chart) addLocal(folder, prefix string, above ...string) error {
	for _, name := range []string{"Chart.yaml", "requirements.yaml"} {
		at := slices.IndexFunc(c.files, func(file *loader.BufferedFile) bool { return file.Name == prefix+name })
		var stated dependencies
		if at < 0 || yaml.Unmarshal(c.files[at].Data, &stated) != nil {
			continue // Helm reports the error
		}
		for _, wanted := range stated.Dependencies {
			where, isLocal := strings.CutPrefix(wanted.Repository, "file://")
			if !isLocal || wanted.Name == "" || c.brings(prefix, wanted.Name) {
				continue
			}
			target, own := filepath.Join(folder, where), prefix+"charts/"+path.Base(wanted.Name)+"/"
			real, err := filepath.EvalSymlinks(target)
			if err != nil || !within(real, repository(folder)) || !isFile(filepath.Join(real, "Chart.yaml")) || slices.Contains(above, real) {
				continue // it is reported as missing
			}
			w, err := newWalk(target, c.options)
			if err != nil {
				return err
			}
			if err := w.folder("", 0); err != nil {
				return err
			}
			for i, file := range w.files {
				c.located[own+file.Name] = w.read[i]
				c.files = append(c.files, &loader.BufferedFile{Name: own + file.Name, Data: file.Data})
			}
			c.read = append(c.read, w.read...)
			if err := c.addLocal(target, own, append(slices.Clone(above), real)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// brings tells whether a chart, whose files have a prefix, contains a subchart in its folder charts.
func (c *Chart) brings(prefix, name string) bool {
	return slices.ContainsFunc(c.files, func(file *loader.BufferedFile) bool {
		rest, isBelow := strings.CutPrefix(file.Name, prefix+"charts/")
		entry, isChart := strings.CutSuffix(rest, "/Chart.yaml")
		return isBelow && (isChart && !strings.Contains(entry, "/") && nameIn(file.Data) == name ||
			strings.HasPrefix(rest, name+"-") && strings.HasSuffix(rest, ".tgz"))
	})
}

func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+string(filepath.Separator))
}

// Helm applies the contents of crds/ unchanged, so they are judged as plain manifests.
var definitions = regexp.MustCompile(`^(charts/[^/]+/)*crds/`)
