# METADATA
# title: The policy's answers to the cases of a plan
# description: Loaded together with the modules of a template, in its version of Rego, without the rest of scope.
# scope: package
package scope.judge

import rego.v1

import data.gatekeeper.driver

# METADATA
# title: The messages of the policy for each case
# description: |
#   input is {policy (key below data.policies), parameters (of each source of a plan), cases: [{source, review}],
#   inventory (replaces data.inventory)}.
# entrypoint: true
messages := [found |
	some case in input.cases
	found := {violation.msg |
		some violation in driver.violations(input.policy, input.parameters[case.source], case.review, input.inventory)
	}
]
