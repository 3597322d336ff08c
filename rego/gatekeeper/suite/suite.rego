# METADATA
# title: The violations of the cases of Suites
# description: Evaluates what data.gatekeeper.plan has planned, together with the modules of the template.
# scope: package
package gatekeeper.suite

import rego.v1

import data.gatekeeper.driver

# METADATA
# title: The answer to each case
# description: >-
#   input is {"policy", "parameters", "inventories", "cases"}. A case is {"review", "parameters", "inventory",
#   "patterns"}, in which "parameters" and "inventory" are indices in those lists. Reviews, parameters and inventories
#   are JSON texts, so that numbers keep their notation. An answer is a list of {"msg", "matches"}: for each pattern
#   true or false, or null if the pattern is not valid RE2.
# entrypoint: true
answers := [answer |
	some case in input.cases
	review := json.unmarshal(case.review)
	parameters := _parameters[case.parameters]
	inventory := _inventories[case.inventory]
	answer := [{"msg": violation.msg, "matches": matches} |
		some violation in driver.violations(input.policy, parameters, review, inventory)
		matches := [_matches(pattern, violation.msg) | some pattern in case.patterns]
	]
]

_parameters := [json.unmarshal(text) | some text in input.parameters]

_inventories := [json.unmarshal(text) | some text in input.inventories]

_matches(pattern, text) := regex.match(pattern, text) if {
	regex.is_valid(pattern)
} else := null
