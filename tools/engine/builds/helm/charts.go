package helm

import (
	"path/filepath"
	"slices"
	"strings"
)

// IsFile tells whether a file name marks its folder as a chart.
func IsFile(name string) bool { return filepath.Base(name) == "Chart.yaml" }

// Folders returns the folders of Chart.yaml files, without those of subcharts in the folder charts of another chart.
func Folders(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, filepath.Dir(name))
	}
	return slices.DeleteFunc(slices.Clone(all), func(folder string) bool {
		return slices.ContainsFunc(all, func(parent string) bool {
			return strings.HasPrefix(folder, filepath.Join(parent, "charts")+string(filepath.Separator))
		})
	})
}
