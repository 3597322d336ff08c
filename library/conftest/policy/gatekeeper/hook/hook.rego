# METADATA
# title: Gatekeeper's evaluation of one constraint
# scope: package
package gatekeeper.hook

import rego.v1

import data.gatekeeper.driver
import data.gatekeeper.match

# METADATA
# title: The violations of a constraint by a request
# description: >-
#   A set of {"key": {kind, name}, "msg", "details"}. policy is the key below data.policies; request is one of
#   data.gatekeeper.match that also has the review; inventory replaces data.inventory. If Gatekeeper cannot decide
#   whether the constraint matches, that is one violation.
responses(policy, constraint, request, inventory) := _responses(
	match.outcome(object.get(constraint, ["spec", "match"], {}), request),
	policy,
	constraint,
	request.review,
	inventory,
)

# METADATA
# title: The violations of a constraint by a request that matches it
# description: Like responses, but does not evaluate the match.
violations(policy, constraint, request, inventory) := _responses(
	{"matches": true},
	policy,
	constraint,
	request.review,
	inventory,
)

# METADATA
# title: The message of the violation for a match that fails
autorejection(reason) := sprintf("unable to match constraints: %s", [reason])

# METADATA
# title: The value of input.parameters for a policy
parameters(constraint) := stated if {
	stated := object.get(constraint, ["spec", "parameters"], null)
	stated != null
} else := {}

_responses({"matches": false}, _, _, _, _) := set()

_responses({"error": reason}, _, constraint, _, _) := {{
	"key": _key(constraint),
	"msg": autorejection(reason),
	"details": {},
}}

_responses({"matches": true}, policy, constraint, review, inventory) := {response |
	some violation in driver.violations(policy, parameters(constraint), review, inventory)
	response := {"key": _key(constraint), "msg": violation.msg, "details": violation.details}
}

_key(constraint) := {"kind": constraint.kind, "name": constraint.metadata.name}
