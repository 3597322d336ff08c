package custom.regal.rules.metadata["shared-parameters_test"]

import data.custom.policies_test as policies
import data.custom.regal.rules.metadata["shared-parameters"] as rule

_found(modules) := {[violation.location.file, violation.location.row, violation.description] |
	collected := [entry |
		some module in modules
		some entry in rule.aggregate with input as module
	]
	some violation in rule.aggregate_report with input as {"aggregate": collected}
}

_other(text) := policies.parsed("other", replace(text, "policies.good", "policies.other"))

_good := policies.parsed("good", policies.module)

_lib(custom) := regal.parse_module("rego/lib/names/names.rego", concat("\n", [
	"# METADATA", "# title: Names", custom, "package lib.names", "", "a := 1", "",
]))

_parameters := "# custom: {parameters: {type: object}}"

test_parameters_of_their_own if {
	_found([_good, _other(replace(policies.module, "label:", "team:"))]) == set()
}

test_a_parameter_of_two_policies if {
	description := "Other policies have the parameter label, too: state it in a lib, and include that"
	_found([_good, _other(policies.module)]) == {
		["rego/policies/good/good.rego", 15, description],
		["rego/policies/other/other.rego", 15, description],
	}
}

test_what_a_lib_offers_is_included if {
	_found([_good, _lib("# description: No more.")]) == set()
	_found([policies.changed("#   kind:", "#   include: lib.names\n#   kind:"), _lib(_parameters)]) == set()
	_found([_good, _lib(_parameters)]) == {[
		"rego/policies/good/good.rego", 20,
		"lib.names has METADATA for the policies that import it: write `include: lib.names`",
	]}
}

test_only_policies_include if {
	lib := regal.parse_module("rego/lib/more/more.rego", "package lib.more\n\nimport data.lib.names\n\nb := names.a\n")
	_found([lib, _lib(_parameters)]) == set()
}
