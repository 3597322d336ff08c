# METADATA
# title: Validation by the API server itself
# description: The effect of ValidatingAdmissionPolicies on the probes.
# scope: package
package scope.validation

import data.scope.answers
import data.scope.policies
import data.scope.probes
import data.scope.steps

# METADATA
# title: The steps of a probe in a namespace
found(namespace, probe) := array.concat(
	steps.unread(_stage, ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"], "deny"),
	[steps.step(_stage, policy.metadata.name, effect) |
		some policy in input.validatingPolicies
		messages := _messages(policy, namespace.name, probe)
		some effect in _effects(policy, messages, probes.request(namespace, probe))
	],
)

_stage := "ValidatingAdmissionPolicy"

_messages(policy, namespace, probe) := [message |
	some index, source in input.plan.sources
	[source.kind, source.name] == [policy.kind, policy.metadata.name]
	some message in answers.about_probe(namespace, probe, index, "admission")
]

_effects(policy, messages, request) := _own_effects(policy, messages, request) if {
	probes.offend(policies.written_for(policy))
} else := [policies.foreign] if {
	not policies.written_for(policy)
	policies.applied(policy, input.validatingBindings, request).verdict != "mismatch"
} else := []

_own_effects(policy, messages, request) := [steps.passed(sprintf("does not judge it (%s)", [applied.by]))] if {
	applied := policies.applied(policy, input.validatingBindings, request)
	applied.verdict == "mismatch"
} else := [steps.passed("finds no violation")] if {
	count(messages) == 0
} else := [effect |
	some binding in input.validatingBindings
	applied := policies.applied(policy, [binding], request)
	applied.verdict != "mismatch"
	some action in binding.spec.validationActions
	effect := _effect(applied, lower(action), messages[0])
]

_effect(applied, action, message) := steps.known(action, message) if {
	applied.verdict == "match"
} else := steps.unknown(action, sprintf("it cannot be decided here whether it judges it (%s)", [applied.by]))
