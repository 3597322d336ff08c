package helm

import (
	"regexp"
	"slices"

	"helm.sh/helm/v3/pkg/chart"
)

// What takes long, and gives something else each time.
var (
	makesCertificate = regexp.MustCompile(`\bgen(?:CA|SelfSignedCert|SignedCert)(?:WithKey)?\b`)
	makesKey         = regexp.MustCompile(`\b(?:genPrivateKey|bcrypt|htpasswd|derivePassword|encryptAES)\b`)
)

// withoutKeys returns a chart whose templates make no keys, certificates and hashes, but what looks like them: they are rendered
// over and over again to find out which values decide, and none of these does.
func withoutKeys(own *chart.Chart) *chart.Chart {
	out := *own
	out.Templates = slices.Clone(own.Templates)
	for i, template := range out.Templates {
		// Both take any arguments.
		text := makesCertificate.ReplaceAll(template.Data, []byte(`dict "Cert" "certificate" "Key" "key"`))
		text = makesKey.ReplaceAll(text, []byte(`print "key"`))
		out.Templates[i] = &chart.File{Name: template.Name, Data: text}
	}
	var subcharts []*chart.Chart
	for _, sub := range own.Dependencies() {
		subcharts = append(subcharts, withoutKeys(sub))
	}
	out.SetDependencies(subcharts...)
	return &out
}
