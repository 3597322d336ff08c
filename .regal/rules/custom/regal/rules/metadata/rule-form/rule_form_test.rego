package custom.regal.rules.metadata["rule-form_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["rule-form"] as rule

test_good_rules if rule.report == set() with input as policies.parsed("good", policies.module)

test_faults[name] if {
	id := "An id is words in lower case joined by hyphens, such as pull-policy-always"
	severity := "A severity is low, medium, high or critical"
	some name, [old, new, description] in {
		"an id with a capital": ["label-missing", "PG001", id],
		"an id with an underscore": ["label-missing", "label_missing", id],
		"no id": ["id: label-missing, ", "", id],
		"an unknown severity": ["severity: low", "severity: lowest", severity],
		"no severity": ["severity: low, ", "", severity],
		"a title of two lines": ["title: It is missing", `title: "a\nb"`, "The title of a rule is one line of text"],
		"a reason in upper case": ["missing: {", "MISSING: {", "A reason is a word in lower case"],
	}
	report := rule.report with input as policies.changed(old, new)
	{[violation.location.row, violation.description] | some violation in report} == {[9, description]}
}
