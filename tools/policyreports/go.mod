// Pins where the tests get the CustomResourceDefinitions of PolicyReports from.
module pullguard.invalid/tools/policyreports

go 1.26.0

require github.com/kyverno/kyverno v1.13.4
