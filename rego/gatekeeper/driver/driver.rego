# METADATA
# title: Gatekeeper's Rego driver
# description: Evaluates the policy of one template.
# scope: package
package gatekeeper.driver

import rego.v1

# METADATA
# title: The violations of a policy by a review
# description: >-
#   A set of {"msg", "details"}. policy is the key below data.policies; inventory replaces data.inventory.
violations(policy, parameters, review, inventory) := {response |
	some violation

	# Like Gatekeeper, allow `violation` to be an object, whose keys are the violations.
	# regal ignore:external-reference,prefer-some-in-iteration,with-outside-test-context
	data.policies[policy].violation[violation] with input as {"review": review, "parameters": parameters}
		# regal ignore:external-reference,unresolved-reference,with-outside-test-context
with 		data.inventory as inventory
	response := {"msg": violation.msg, "details": object.get(violation, "details", {})}
}
