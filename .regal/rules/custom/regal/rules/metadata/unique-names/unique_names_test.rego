package custom.regal.rules.metadata["unique-names_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["unique-names"] as rule

_found(modules) := {[violation.location.file, violation.location.row, violation.description] |
	collected := [entry |
		some module in modules
		some entry in rule.aggregate with input as module
	]
	some violation in rule.aggregate_report with input as {"aggregate": collected}
}

_other(text) := policies.parsed("other", replace(text, "policies.good", "policies.other"))

_good := policies.parsed("good", policies.module)

test_names_of_their_own if {
	text := replace(replace(policies.module, "K8sGood", "K8sOther"), "label-missing", "other-missing")
	_found([_good, _other(text)]) == set()
}

test_the_same_kind_in_whatever_case if {
	text := replace(replace(policies.module, "K8sGood", "K8SGood"), "label-missing", "other-missing")
	_found([_good, _other(text)]) == {[
		"rego/policies/other/other.rego", 6,
		"K8SGood is used by rego/policies/good/good.rego already",
	]}
}

test_the_same_rule_id if {
	_found([_good, _other(replace(policies.module, "K8sGood", "K8sOther"))]) == {[
		"rego/policies/other/other.rego", 9,
		"label-missing is used by rego/policies/good/good.rego already",
	]}
}

test_an_alias_of_a_rule_elsewhere if {
	aliased := "id: other-missing, aliases: [label-missing]"
	text := replace(replace(policies.module, "K8sGood", "K8sOther"), "id: label-missing", aliased)
	_found([_good, _other(text)]) == {[
		"rego/policies/other/other.rego", 9,
		"label-missing is used by rego/policies/good/good.rego already",
	]}
}

test_a_former_name_of_a_policy_elsewhere if {
	text := replace(replace(policies.module, "K8sGood", "K8sOther"), "id: label-missing", "id: other-missing")
	_found([_good, _other(replace(text, "#   version:", "#   aliases: [good]\n#   version:"))]) == {[
		"rego/policies/other/other.rego", 7,
		"good is used by rego/policies/good/good.rego already",
	]}
}

test_a_rule_id_twice_in_one_policy if {
	again := "missing: {id: label-missing, severity: low, title: x}\n#     again: {"
	_found([policies.changed("missing: {", again)]) == {[
		"rego/policies/good/good.rego", 10,
		"label-missing is used by rego/policies/good/good.rego already",
	]}
}
