# METADATA
# title: Gatekeeper's webhook
# description: The effect of the constraints on the probes in namespaces about which Gatekeeper is asked.
# scope: package
package scope.webhook

import data.scope.answers
import data.scope.probes
import data.scope.reach
import data.scope.steps

# METADATA
# title: The steps of a probe in a namespace
found(namespace, probe) := [_step("validation.gatekeeper.sh", steps.passed(barrier))] if {
	barrier := reach.barrier("validation", probes.request(namespace, probe))
} else := _perhaps_asked(namespace, probe, reach.doubts("validation", probes.request(namespace, probe)))

_step(by, effect) := steps.step("ValidatingWebhookConfiguration", by, effect)

_perhaps_asked(namespace, probe, doubts) := array.flatten([
	[_step("validation.gatekeeper.sh", doubt) | some doubt in doubts],
	[_step(steps.named(source.kind, source.name), effect) |
		some entry in namespace.constraints
		source := input.plan.sources[entry.source]
		probes.offend(source.policy)
		messages := answers.about_probe(namespace.name, probe, entry.source, "admission")
		some effect in _effects(source.admission, messages, {"assumed": entry.assumed, "asked": count(doubts) == 0})
	],
	[_step(steps.named("ExpansionTemplate", answer.expansion.name), effect) |
		some answer in answers.about_expanded(namespace.name, probe)
		some entry in namespace.constraints
		entry.source == answer.source
		messages := [sprintf("[Implied by %s] %s", [answer.expansion.name, message]) | some message in answer.messages]
		actions := _implied_actions(answer.expansion.action, input.plan.sources[answer.source].admission)
		some effect in _effects(actions, messages, {"assumed": entry.assumed, "asked": count(doubts) == 0})
	],
])

# The action of an ExpansionTemplate replaces that of a constraint, if the constraint is enforced here.
_implied_actions(action, actions) := actions if {
	action == ""
} else := [action | count(actions) > 0]

_effects(actions, messages, known) := [steps.passed("does not select it")] if {
	messages == null
} else := [steps.passed("is not enforced by the webhook")] if {
	count(actions) == 0
} else := [steps.passed("finds no violation")] if {
	messages == []
} else := [_effect(action, messages[0], known) | some action in actions]

_effect(action, message, known) := steps.passed(sprintf("its action is %s", [action])) if {
	not action in {"deny", "warn"}
} else := steps.unknown(action, "the labels of the namespace are not known, so it may not select it") if {
	known.assumed
} else := steps.unknown(action, sprintf("its action is %s if the webhook is asked", [action])) if {
	not known.asked
} else := steps.known(action, message)
