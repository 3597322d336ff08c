package scope.safety_test

import data.testing.snapshots

_workload := {"kind": "ReplicaSet", "name": "web-1", "owner": "Deployment web", "idle": false}

_of_workload(source, workload, messages) := {
	"namespace": "a", "source": source, "point": "admission", "probe": null,
	"workload": workload, "messages": messages,
}

_with_workloads(answers) := {"answers": array.concat(snapshots.answers, answers)}

_blocked(change) := object.union_n([_workload, {"certain": true, "by": ["by-name"], "message": "no"}, change])

test_deny[name] if {
	some name, case in {
		"safe": {
			"change": _with_workloads([_of_workload(0, _workload, [])]),
			"deny": ["safe", "every workload could still replace its pods", []],
		},
		"unsafe": {
			"change": _with_workloads([_of_workload(0, _workload, ["no", "no, too"])]),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({})]],
		},
		"two of three": {
			"change": _with_workloads([
				_of_workload(0, _workload, ["no"]),
				_of_workload(0, object.union(_workload, {"name": "api-1"}), ["not so"]),
				_of_workload(0, object.union(_workload, {"name": "db-1"}), []),
			]),
			"deny": ["unsafe", "2 could no longer replace their pods", [
				_blocked({"name": "api-1", "message": "not so"}),
				_blocked({}),
			]],
		},
		"idle": {
			"change": _with_workloads([_of_workload(0, object.union(_workload, {"idle": true}), ["no"])]),
			"deny": ["safe", "every workload could still replace its pods", [_blocked({"idle": true})]],
		},
		"out of reach": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				{"validatingWebhooks": []},
			),
			"deny": ["safe", "deny does not reach it: Gatekeeper has no webhook for this", []],
		},
		"perhaps in reach": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				{"unknown": ["Config"]},
			),
			"deny": [
				"unknown", "it cannot be decided here whether these workloads could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"perhaps selected": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				snapshots.with_namespace({"constraints": [{"source": 0, "assumed": true}]}),
			),
			"deny": [
				"unknown", "it cannot be decided here whether these workloads could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"perhaps mutated": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				snapshots.with_mutation(snapshots.protected),
			),
			"deny": [
				"unknown", "it cannot be decided here whether these workloads could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"kinds that may not be read": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, [])]),
				{"unknown": ["Job", "DaemonSet", "Secret"]},
			),
			"deny": ["unknown", "could not be read: DaemonSet, Job", []],
		},
		"no template": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, [])]),
				{"plan": {"unjudged": [
					{"namespace": "a", "kind": "Job", "name": "j"}, {"namespace": "b", "kind": "Job", "name": "j"},
				]}},
			),
			"deny": ["unknown", "a workload has no template that can be judged", []],
		},
		"by a policy": {
			"change": object.union(snapshots.bound(["Audit"]), {
				"answers": array.concat(snapshots.answers, [_of_workload(1, _workload, ["no"])]),
				"validatingWebhooks": [],
			}),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({"by": ["ours"]})]],
		},
		"not by a policy": {
			"change": object.union(snapshots.bound(["Audit"]), {
				"answers": array.concat(snapshots.answers, [_of_workload(1, _workload, [])]),
				"validatingWebhooks": [],
			}),
			"deny": ["safe", "every workload could still replace its pods", []],
		},
		"by a policy, perhaps mutated": {
			"change": object.union_n([snapshots.bound(["Audit"]), snapshots.with_mutation(snapshots.protected), {
				"answers": array.concat(snapshots.answers, [_of_workload(1, _workload, ["no"])]),
				"validatingWebhooks": [],
			}]),
			"deny": [
				"unknown", "it cannot be decided here whether these workloads could still replace their pods",
				[_blocked({"certain": false, "by": ["ours"]})],
			],
		},
		"by both": {
			"change": object.union(
				snapshots.bound(["Audit"]),
				{"answers": array.concat(
					snapshots.answers,
					[_of_workload(1, _workload, ["no"]), _of_workload(0, _workload, ["also no"])],
				)},
			),
			"deny": [
				"unsafe", "1 could no longer replace their pods",
				[_blocked({"by": ["by-name", "ours"], "message": "also no"})],
			],
		},
	}
	deny := snapshots.report_on(case.change).deny
	[deny.state, deny.reason, deny.blocked] == case.deny
}

test_unjudged if {
	change := {"plan": {"unjudged": [
		{"namespace": "a", "kind": "Job", "name": "j"}, {"namespace": "b", "kind": "Job", "name": "j"},
	]}}
	snapshots.report_on(change).deny.unjudged == [{"kind": "Job", "name": "j"}]
}

test_deny_by_policy_and_user[name] if {
	some name, case in {
		"another policy, whatever is mutated": {
			"change": object.union_n([
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				snapshots.with_mutation(snapshots.protected),
				snapshots.with_source({"policy": "protected_image_pinning"}),
			]),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({})]],
		},
		"with or without a trusted user": {
			"change": _with_workloads([
				_of_workload(0, _workload, ["no"]),
				object.union(_of_workload(0, _workload, []), {"trusted": true}),
			]),
			"deny": [
				"unknown", "the users of their controllers are not known: deny is safe if trustedUsers lists these users",
				[_blocked({"certain": false})],
			],
		},
		"even with a trusted user": {
			"change": _with_workloads([
				_of_workload(0, _workload, ["no"]),
				object.union(_of_workload(0, _workload, ["no"]), {"trusted": true}),
			]),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({})]],
		},
		"constraints that may not be read": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, [])]),
				{"unknown": ["K8sProtectedImageCache", "Node"]},
			),
			"deny": ["unknown", "could not be read: K8sProtectedImageCache", []],
		},
		"Nodes that may not be read": {
			"change": object.union_n([
				_with_workloads([_of_workload(0, _workload, [])]), {"unknown": ["Node"]},
				snapshots.with_source({"policy": "protected_image_cache", "parameters": {"controlledPods": "deny"}}),
			]),
			"deny": ["unknown", "could not be read: Node", []],
		},
		"Nodes that may not be read, and an expansion": {
			"change": object.union_n([
				_with_workloads([object.union(_of_workload(0, _workload, []), {"expansion": {"name": "x", "action": ""}})]),
				{"unknown": ["Node"]},
				snapshots.with_source({"policy": "protected_image_cache", "parameters": {"controlledPods": "audit"}}),
			]),
			"deny": ["unknown", "could not be read: Node", []],
		},
		"Nodes that are not needed": {
			"change": object.union_n([
				_with_workloads([_of_workload(0, _workload, [])]), {"unknown": ["Node"]},
				snapshots.with_source({"policy": "protected_image_cache", "parameters": {"controlledPods": "audit"}}),
			]),
			"deny": ["safe", "every workload could still replace its pods", []],
		},
	}
	deny := snapshots.report_on(case.change).deny
	[deny.state, deny.reason, deny.blocked] == case.deny
}
