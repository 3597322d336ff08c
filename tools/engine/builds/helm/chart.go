// Package helm renders charts with Helm's own library, as `helm template` does, and finds the values that decide the output.
//
// It uses Helm 3, for which charts are written. Helm 4 merges values differently if a default is null. Templates can access
// neither a cluster (`lookup` finds nothing) nor a network.
package helm

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"

	"pullguard.invalid/tools/engine/builds"
)

// KubeVersion is the version of Kubernetes that charts are rendered for by default: that of the Kubernetes libraries in
// go.mod.
const KubeVersion = "v1.37.0"

// Options are those of `helm template`.
type Options struct {
	Values      []string `json:"values,omitempty"` // paths of files
	Set         []string `json:"set,omitempty"`
	KubeVersion string   `json:"kubeVersion,omitempty"`
	APIVersions []string `json:"apiVersions,omitempty"`
	ReleaseName string   `json:"releaseName,omitempty"`
	Namespace   string   `json:"namespace,omitempty"`
	// The file that the values of Set are said to stand in; "": they stand in no file.
	SettingsFile string `json:"settingsFile,omitempty"`
	// Texts to read instead of files, by path.
	Texts map[string]string `json:"-"`
}

// A Chart is a rendered chart.
type Chart struct {
	path    string // absolute: a folder or an archive
	options Options
	files   []*loader.BufferedFile
	read    []string          // the paths of the files
	located map[string]string // the paths of files from other charts, by their names
	chart   *chart.Chart
	// The user's values: one text per file, and the values of --set; all are merged in `given`.
	valuesFiles []valuesFile
	given       map[string]any
	set         map[string]any    // the values of --set alone
	folders     map[string]string // the folders of charts, by their full names in Helm
	omitted     []builds.Omission
	ciValues    string
	texts       map[string]string // the rendered texts by template
	order       []string
}

type valuesFile struct {
	path string
	text []byte
}

// Open renders a chart: a folder with a Chart.yaml, or an archive of one.
func Open(name string, options Options) (*Chart, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	c := &Chart{path: absolute, options: options}
	if err := c.load(); err != nil {
		return nil, err
	}
	if err := c.prepare(""); err != nil {
		return nil, err
	}
	if strings.EqualFold(c.chart.Metadata.Type, "library") {
		return c, nil // a library chart has no templates of its own
	}
	err = c.render()
	if err == nil || len(options.Values)+len(options.Set) > 0 {
		return c, err
	}
	// Many charts that need values have some for their own tests.
	for _, file := range c.files {
		if matched, _ := path.Match("ci/*-values.yaml", file.Name); matched {
			other := &Chart{path: absolute, options: options, files: c.files, read: c.read, located: c.located}
			if other.prepare(filepath.Join(absolute, file.Name)) == nil && other.render() == nil {
				return other, nil
			}
		}
	}
	if wantsValues.MatchString(err.Error()) {
		return nil, fmt.Errorf("%w; state values with --values", err)
	}
	return nil, err
}

// The namespace of a release whose namespace is not known. It is removed from the output.
const unknownNamespace = "release-namespace"

var statedUnknown = regexp.MustCompile(`(?m)(\bnamespace:[ \t]+)["']?` + unknownNamespace + `["']?([ \t]*(?:[,}#].*)?$)`)

// Helm's errors about missing values.
var wantsValues = regexp.MustCompile(`^execution error|nil pointer|schema|wrong type`)

// Made returns the output.
func (c *Chart) Made() *builds.Made {
	made := &builds.Made{Texts: []builds.Text{}, Omitted: c.omitted, Files: c.read, Values: c.ciValues, Chart: c.chart.Name()}
	for _, name := range c.order {
		made.Texts = append(made.Texts, builds.Text{Source: c.file(name), Text: c.texts[name]})
	}
	return made
}

// prepare merges the values and selects the enabled subcharts.
func (c *Chart) prepare(ciValues string) error {
	var err error
	if c.chart, err = loader.LoadFiles(slices.Clone(c.files)); err != nil {
		return fmt.Errorf("the chart cannot be loaded: %w", err)
	}
	paths := c.options.Values
	if ciValues != "" {
		paths = append(slices.Clone(paths), ciValues)
		c.ciValues = ciValues
	}
	c.given, c.set = map[string]any{}, map[string]any{}
	for _, name := range paths {
		text, err := c.options.textOf(name)
		if err != nil {
			return fmt.Errorf("the values cannot be read: %w", err)
		}
		values, err := chartutil.ReadValues(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.given = merged(c.given, values)
		c.valuesFiles = append(c.valuesFiles, valuesFile{name, text})
	}
	for _, set := range c.options.Set {
		if err := strvals.ParseInto(set, c.given); err != nil {
			return fmt.Errorf("--set %s: %w", set, err)
		}
		if err := strvals.ParseInto(set, c.set); err != nil {
			return fmt.Errorf("--set %s: %w", set, err)
		}
	}
	c.folders = map[string]string{}
	c.index(c.chart, c.chart.Name(), "")
	if err := chartutil.ProcessDependenciesWithMerge(c.chart, c.given); err != nil {
		return fmt.Errorf("its dependencies: %w", err)
	}
	c.omitted = missing(c.chart, "")
	return nil
}

// merged returns values with those of another file merged over them.
func merged(below, above map[string]any) map[string]any {
	out := maps.Clone(below)
	for key, value := range above {
		if own, ok := value.(map[string]any); ok {
			if other, ok := out[key].(map[string]any); ok {
				out[key] = merged(other, own)
				continue
			}
		}
		out[key] = value
	}
	return out
}

// missing returns the subcharts that a chart uses but does not contain.
func missing(c *chart.Chart, prefix string) []builds.Omission {
	var found []builds.Omission
	for _, wanted := range c.Metadata.Dependencies {
		if wanted == nil || slices.ContainsFunc(c.Dependencies(), func(own *chart.Chart) bool { return own.Name() == wanted.Name }) {
			continue
		}
		found = append(found, builds.Omission{
			Name: prefix + wanted.Name, Why: "the subchart is not in charts/: `helm dependency build` fetches it",
		})
	}
	for _, own := range c.Dependencies() {
		found = append(found, missing(own, prefix+own.Name()+".")...)
	}
	return found
}

// index records the folders of a chart and its subcharts, below the chart's own folder, by their names in Helm.
func (c *Chart) index(own *chart.Chart, full, folder string) {
	c.folders[full] = folder
	for _, file := range c.files {
		rest, below := strings.CutPrefix(file.Name, path.Join(folder, "charts")+"/")
		entry, isChart := strings.CutSuffix(rest, "/Chart.yaml")
		isArchive := strings.HasSuffix(rest, ".tgz")
		if isArchive {
			entry = rest
		}
		if !below || !isChart && !isArchive || strings.Contains(entry, "/") {
			continue
		}
		for _, sub := range own.Dependencies() {
			// The file name of an archive consists of the chart's name and version.
			if isArchive && entry != sub.Name()+"-"+sub.Metadata.Version+".tgz" {
				continue
			}
			if isChart && nameIn(file.Data) != sub.Name() {
				continue
			}
			names := []string{sub.Name()}
			for _, dependency := range own.Metadata.Dependencies {
				if dependency != nil && dependency.Name == sub.Name() && dependency.Alias != "" {
					names = append(names, dependency.Alias)
				}
			}
			for _, name := range names {
				c.index(sub, full+"/charts/"+name, path.Join(folder, "charts", entry))
			}
		}
	}
}

func nameIn(text []byte) string {
	values, err := chartutil.ReadValues(text)
	if err != nil {
		return ""
	}
	name, _ := values["name"].(string)
	return name
}

// file returns the path of a template; for a template in an archive, the path of the archive.
func (c *Chart) file(name string) string {
	longest := ""
	for full := range c.folders {
		if strings.HasPrefix(name, full+"/") && len(full) > len(longest) {
			longest = full
		}
	}
	if longest == "" {
		return c.path
	}
	return c.in(c.folders[longest], strings.TrimPrefix(name, longest+"/"))
}

// in returns the path of a file in a folder below the chart's.
func (c *Chart) in(folder, name string) string {
	if isArchive(c.path) {
		return c.path
	}
	if other, isLocated := c.located[path.Join(folder, name)]; isLocated {
		return other
	}
	// A file in an archive has the path of the archive.
	if archive := strings.Index(folder+"/", ".tgz/"); archive >= 0 {
		return filepath.Join(c.path, folder[:archive+len(".tgz")])
	}
	return filepath.Join(c.path, folder, name)
}

func isArchive(name string) bool { return strings.HasSuffix(name, ".tgz") }

// render renders the chart with its values.
func (c *Chart) render() error {
	texts, err := c.rendered(c.chart, c.given, true)
	if err != nil {
		return err
	}
	c.texts = texts
	c.order = slices.Sorted(maps.Keys(texts))
	return nil
}

// rendered returns the output of a chart's templates for some values, by template.
func (c *Chart) rendered(own *chart.Chart, given map[string]any, checked bool) (map[string]string, error) {
	capabilities, err := c.capabilities()
	if err != nil {
		return nil, err
	}
	if wanted := own.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.Version) {
		return nil, fmt.Errorf("the chart is for Kubernetes %s, not for %s: state another with --kube-version",
			wanted, capabilities.KubeVersion.Version)
	}
	release := chartutil.ReleaseOptions{Name: "release-name", Namespace: unknownNamespace, Revision: 1, IsInstall: true}
	if c.options.ReleaseName != "" {
		release.Name = c.options.ReleaseName
	}
	if c.options.Namespace != "" {
		release.Namespace = c.options.Namespace
	}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(own, given, release, capabilities, true)
	if err == nil && checked {
		err = c.checkSchemas(own, values["Values"])
	}
	if err != nil {
		return nil, err
	}
	texts, err := engine.Engine{}.Render(own, values)
	if err != nil {
		return nil, err
	}
	for name, text := range texts {
		if c.options.Namespace == "" {
			text = statedUnknown.ReplaceAllString(text, `$1""$2`)
		}
		if texts[name] = manifests(text); strings.HasSuffix(name, "NOTES.txt") || texts[name] == "" {
			delete(texts, name)
		}
	}
	return texts, nil
}

// separator is Helm's separator of manifests, which accepts more than YAML does.
var separator = regexp.MustCompile(`(?:^|\s*\n)---\s*`)

// manifests returns the parts of a text that Helm treats as manifests, with a separator between them.
func manifests(text string) string {
	var out strings.Builder
	for _, own := range separator.Split(strings.TrimSpace(text), -1) {
		if own = strings.TrimSpace(own); own == "" || hasUnknownHook(own) {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		out.WriteString(own)
		out.WriteByte('\n')
	}
	return out.String()
}

// The valid hooks. Helm drops manifests with any other hook.
var hooks = []string{
	"pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback",
	"test", "test-success",
}

func hasUnknownHook(text string) bool {
	if !strings.Contains(text, release.HookAnnotation) {
		return false
	}
	var head releaseutil.SimpleHead
	if yaml.Unmarshal([]byte(text), &head) != nil || head.Metadata == nil {
		return false
	}
	stated, isHook := head.Metadata.Annotations[release.HookAnnotation]
	return isHook && slices.ContainsFunc(strings.Split(stated, ","), func(hook string) bool {
		return !slices.Contains(hooks, strings.ToLower(strings.TrimSpace(hook)))
	})
}

func (c *Chart) capabilities() (*chartutil.Capabilities, error) {
	stated := c.options.KubeVersion
	if stated == "" {
		stated = KubeVersion
	}
	version, err := chartutil.ParseKubeVersion(stated)
	if err != nil {
		return nil, fmt.Errorf("--kube-version %s: %w", stated, err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), c.options.APIVersions...)
	return capabilities, nil
}

// load reads the files of the chart.
func (c *Chart) load() error {
	if isArchive(c.path) {
		stream, err := os.Open(c.path)
		if err != nil {
			return err
		}
		defer stream.Close()
		c.read = []string{c.path}
		if c.files, err = loader.LoadArchiveFiles(stream); err != nil {
			return fmt.Errorf("the archive cannot be read: %w", err)
		}
		return nil
	}
	w, err := newWalk(c.path, c.options)
	if err != nil {
		return err
	}
	if err := w.folder("", 0); err != nil {
		return err
	}
	c.files, c.located = w.files, map[string]string{}
	for i, file := range w.files {
		if !definitions.MatchString(file.Name) {
			c.read = append(c.read, w.read[i])
		}
	}
	return c.addLocal(c.path, "")
}

// textOf returns the text of a file.
func (o Options) textOf(name string) ([]byte, error) {
	if text, ok := o.Texts[name]; ok {
		return []byte(text), nil
	}
	return os.ReadFile(name)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, byteOrderMark) }
