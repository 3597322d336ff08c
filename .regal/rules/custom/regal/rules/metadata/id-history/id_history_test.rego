package custom.regal.rules.metadata["id-history_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["id-history"] as rule

_known := {"rule": "good.missing", "since": "0.1.0"}

_module(fields) := policies.parsed("good", replace(
	policies.module, "{id: label-missing,",
	sprintf("{id: label-missing, %s", [fields]),
))

_faults(module, history) := {[violation.location.row, violation.description] |
	some violation in rule.report with input as module with data.custom.ids.history as history
}

test_ids_that_the_history_knows if {
	_faults(_module("aliases: [no-label],"), {"label-missing": _known, "no-label": _known}) == set()
}

test_ids_in_their_order if {
	_faults(_module("aliases: [old-label, no-label],"), {
		"label-missing": object.union(_known, {"since": "0.10.0"}),
		"no-label": object.union(_known, {"since": "0.9.0"}),
		"old-label": _known,
	}) == set()
}

test_a_policy_that_has_another_name_now if {
	module := policies.changed("kind: K8sGood", "kind: K8sGood\n#   aliases: [fine]")
	_faults(module, {"label-missing": {"rule": "fine.missing", "since": "0.1.0"}}) == set()
}

test_faults[name] if {
	some name, [fields, history, description] in {
		"an unknown id": [
			"", {},
			"label-missing is not in the history: add it to .regal/rules/custom/ids/ids.rego",
		],
		"an unknown alias": [
			"aliases: [no-label],", {"label-missing": _known},
			"no-label is not in the history: add it to .regal/rules/custom/ids/ids.rego",
		],
		"the id of another reason": [
			"", {"label-missing": object.union(_known, {"rule": "good.empty"})},
			"label-missing is the id of good.empty for good",
		],
		"the id of another policy": [
			"", {"label-missing": object.union(_known, {"rule": "better.missing"})},
			"label-missing is the id of better.missing for good",
		],
		"an alias that is the id of another policy": [
			"aliases: [no-label],", {"label-missing": _known, "no-label": object.union(_known, {"rule": "better.missing"})},
			"no-label is the id of better.missing for good",
		],
		"aliases in another order": [
			"aliases: [no-label, old-label],",
			{
				"label-missing": object.union(_known, {"since": "0.3.0"}),
				"no-label": object.union(_known, {"since": "0.2.0"}),
				"old-label": _known,
			},
			"Aliases stand in the order in which the rule had them: findings are recognised by the first",
		],
		"an id that is retired": [
			"", {"label-missing": object.union(_known, {"retired": "0.3.0"})},
			"label-missing is retired since 0.3.0: no rule ever has it again",
		],
	}
	_faults(_module(fields), history) == {[9, description]}
}

_history := regal.parse_module(".regal/rules/custom/ids/ids.rego", concat("\n", [
	"package custom.ids",
	"",
	"history := {",
	"\t\"label-missing\": {\"rule\": \"good.missing\", \"since\": \"0.1.0\"},",
	"\t\"no-label\": {\"rule\": \"good.missing\", \"since\": \"0.1.0\"},",
	"\t\"old-label\": {\"rule\": \"good.old\", \"since\": \"0.1.0\", \"retired\": \"0.3.0\"},",
	"}",
]))

_kept := {
	"label-missing": _known,
	"no-label": _known,
	"old-label": {"rule": "good.old", "since": "0.1.0", "retired": "0.3.0"},
}

_found(modules) := {[violation.location.file, violation.location.row, violation.description] |
	collected := [entry |
		some module in modules
		some entry in rule.aggregate with input as module
	]
	some violation in rule.aggregate_report with input as {"aggregate": collected}
		with data.custom.ids.history as _kept
}

test_every_id_is_kept if _found([_module("aliases: [no-label],"), _history]) == set()

test_an_id_that_is_gone if {
	_found([_module(""), _history]) == {[
		".regal/rules/custom/ids/ids.rego", 5,
		"No rule has or had no-label any more: make it an alias of its rule, or retire it here",
	]}
}

test_gone_is_found_with_the_history_only if _found([_module("")]) == set()

test_a_rule_to_use_instead if {
	fields := "aliases: [no-label], deprecated: {since: 0.2.0, because: x, use: label-missing},"
	_found([_module(fields), _history]) == set()
}

test_a_rule_to_use_instead_that_is_none[use] if {
	some use in ["label-gone", "no-label"]
	fields := sprintf("aliases: [no-label], deprecated: {since: 0.2.0, because: x, use: %s},", [use])
	_found([_module(fields)]) == {[
		"rego/policies/good/good.rego", 9,
		sprintf("%s, which is to be used instead, is no rule", [use]),
	]}
}

test_others_have_no_ids if _found([regal.parse_module("rego/lib/a/a.rego", "package lib.a\n\nb := 1\n")]) == set()
