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
# title: The consequences of deny in a namespace
# description: |
#   {state, reason, blocked, unjudged}: `state` is "safe", "unsafe" or "unknown"; `blocked` are the workloads that could
#   not replace their pods; `unjudged` are the workloads for which that is not known.
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
} else := ["unknown", text] if {
	some workload in blocked
	not workload.idle
	_key(workload) in {key | some [key, _] in answers.let_in_if_trusted[namespace.name]}
	text := "the users of their controllers are not known: deny is safe if trustedUsers lists these users"
} else := ["unknown", "it cannot be decided here whether these workloads could still replace their pods"] if {
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
	some kind in sort(((_workload_kinds | object.keys(input.policies)) | _inventory_kinds))
	kind in input.unknown
]

_workload_kinds := {
	"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet",
	"ExpansionTemplate",
}

# Nodes only matter for objects without a controller, and for policies that do not spare controllers.
_inventory_kinds contains "Node" if {
	some index, source in input.plan.sources
	source.policy == "protected_image_cache"
	_judges_next_pods(index, source)
}

_judges_next_pods(_, source) if source.parameters.controlledPods != "audit"

_judges_next_pods(index, _) if {
	some answer in input.answers
	answer.source == index
	answer.expansion
}

_key(workload) := object.remove(workload, ["by", "certain", "message"])

_is_judged_by_policy(namespace) if {
	request := probes.next_pod_request(namespace)
	some policy in input.validatingPolicies
	policies.written_for(policy) in {name | some name in input.policies}
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
	verdict := _reach(answer, namespace)
	verdict != "mismatch"
]

_reach(answer, namespace) := "unknown" if {
	_source_reach[namespace.name][answer.source] == "match"
	_may_be_let_in(answer)
} else := _source_reach[namespace.name][answer.source]

_may_be_let_in(answer) if [answer.workload, answer.source] in answers.let_in_if_trusted[answer.namespace]

# Whether a source would judge the next pods of workloads if its action were deny.
_source_reach[namespace.name][index] := _policy_reach(source, namespace) if {
	some namespace in input.plan.namespaces
	some index, source in input.plan.sources
	source.kind == "ValidatingAdmissionPolicy"
}

_source_reach[namespace.name][index] := _webhook_reach(source, index, namespace) if {
	some namespace in input.plan.namespaces
	some index, source in input.plan.sources
	source.kind != "ValidatingAdmissionPolicy"
}

_policy_reach(source, namespace) := "unknown" if {
	_may_be_mutated(source, namespace)
} else := verdicts[0] if {
	verdicts := [answer.verdict |
		some policy in input.validatingPolicies
		policy.metadata.name == source.name
		answer := policies.applied(policy, input.validatingBindings, probes.next_pod_request(namespace))
	]
}

_webhook_reach(source, index, namespace) := "mismatch" if {
	reach.barrier("validation", probes.next_pod_request(namespace))
} else := "unknown" if {
	_may_be_mutated(source, namespace)
} else := "unknown" if {
	count(reach.doubts("validation", probes.next_pod_request(namespace))) > 0
} else := "unknown" if {
	some entry in namespace.constraints
	entry.source == index
	entry.assumed
} else := "match"

# Mutation may change the pull policy of the pods before they are judged.
_may_be_mutated(source, namespace) if {
	probes.offend(source.policy)
	some step in mutation.found(namespace, "pod")
	"mutate" in {step.effect, step.could}
}
