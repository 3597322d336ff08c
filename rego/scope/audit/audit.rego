# METADATA
# title: Gatekeeper's audit
# description: What the constraints say of the probes once they are there.
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
	text := sprintf("Gatekeeper's Config leaves %s out of audit", [pattern])
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
} else := steps.passed("has nothing against it") if {
	messages == []
} else := steps.unknown("audit", "without the labels of the namespace it is not known whether it selects it") if {
	assumed
} else := steps.known("audit", "reports it")
