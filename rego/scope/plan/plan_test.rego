package scope.plan_test

import data.scope.plan

_kinds := [
	{"apiGroups": [""], "kinds": ["Pod"]},
	{"apiGroups": ["apps"], "kinds": ["Deployment"]},
	{"apiGroups": ["batch"], "kinds": ["Job"]},
]

_constraint(name, criteria) := {
	"apiVersion": "constraints.gatekeeper.sh/v1beta1",
	"kind": "K8sProtectedPullPolicy",
	"metadata": {"name": name},
	"spec": {
		"enforcementAction": "deny",
		"match": object.union({"kinds": _kinds}, criteria),
		"parameters": {"controlledPods": "audit"},
	},
}

_namespace(name, labels) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}

_template := {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}

_workload(kind, name, more) := object.union(
	{
		"apiVersion": "apps/v1",
		"kind": kind,
		"metadata": {"name": name, "namespace": "a", "uid": "1"},
		"spec": {"template": _template},
	},
	more,
)

_empty := {
	"policies": {
		"K8sProtectedImagePinning": "protected_image_pinning",
		"K8sProtectedPullPolicy": "protected_pull_policy",
	},
	"constraints": [],
	"namespaces": [],
	"validatingPolicies": [],
	"workloads": [],
	"pods": [],
	"expansions": [],
}

_plan(change) := found if {
	found := plan.contents with input as object.union(_empty, change)
}

_entry(index, assumed) := {"source": index, "assumed": assumed}

test_namespaces if {
	found := plan.namespaces with input as object.union(_empty, {
		"namespaces": [_namespace("a", {"tier": "x"})],
		"pods": [{"metadata": {"namespace": "b"}}],
	})
	found == [
		{"name": "a", "labels": {"kubernetes.io/metadata.name": "a", "tier": "x"}, "labelsComplete": true},
		{"name": "b", "labels": {"kubernetes.io/metadata.name": "b"}, "labelsComplete": false},
	]
}

test_protected_by_name_or_label if {
	found := _plan({
		"constraints": [
			_constraint("by-name", {"namespaces": ["a", "c-*", "absent"]}),
			_constraint("by-label", {"namespaceSelector": {"matchLabels": {"tier": "x"}}}),
		],
		"namespaces": [
			_namespace("a", null), _namespace("b", {"tier": "x"}), _namespace("c-1", {"tier": "x"}), _namespace("d", {}),
		],
	})
	{namespace.name: namespace.constraints | some namespace in found.namespaces} == {
		"a": [_entry(0, false)],
		"absent": [_entry(0, false), _entry(1, true)],
		"b": [_entry(1, false)],
		"c-1": [_entry(0, false), _entry(1, false)],
	}
	{namespace.name: namespace.exists | some namespace in found.namespaces}.absent == false
	[namespace.labels | some namespace in found.namespaces; namespace.name == "b"] == [{
		"kubernetes.io/metadata.name": "b", "tier": "x",
	}]
}

test_conditions_on_objects_do_not_reduce_protection if {
	found := _plan({
		"constraints": [_constraint("narrow", {
			"namespaces": ["a"], "labelSelector": {"matchLabels": {"x": "y"}}, "name": "web", "source": "Original",
		})],
		"namespaces": [_namespace("a", {})],
	})
	[namespace.constraints | some namespace in found.namespaces] == [[_entry(0, false)]]
	{object.keys(case) | some case in found.cases} == {{"namespace", "source", "point", "probe"}}
}

test_a_null_match_protects_every_namespace if {
	found := _plan({
		"constraints": [object.union(_constraint("all", {}), {"spec": {"match": null}})],
		"namespaces": [_namespace("a", {})],
	})
	[namespace.name | some namespace in found.namespaces] == ["a"]
}

test_probes if {
	found := _plan({
		"constraints": [_constraint("by-name", {"namespaces": ["a"]})],
		"namespaces": [_namespace("a", {})],
	})
	{[case.probe, case.point, case.source, case.namespace, case.review.operation] | some case in found.cases} == {
		["pod", "admission", 0, "a", "CREATE"],
		["pod", "audit", 0, "a", ""],
		["deployment", "admission", 0, "a", "CREATE"],
		["deployment", "audit", 0, "a", ""],
	}
}

test_a_selector_that_gatekeeper_cannot_read_rejects if {
	found := _plan({
		"constraints": [_constraint("broken", {
			"namespaces": ["a"],
			"labelSelector": {"matchExpressions": [{"key": "x", "operator": "Near"}]},
		})],
		"namespaces": [_namespace("a", {})],
	})
	{case.rejected | some case in found.cases} == {concat("", [
		"unable to match constraints: error matching the requested object: pullguard-probe :failed to run Match criteria: ",
		`"Near" is not a valid label selector operator`,
	])}
}

_policy := {
	"kind": "ValidatingAdmissionPolicy",
	"metadata": {
		"name": "ours",
		"annotations": {
			"pullguard/policy": "protected_pull_policy",
			"pullguard/summary": json.marshal({
				"parameters": {"controlledPods": "deny"},
				"sha256": crypto.sha256(`"deny"`),
			}),
		},
	},
	"spec": {"variables": [{"name": "controlledPods", "expression": `"deny"`}]},
}

test_sources if {
	found := _plan({
		"constraints": [_constraint("by-name", {"namespaces": ["a"]})],
		"validatingPolicies": [_policy, {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "other"}}],
	})
	found.sources == [
		{
			"policy": "protected_pull_policy",
			"kind": "K8sProtectedPullPolicy",
			"name": "by-name",
			"parameters": {"controlledPods": "audit"},
			"admission": {"deny"},
			"audit": {"deny"},
		},
		{
			"policy": "protected_pull_policy",
			"kind": "ValidatingAdmissionPolicy",
			"name": "ours",
			"parameters": {"controlledPods": "deny"},
			"admission": [],
			"audit": [],
		},
	]
	count([case | some case in found.cases; case.source == 1; case.review]) == 4
}

_controlled(kind, name) := [{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true}]

_planned(workloads, pods) := _plan({
	"constraints": [_constraint("by-name", {"namespaces": ["a"]})],
	"namespaces": [_namespace("a", {})],
	"workloads": workloads,
	"pods": pods,
})

_next(found) := [case | some case in found.cases; case.workload]

test_the_next_pod_of_a_workload if {
	found := _planned([_workload("DaemonSet", "agent", {})], [])
	[case] := _next(found)
	object.remove(case, ["review"]) == {
		"namespace": "a",
		"source": 0,
		"point": "admission",
		"workload": {"kind": "DaemonSet", "name": "agent", "owner": "", "idle": false},
	}
	case.review.kind == {"group": "", "version": "v1", "kind": "Pod"}
	case.review.operation == "CREATE"
	case.review.object == {
		"apiVersion": "v1",
		"kind": "Pod",
		"metadata": {
			"namespace": "a",
			"generateName": "agent-",
			"labels": {"app": "a"},
			"ownerReferences": [{
				"apiVersion": "apps/v1",
				"kind": "DaemonSet",
				"name": "agent",
				"uid": "1",
				"controller": true,
				"blockOwnerDeletion": true,
			}],
		},
		"spec": _template.spec,
	}
}

test_a_cron_job_makes_jobs_and_they_make_pods if {
	found := _planned(
		[{
			"apiVersion": "batch/v1",
			"kind": "CronJob",
			"metadata": {"name": "backup", "namespace": "a"},
			"spec": {"jobTemplate": {"spec": {"template": {"metadata": null, "spec": _template.spec}}}},
		}],
		[],
	)
	{[case.workload.kind, case.review.kind.kind, case.review.object.metadata.ownerReferences[0].kind] |
		some case in _next(found)
	} == {["CronJob", "Job", "CronJob"], ["CronJob", "Pod", "Job"]}
}

test_replica_sets_are_judged_instead_of_their_deployment if {
	owned := {"metadata": {"ownerReferences": _controlled("Deployment", "web")}}
	found := _planned(
		[
			_workload("Deployment", "web", {}), _workload("ReplicaSet", "web-1", owned),
			_workload("Deployment", "new", {}), _workload("ReplicaSet", "alone", {}),
		],
		[],
	)
	{[case.workload.name, case.workload.owner] | some case in _next(found)} == {
		["web-1", "Deployment web"], ["new", ""], ["alone", ""],
	}
}

test_idle[name] if {
	some name, case in {
		"running": {"kind": "StatefulSet", "more": {"spec": {"replicas": 1}}, "idle": false},
		"zero": {"kind": "ReplicaSet", "more": {"spec": {"replicas": 0}}, "idle": true},
		"complete": {
			"kind": "Job", "more": {"status": {"conditions": [{"type": "Complete", "status": "True"}]}},
			"idle": true,
		},
		"not failed": {
			"kind": "Job", "more": {"status": {"conditions": [{"type": "Failed", "status": "False"}]}},
			"idle": false,
		},
		"suspended": {
			"kind": "CronJob", "more": {"spec": {"suspend": true, "jobTemplate": {"spec": {"template": _template}}}},
			"idle": true,
		},
	}
	found := _planned([_workload(case.kind, "w", case.more)], [])
	{planned.workload.idle | some planned in _next(found)} == {case.idle}
}

test_a_workload_without_a_template_is_not_judged[name] if {
	some name, template in {"null": null, "no spec": {"spec": null}}
	found := _planned(
		[{
			"apiVersion": "apps/v1",
			"kind": "ReplicaSet",
			"metadata": {"name": "w", "namespace": "a"},
			"spec": {"template": template},
		}],
		[],
	)
	found.unjudged == [{"namespace": "a", "kind": "ReplicaSet", "name": "w"}]
	_next(found) == []
}

test_workloads_elsewhere_are_not_asked if {
	found := _planned([_workload("DaemonSet", "agent", {"metadata": {"namespace": "b"}})], [])
	_next(found) == []
}

_pod(name, owners, policy) := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": {"name": name, "namespace": "a", "ownerReferences": owners},
	"spec": {"containers": [{"name": "c", "image": "a:1", "imagePullPolicy": policy}]},
	"status": {"phase": "Running"},
}

test_pods_of_other_controllers_show_the_next_pod if {
	found := _planned([], [
		_pod("one", _controlled("CloneSet", "clones"), "Always"), _pod("two", _controlled("CloneSet", "clones"), "Always"),
		_pod("static", _controlled("Node", "node"), "Always"), _pod("bare", [], "Always"),
	])
	[case] := _next(found)
	case.workload == {"kind": "CloneSet", "name": "clones", "owner": "", "idle": false}
	case.review.object == object.remove(_pod("one", _controlled("CloneSet", "clones"), "Always"), ["status"])
}

test_changed_at_admission if {
	workloads := [_workload("DaemonSet", "agent", {})]
	found := _planned(workloads, [
		_pod("one", _controlled("DaemonSet", "agent"), "Always"),
		_pod("two", _controlled("DaemonSet", "agent"), "Always"),
	])
	found.changed == [{"namespace": "a", "kind": "DaemonSet", "name": "agent", "container": "c", "policy": "IfNotPresent"}]
}

test_not_changed[name] if {
	some name, case in {
		"as asked for": {"image": "a:1", "stated": "Always", "pod": "Always"},
		"as implied": {"image": "a", "stated": null, "pod": "Always"},
		"something else": {"image": "a:1", "stated": null, "pod": "IfNotPresent"},
	}
	spec := {"containers": [{"name": "c", "image": case.image, "imagePullPolicy": case.stated}]}
	workload := _workload("DaemonSet", "agent", {"spec": {"template": {"spec": spec}}})
	found := _planned([workload], [_pod("one", _controlled("DaemonSet", "agent"), case.pod)])
	found.changed == []
}

_expansion(change) := object.union_n([
	{
		"kind": "ExpansionTemplate",
		"metadata": {"name": "workloads"},
		"spec": {
			"applyTo": [
				{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]},
				{"groups": ["batch"], "versions": ["v1"], "kinds": ["Job"]},
			],
			"templateSource": "spec.template",
			"generatedGVK": {"group": "", "version": "v1", "kind": "Pod"},
		},
	},
	change,
])

_expanded(criteria, expansion, workload) := [case.review.object |
	some case in _plan({
		"constraints": [_constraint("c", object.union({"namespaces": ["a"]}, criteria))],
		"expansions": [expansion],
		"workloads": [workload],
	}).cases
	case.workload
	case.review.object.kind == "Pod"
	not case.review.object.metadata.ownerReferences
]

test_pods_of_expansion_templates_are_judged[name] if {
	cron_job := {
		"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "n", "namespace": "a"},
		"spec": {"jobTemplate": {"spec": {"template": _template}}},
	}
	pod := {
		"apiVersion": "v1", "kind": "Pod",
		"metadata": {"labels": {"app": "a"}, "name": "n-pod", "namespace": "a"}, "spec": _template.spec,
	}
	some name, [criteria, expansion, workload, pods] in {
		"a workload": [{}, _expansion({}), _workload("Deployment", "n", {}), [pod]],
		"what a controller makes": [{}, _expansion({}), cron_job, [pod]],
		"whatever its source": [{"source": "All"}, _expansion({}), _workload("Deployment", "n", {}), [pod]],
		"only what was asked for": [{"source": "Original"}, _expansion({}), _workload("Deployment", "n", {}), []],
		"another kind": [{}, _expansion({}), _workload("StatefulSet", "n", {}), []],
		"no pod": [{}, _expansion({"spec": {"generatedGVK": {"kind": "Job"}}}), _workload("Deployment", "n", {}), []],
		"no template": [{}, _expansion({}), _workload("Deployment", "n", {"spec": {"template": null}}), []],
	}
	_expanded(criteria, expansion, workload) == pods
}

test_only_the_policy_of_the_probes_is_asked_about_them if {
	pinning := object.union(_constraint("pinned", {"namespaces": ["a"]}), {"kind": "K8sProtectedImagePinning"})
	found := _plan({
		"constraints": [pinning],
		"namespaces": [_namespace("a", {})],
		"expansions": [_expansion({})],
		"workloads": [_workload("Deployment", "n", {})],
	})
	{source.policy | some source in found.sources} == {"protected_image_pinning"}
	{object.keys(case) | some case in found.cases} == {
		{"namespace", "source", "point", "workload", "review"},
		{"namespace", "source", "point", "workload", "review", "expansion"},
	}
}

test_pods_that_expansion_templates_make_of_the_probes if {
	found := _plan({
		"constraints": [_constraint("c", {"namespaces": ["a"]})],
		"namespaces": [_namespace("a", {})],
		"expansions": [_expansion({"spec": {"enforcementAction": "warn"}})],
	})
	[[case.probe, case.expansion, case.review.object.metadata.name] | some case in found.cases; case.expansion] == [
		["deployment", {"name": "workloads", "action": "warn"}, "pullguard-probe-pod"],
	]
}

_every_kind := [{"apiGroups": ["*"], "kinds": ["*"]}]

_asked_as(controller, parameters) := {[case.review.kind.kind, case.review.userInfo.username, as_trusted] |
	owner := object.union({"name": "o", "controller": true}, controller)
	some case in _next(_plan({
		"constraints": [object.union(
			_constraint("c", {"namespaces": ["a"], "kinds": _every_kind}),
			{"spec": {"parameters": parameters}},
		)],
		"namespaces": [_namespace("a", {})],
		"workloads": [object.union(_workload("ReplicaSet", "w", {}), {"metadata": {"ownerReferences": [owner]}})],
	}))
	as_trusted := object.get(case, "trusted", false)
}

test_users_of_controllers[name] if {
	pods := ["Pod", "system:kube-controller-manager", false]
	rollout := {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
	some name, [controller, parameters, expected] in {
		"a controller of Kubernetes": [{"apiVersion": "apps/v1", "kind": "Deployment"}, {}, {pods}],
		"one of the core group": [{"apiVersion": "v1", "kind": "ReplicationController"}, {}, {pods}],
		"one of the group batch": [{"apiVersion": "batch/v1", "kind": "Job"}, {}, {pods}],
		"another of the same kind": [
			{"apiVersion": "apps.kruise.io/v1beta1", "kind": "StatefulSet"}, {},
			{pods, ["ReplicaSet", "pullguard", false]},
		],
		"a controller of others": [rollout, {}, {pods, ["ReplicaSet", "pullguard", false]}],
		"trusted users without effect": [
			rollout, {"controlledPods": "audit", "trustedUsers": ["x"]},
			{pods, ["ReplicaSet", "pullguard", false]},
		],
		"trusted users": [
			rollout, {"controlledPods": "trusted", "trustedUsers": ["rollouts-*", "x"]},
			{pods, ["ReplicaSet", "pullguard", false], ["ReplicaSet", "rollouts-", true]},
		],
		"no trusted users": [
			rollout, {"controlledPods": "trusted", "trustedUsers": []},
			{pods, ["ReplicaSet", "pullguard", false]},
		],
	}
	_asked_as(controller, parameters) == expected
}
