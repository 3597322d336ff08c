# METADATA
# title: What the policies have answered
# description: "input.answers are the cases of data.scope.plan, with messages of their policies in place of reviews."
# scope: package
package scope.answers

# METADATA
# title: The messages of a source about a probe in a namespace
# description: null where the source does not match it.
about_probe(namespace, probe, source, point) := object.get(_about_probes, [[namespace, probe, source, point]], null)

# METADATA
# title: The answers about what ExpansionTemplates make of a probe in a namespace
about_expanded(namespace, probe) := [answer |
	some answer in input.answers
	answer.expansion
	[answer.namespace, answer.probe] == [namespace, probe]
]

# METADATA
# title: The answers about what workloads make next
# description: Sets, by namespace; as if no user that a policy trusts had asked.
about_workloads[answer.namespace] contains answer if {
	some answer in input.answers
	answer.workload != null
	not answer.trusted
}

# METADATA
# title: Where workloads can go on if their controllers are users that a policy trusts
# description: Sets of [workload, source], by namespace.
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
