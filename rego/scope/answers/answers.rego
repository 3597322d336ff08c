# METADATA
# title: What the policy has answered
# description: "input.answers are the cases of data.scope.plan, with the policy's messages in place of reviews."
# scope: package
package scope.answers

# METADATA
# title: The messages of a source about a probe in a namespace
# description: null where the source does not match it.
about_probe(namespace, probe, source, point) := object.get(_about_probes, [[namespace, probe, source, point]], null)

# METADATA
# title: The answers about what workloads make next
# description: Sets, by namespace.
about_workloads[answer.namespace] contains answer if {
	some answer in input.answers
	answer.workload != null
}

_about_probes[key] := answer.messages if {
	some answer in input.answers
	answer.probe != null
	key := [answer.namespace, answer.probe, answer.source, answer.point]
}
