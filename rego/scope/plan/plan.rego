# METADATA
# title: The reviews for which scope evaluates policies
# description: |
#   The protected namespaces of a snapshot, and the reviews in them for policies about pods. input is {policies (their
#   names by the kinds of their constraints), constraints (with defaults), namespaces, validatingPolicies, workloads,
#   pods, expansions}; the last five are lists of objects.
# scope: package
package scope.plan

import data.gatekeeper.enforcement
import data.gatekeeper.hook
import data.gatekeeper.match
import data.gatekeeper.review
import data.scope.changes
import data.scope.expansions
import data.scope.policies
import data.scope.probes

# METADATA
# title: The whole plan
# description: |
#   {namespaces, sources, cases, unjudged, changed}. A source is a constraint or an admission policy of pullguard:
#   {policy, kind, name, parameters, admission, audit}; the last two are its actions there. A namespace is
#   {name, exists, labels, labelsComplete, constraints: [{source, assumed}]}. A case is {namespace, source,
#   point ("admission" or "audit"), probe ("pod" or "deployment") or workload ({kind, name, owner, idle}), review or
#   rejected}; it has neither review nor rejected if the constraint does not match. It has `expansion` ({name, action})
#   if it is about a pod that an ExpansionTemplate makes of the probe, and `trusted` if the user of the review is one of
#   the trustedUsers.
# entrypoint: true
contents := {
	"namespaces": [namespace | some namespace in protected],
	"sources": [object.remove(source, ["constraint"]) | some source in _sources],
	"cases": array.flatten([_probe_cases, _expanded_probe_cases, _workload_cases, _expansion_cases]),
	"unjudged": _unjudged,
	"changed": _changed,
}

_sources := array.concat(
	[source |
		some constraint in input.constraints
		source := {
			"policy": input.policies[constraint.kind],
			"kind": constraint.kind,
			"name": constraint.metadata.name,
			"parameters": hook.parameters(constraint),
			"admission": enforcement.actions(constraint, "validation.gatekeeper.sh"),
			"audit": enforcement.actions(constraint, "audit.gatekeeper.sh"),
			"constraint": constraint,
		}
	],
	[source |
		some policy in input.validatingPolicies
		policies.written_for(policy) in {name | some name in input.policies}
		source := {
			"policy": policies.written_for(policy),
			"kind": policy.kind,
			"name": policy.metadata.name,
			"parameters": policies.parameters(policy),
			"admission": [],
			"audit": [],
			"constraint": null,
		}
	],
)

_namespaces[namespace.metadata.name] := namespace if some namespace in input.namespaces

_names := union({
	object.keys(_namespaces),
	{name |
		some constraint in input.constraints
		some name in constraint.spec.match.namespaces
		not contains(name, "*")
	},
	{obj.metadata.namespace |
		some list in [input.workloads, input.pods]
		some obj in list
		is_string(obj.metadata.namespace)
	},
})

# METADATA
# title: The namespaces that there are, or that something names
# description: "[{name, labels, labelsComplete}]."
# entrypoint: true
namespaces := [{"name": name, "labels": _labels(name), "labelsComplete": name in object.keys(_namespaces)} |
	some name in _names
]

# METADATA
# title: The namespaces that a constraint protects
# entrypoint: true
protected := [namespace |
	some name in _names
	constraints := [{"source": index, "assumed": _is_assumed(source.constraint, name)} |
		some index, source in _sources
		source.constraint != null
		_protects(source.constraint, name)
	]
	count(constraints) > 0
	namespace := {
		"name": name,
		"exists": name in object.keys(_namespaces),
		"labels": _labels(name),
		"labelsComplete": name in object.keys(_namespaces),
		"constraints": constraints,
	}
]

_protected_names contains namespace.name if some namespace in protected

# The API server gives this label to every Namespace.
_labels(name) := object.union(_stated_labels(name), {"kubernetes.io/metadata.name": name})

_stated_labels(name) := labels if {
	labels := _namespaces[name].metadata.labels
	is_object(labels)
} else := {}

_namespace_object(name) := {
	"apiVersion": "v1",
	"kind": "Namespace",
	"metadata": {"name": name, "labels": _labels(name)},
} if {
	_namespaces[name]
} else := null

# A constraint that selects objects by their names and labels also protects the namespace.
_protects(constraint, name) if {
	criteria := object.remove(_match(constraint), ["labelSelector", "name", "source"])
	some probe in probes.objects(name)
	outcome := match.outcome(criteria, _request(_admission(probe, name), name))
	outcome != {"matches": false}
}

_is_assumed(constraint, name) if {
	_namespace_object(name) == null
	object.get(_match(constraint), "namespaceSelector", null) != null
} else := false

_match(constraint) := found if {
	found := object.get(constraint, ["spec", "match"], {})
	is_object(found)
} else := {}

_request(reviewed, name) := object.union(
	review.request(reviewed, _namespace_object(name)),
	{"unknownNamespace": "judge"},
)

_admission(obj, namespace) := _admission_by(_asker(obj), obj, namespace)

_admission_by(user, obj, namespace) := review.from_admission({
	"kind": review.kind_of(obj),
	"requestKind": review.kind_of(obj),
	"operation": "CREATE",
	"name": object.get(obj, ["metadata", "name"], ""),
	"namespace": namespace,
	"userInfo": {"username": user},
	"object": obj,
	"dryRun": false,
})

# Kubernetes' own controllers share one user. Other controllers' users are not known, so assume one without rights.
_asker(obj) := "system:kube-controller-manager" if {
	some owner in obj.metadata.ownerReferences
	owner.controller == true
	_is_built_in(owner)
} else := "pullguard"

_is_built_in(owner) if {
	owner.kind in {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"}
	startswith(owner.apiVersion, "apps/")
}

_is_built_in(owner) if {
	owner.kind in {"CronJob", "Job"}
	startswith(owner.apiVersion, "batch/")
}

_is_built_in(owner) if {
	owner.kind == "ReplicationController"
	owner.apiVersion == "v1"
}

_probe_cases := [case |
	some namespace in protected
	some index, source in _sources
	probes.offend(source.policy)
	some probe in ["pod", "deployment"]
	some point in ["admission", "audit"]
	obj := probes.objects(namespace.name)[probe]
	answer := _answer(source, _review(point, obj, namespace.name), namespace.name)
	case := object.union(answer, {
		"namespace": namespace.name,
		"source": index,
		"point": point,
		"probe": probe,
	})
]

_review("admission", obj, namespace) := _admission(obj, namespace)

_review("audit", obj, namespace) := review.from_object(obj, namespace)

_answer(source, reviewed, _) := {"review": reviewed} if source.constraint == null

_answer(source, reviewed, namespace) := _matched(outcome, reviewed) if {
	source.constraint != null
	outcome := match.outcome(_match(source.constraint), _request(reviewed, namespace))
}

_matched({"matches": true}, reviewed) := {"review": reviewed}

_matched({"matches": false}, _) := {}

_matched({"error": reason}, _) := {"rejected": hook.autorejection(reason)}

# The pods that ExpansionTemplates make of a probe.
_expanded_probe_cases := [case |
	some namespace in protected
	some probe, obj in probes.objects(namespace.name)
	some expansion in input.expansions
	some index, source in _sources
	probes.offend(source.policy)
	case := object.union(_expanded_answer(source, expansion, obj, namespace.name), {
		"namespace": namespace.name,
		"source": index,
		"point": "admission",
		"probe": probe,
	})
]

# The pods that they make of a workload when it is edited or scaled, and of the Jobs that it makes.
_expansion_cases := [case |
	some workload in input.workloads
	workload.metadata.namespace in _protected_names
	some subject in array.concat([workload], [job | some job in _made_by(workload); job.kind == "Job"])
	some expansion in input.expansions
	some index, source in _sources
	case := object.union(_expanded_answer(source, expansion, subject, workload.metadata.namespace), {
		"namespace": workload.metadata.namespace,
		"source": index,
		"point": "admission",
		"workload": _shown(workload),
	})
]

# The pod is new and has no controller. Undefined if no pod is made, or if the constraint does not match it. Constraints
# only match it if they select generated objects.
_expanded_answer(source, expansion, obj, namespace) := answer if {
	source.constraint != null
	pod := expansions.pod(expansion, obj, namespace)
	reviewed := _admission_by("pullguard", pod, namespace)
	request := object.union(_request(reviewed, namespace), {"source": "Generated"})
	matched := _matched(match.outcome(_match(source.constraint), request), reviewed)
	matched != {}
	named := {"expansion": {"name": expansion.metadata.name, "action": expansions.action(expansion)}}
	answer := object.union(matched, named)
}

# The next objects of workloads, which pass the same admission as requests of their controllers.
_workload_cases := [case |
	some next in _next_objects
	some index, source in _sources
	some asker in _askers(source, next.object)
	answer := _answer(source, _admission_by(asker.user, next.object, next.namespace), next.namespace)
	answer != {}
	case := object.union_n([answer, asker.as, {
		"namespace": next.namespace,
		"source": index,
		"point": "admission",
		"workload": next.workload,
	}])
]

# The user of another controller may be one of the trustedUsers.
_askers(source, obj) := array.concat([{"user": _asker(obj), "as": {}}], [asker |
	source.parameters.controlledPods == "trusted"
	_asker(obj) == "pullguard"
	user := trim_suffix(source.parameters.trustedUsers[0], "*")
	asker := {"user": user, "as": {"trusted": true}}
])

_next_objects := array.flatten([
	[next |
		some workload in input.workloads
		workload.metadata.namespace in _protected_names
		not _stands_for_others(workload)
		some obj in _made_by(workload)
		next := {"namespace": workload.metadata.namespace, "workload": _shown(workload), "object": obj}
	],
	[next |
		some workload in input.workloads
		workload.metadata.namespace in _protected_names
		changes.controller(workload)
		_asker(workload) == "pullguard"
		next := {
			"namespace": workload.metadata.namespace,
			"workload": _shown(workload),
			"object": object.remove(workload, ["status"]),
		}
	],
	[next |
		some key in _strangers
		pod := [pod | some pod in input.pods; changes.controller(pod) == key][0]
		next := {
			"namespace": key[0],
			"workload": {"kind": key[1], "name": key[2], "owner": "", "idle": false},
			"object": object.remove(pod, ["status"]),
		}
	],
])

# The ReplicaSets of a Deployment make its pods. If they are known, they are judged instead of the Deployment.
_stands_for_others(workload) if {
	workload.kind == "Deployment"
	[workload.metadata.namespace, "Deployment", workload.metadata.name] in _owners_of_replica_sets
}

_owners_of_replica_sets contains changes.controller(workload) if {
	some workload in input.workloads
	workload.kind == "ReplicaSet"
}

# Controllers that are not part of Kubernetes, known from their pods. Pods of a Node are static, and bypass admission.
_strangers contains key if {
	some pod in input.pods
	key := changes.controller(pod)
	key[0] in _protected_names
	key[1] != "Node"
	not _workloads[key]
}

_workloads[key] := workload if {
	some workload in input.workloads
	key := [workload.metadata.namespace, workload.kind, workload.metadata.name]
}

_made_by(workload) := [_pod(template, workload)] if {
	workload.kind != "CronJob"
	template := workload.spec.template
	is_object(template.spec)
}

_made_by(workload) := [job, _pod(job.spec.template, job)] if {
	workload.kind == "CronJob"
	is_object(workload.spec.jobTemplate.spec.template.spec)
	job := {
		"apiVersion": "batch/v1",
		"kind": "Job",
		"metadata": object.union(expansions.own_metadata(workload.spec.jobTemplate), _metadata_of_child(workload)),
		"spec": workload.spec.jobTemplate.spec,
	}
}

_pod(template, owner) := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": object.union(expansions.own_metadata(template), _metadata_of_child(owner)),
	"spec": template.spec,
}

_metadata_of_child(owner) := {
	"namespace": owner.metadata.namespace,
	"generateName": sprintf("%s-", [review.name_of(owner)]),
	"ownerReferences": [{
		"apiVersion": owner.apiVersion,
		"kind": owner.kind,
		"name": review.name_of(owner),
		"uid": object.get(owner, ["metadata", "uid"], ""),
		"controller": true,
		"blockOwnerDeletion": true,
	}],
}

_shown(workload) := {
	"kind": workload.kind,
	"name": workload.metadata.name,
	"owner": _owner(workload),
	"idle": _is_idle(workload),
}

_owner(workload) := sprintf("%s %s", [key[1], key[2]]) if {
	key := changes.controller(workload)
} else := ""

_is_idle(workload) if {
	workload.spec.replicas == 0
} else if {
	workload.kind == "Job"
	some condition in workload.status.conditions
	condition.type in {"Complete", "Failed"}
	condition.status == "True"
} else if {
	workload.kind == "CronJob"
	workload.spec.suspend == true
} else := false

_unjudged := [{"namespace": workload.metadata.namespace, "kind": workload.kind, "name": workload.metadata.name} |
	some workload in input.workloads
	workload.metadata.namespace in _protected_names
	not _stands_for_others(workload)
	not _made_by(workload)
]

# A pod says Always and the template that it was made from does not, so something has changed the pod at admission.
_changed := [object.remove(change, ["stated"]) |
	some change in changes.between(
		[pod | some pod in input.pods; pod.metadata.namespace in _protected_names],
		input.workloads,
	)
	change.stated == "Always"
]
