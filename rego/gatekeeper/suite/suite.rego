# METADATA
# title: The violations of cases of Suites
# description: What data.gatekeeper.plan has planned is run here, beside the template's modules.
# scope: package
package gatekeeper.suite

import rego.v1

import data.gatekeeper.driver

# METADATA
# title: The answer to each case
# description: >-
#   input is {"policy", "parameters", "inventories", "cases"}; each case is {"review", "parameters" and "inventory": its
#   places in those lists, "patterns"}. Reviews, parameters and inventories are JSON texts, in which numbers keep the
#   form that they have. An answer is a list of {"msg", "matches": for each pattern true or false, or null where it is
#   no RE2}.
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
