# METADATA
# title: Whether deny is safe
# description: Whether workloads could still replace their pods if all constraints and admission policies denied.
# scope: package
package scope.safety

import data.scope.answers
import data.scope.mutation
import data.scope.policies
import data.scope.probes
import data.scope.reach

# METADATA
# title: What deny would do in a namespace
# description: |
#   {state, reason, blocked, unjudged}: `state` is "safe", "unsafe" or "unknown"; `blocked` are the workloads that could
#   not replace their pods, `unjudged` those of which that is not known.
of_deny(namespace) := {
	"state": state,
	"reason": reason,
	"blocked": blocked,
	"unjudged": unjudged,
} if {
	blocked := _blocked(namespace)
	unjudged := [{"kind": workload.kind, "name": workload.name} |
		some workload in input.plan.unjudged
		workload.namespace == namespace.name
	]
	[state, reason] := _safety(namespace, blocked, unjudged)
}

_safety(namespace, blocked, unjudged) := ["unsafe", text] if {
	working := [workload | some workload in blocked; not workload.idle; workload.certain]
	count(working) > 0
	text := sprintf("%d could no longer replace their pods", [count(working)])
} else := ["unknown", sprintf("could not be read: %s", [concat(", ", _unread_kinds)])] if {
	count(_unread_kinds) > 0
} else := ["unknown", "a workload has no template that can be judged"] if {
	count(unjudged) > 0
} else := ["unknown", "it cannot be decided here whether these could still replace their pods"] if {
	some workload in blocked
	not workload.idle
} else := _where_nothing_is_blocked(namespace)

_where_nothing_is_blocked(namespace) := ["unknown", "the snapshot holds no workload of the namespace"] if {
	not answers.about_workloads[namespace.name]
} else := ["safe", sprintf("deny does not reach it: %s", [barrier])] if {
	barrier := reach.barrier("validation", probes.next_pod_request(namespace))
	not _is_judged_by_policy(namespace)
} else := ["safe", "every workload could still replace its pods"]

_unread_kinds := [kind |
	some kind in ["CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"]
	kind in input.unknown
]

_is_judged_by_policy(namespace) if {
	request := probes.next_pod_request(namespace)
	some policy in input.validatingPolicies
	policies.written_for(policy) == "protected_pull_policy"
	policies.applied(policy, input.validatingBindings, request).verdict != "mismatch"
}

_blocked(namespace) := [workload |
	some key in {answer.workload | some answer in _objections(namespace)}
	objections := [answer | some answer in _objections(namespace); answer.workload == key]
	workload := object.union(key, {
		"certain": "match" in {answer.reach | some answer in objections},
		"by": sort({input.plan.sources[answer.source].name | some answer in objections}),
		"message": min({message | some answer in objections; some message in answer.messages}),
	})
]

_objections(namespace) := [object.union(answer, {"reach": verdict}) |
	some answer in answers.about_workloads[namespace.name]
	count(answer.messages) > 0
	verdict := _reach(input.plan.sources[answer.source], answer.source, namespace)
	verdict != "mismatch"
]

# Whether a source would be asked about pods of workloads. Its action is taken for deny.
_reach(source, _, namespace) := _policy_reach(source, namespace) if source.kind == "ValidatingAdmissionPolicy"

_reach(source, index, namespace) := _webhook_reach(index, namespace) if source.kind != "ValidatingAdmissionPolicy"

_policy_reach(source, namespace) := "unknown" if {
	_may_be_mutated(namespace)
} else := verdicts[0] if {
	verdicts := [answer.verdict |
		some policy in input.validatingPolicies
		policy.metadata.name == source.name
		answer := policies.applied(policy, input.validatingBindings, probes.next_pod_request(namespace))
	]
}

_webhook_reach(index, namespace) := "mismatch" if {
	reach.barrier("validation", probes.next_pod_request(namespace))
} else := "unknown" if {
	_may_be_mutated(namespace)
} else := "unknown" if {
	count(reach.doubts("validation", probes.next_pod_request(namespace))) > 0
} else := "unknown" if {
	some entry in namespace.constraints
	entry.source == index
	entry.assumed
} else := "match"

# Something may give the pods another policy before they are judged.
_may_be_mutated(namespace) if {
	some step in mutation.found(namespace, "pod")
	"mutate" in {step.effect, step.could}
}
