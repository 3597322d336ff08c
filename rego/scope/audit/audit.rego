# METADATA
# title: Gatekeeper's audit
# description: The effect of the constraints on existing probes.
# scope: package
package scope.audit

import data.scope.answers
import data.scope.gatekeeper
import data.scope.probes
import data.scope.reach
import data.scope.steps

# METADATA
# title: The steps of a probe in a namespace
found(namespace, probe) := [steps.step("Audit", "audit.gatekeeper.sh", steps.passed(text))] if {
	pattern := gatekeeper.exclusion(input.configs, "audit", namespace.name)
	text := sprintf("Gatekeeper's Config excludes %s from audit", [pattern])
} else := array.concat(
	[steps.step("Audit", "audit.gatekeeper.sh", doubt) | some doubt in reach.config_doubts],
	[steps.step("Audit", steps.named(source.kind, source.name), _effect(source.audit, messages, entry.assumed)) |
		some entry in namespace.constraints
		source := input.plan.sources[entry.source]
		probes.offend(source.policy)
		messages := answers.about_probe(namespace.name, probe, entry.source, "audit")
	],
)

_effect(actions, messages, assumed) := steps.passed("does not select it") if {
	messages == null
} else := steps.passed("is not enforced by audit") if {
	count(actions) == 0
} else := steps.passed("finds no violation") if {
	messages == []
} else := steps.unknown("audit", "the labels of the namespace are not known, so it may not select it") if {
	assumed
} else := steps.known("audit", "reports it")
