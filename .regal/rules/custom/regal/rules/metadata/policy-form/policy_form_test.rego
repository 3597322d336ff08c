package custom.regal.rules.metadata["policy-form_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["policy-form"] as rule

test_a_good_policy if rule.report == set() with input as policies.parsed("good", policies.module)

test_faults[name] if {
	kind := "A kind is written in CamelCase, such as K8sProtectedPullPolicy"
	version := "A version is a semantic one, such as 1.0.0"
	levels := "A policy offers the levels from the mildest one on: audit, warn, deny"
	some name, [old, new, row, description] in {
		"a title of two lines": [`A title`, `"a\nb"`, 2, "The title is one line of text"],
		"a kind in lower case": ["K8sGood", "k8sGood", 6, kind],
		"a kind that is too long": ["K8sGood", concat("", ["K", sprintf("%063d", [0])]), 6, kind],
		"a version of two numbers": ["1.0.0", `"1.0"`, 7, version],
		"a version with a v": ["1.0.0", "v1.0.0", 7, version],
		"an unknown operation": ["[CREATE]", "[CREATE, PATCH]", 10, "PATCH is not an operation of admission"],
		"levels in another order": ["[audit]", "[warn, audit]", 11, levels],
		"a level left out": ["[audit]", "[audit, deny]", 11, levels],
		"an unknown level": ["[audit]", "[dryrun]", 11, levels],
		"a parameter without description": [
			"#         description: Text.\n", "", 15,
			"The parameter label has no description",
		],
	}
	report := rule.report with input as policies.changed(old, new)
	{[violation.location.row, violation.description] | some violation in report} == {[row, description]}
}
