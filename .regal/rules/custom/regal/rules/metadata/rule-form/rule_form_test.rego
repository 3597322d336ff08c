package custom.regal.rules.metadata["rule-form_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["rule-form"] as rule

test_good_rules if rule.report == set() with input as policies.parsed("good", policies.module)

test_a_rule_that_had_other_ids_and_will_go if {
	fields := "severity: low, aliases: [no-label, l1], deprecated: {since: 0.2.0, because: It is, use: better}"
	rule.report == set() with input as policies.changed("severity: low", fields)
}

test_faults[name] if {
	id := "An id is words in lower case joined by hyphens, such as pull-policy-always"
	severity := "A severity is low, medium, high or critical"
	alias := "An alias is an id that the rule had: words in lower case joined by hyphens"
	since := "A rule is deprecated since a version of pullguard, such as 0.2.0"
	some name, [old, new, description] in {
		"an alias with an underscore": ["severity: low", "severity: low, aliases: [a-b, a_b]", alias],
		"deprecated since a v": ["severity: low", "severity: low, deprecated: {since: v0.2.0, because: x}", since],
		"deprecated since two numbers": ["severity: low", `severity: low, deprecated: {since: "0.2", because: x}`, since],
		"deprecated for two lines": [
			"severity: low", `severity: low, deprecated: {since: 0.2.0, because: "a\nb"}`,
			"What a rule is deprecated for is one line of text",
		],
		"deprecated for itself": [
			"severity: low", "severity: low, deprecated: {since: 0.2.0, because: x, use: label-missing}",
			"A rule to use instead is another one",
		],
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
