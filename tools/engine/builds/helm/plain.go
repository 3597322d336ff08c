package helm

import (
	"path"
	"regexp"
	"slices"

	"helm.sh/helm/v3/pkg/chart"
)

// Calls that take long and return something else each time.
var (
	makesCertificate = regexp.MustCompile(`\bgen(?:CA|SelfSignedCert|SignedCert)(?:WithKey)?\b`)
	makesKey         = regexp.MustCompile(`\b(?:genPrivateKey|bcrypt|htpasswd|derivePassword|encryptAES)\b`)
)

// A template that defines parts for others.
var defines = regexp.MustCompile(`\{\{-?\s*(?:define|block)\b`)

// plainChart returns a chart that is rendered repeatedly, to find the values that decide something in some documents. Its other
// templates are empty. Instead of keys, certificates and hashes, which no value decides, it renders fixed texts.
func plainChart(own *chart.Chart, full string, documents map[string]bool) *chart.Chart {
	out := *own
	out.Templates = slices.Clone(own.Templates)
	for i, template := range out.Templates {
		var text []byte
		if documents[path.Join(full, template.Name)] || defines.Match(template.Data) {
			// Both calls accept any arguments.
			text = makesCertificate.ReplaceAll(template.Data, []byte(`dict "Cert" "certificate" "Key" "key"`))
			text = makesKey.ReplaceAll(text, []byte(`print "key"`))
		}
		out.Templates[i] = &chart.File{Name: template.Name, Data: text}
	}
	var subcharts []*chart.Chart
	for _, sub := range own.Dependencies() {
		subcharts = append(subcharts, plainChart(sub, full+"/charts/"+sub.Name(), documents))
	}
	out.SetDependencies(subcharts...)
	return &out
}
