# METADATA
# title: The answers of the policies
# description: "input.answers are the cases of data.scope.plan, with their policies' messages in place of reviews."
# scope: package
package scope.answers

# METADATA
# title: The messages of a source about a probe in a namespace
# description: null if the source does not match the probe.
about_probe(namespace, probe, source, point) := object.get(_about_probes, [[namespace, probe, source, point]], null)

# METADATA
# title: The answers about the pods that ExpansionTemplates make of a probe in a namespace
about_expanded(namespace, probe) := [answer |
	some answer in input.answers
	answer.expansion
	[answer.namespace, answer.probe] == [namespace, probe]
]

# METADATA
# title: The answers about the next objects of workloads
# description: Sets by namespace, for users that no policy trusts.
about_workloads[answer.namespace] contains answer if {
	some answer in input.answers
	answer.workload != null
	not answer.trusted
}

# METADATA
# title: Workloads that can create their next objects if their controllers are users that a policy trusts
# description: Sets of [workload, source] by namespace.
let_in_if_trusted[answer.namespace] contains [answer.workload, answer.source] if {
	some answer in input.answers
	answer.trusted
	count(answer.messages) == 0
}

_about_probes[key] := answer.messages if {
	some answer in input.answers
	answer.probe != null
	not answer.expansion
	key := [answer.namespace, answer.probe, answer.source, answer.point]
}
