# What admission judges, and what it lets pass: controlled pods, what starts no pods any more, and edits.
package policies.protected_image_cache_test

_owned_by(api_version, kind) := {"metadata": {"ownerReferences": [{
	"apiVersion": api_version,
	"kind": kind,
	"controller": true,
}]}}

test_controlled_pods[name] if {
	spec := {"containers": [{"name": "a", "image": "w"}], "ephemeralContainers": [{"name": "b", "image": "w"}]}
	both := {"spec.containers[0]", "spec.ephemeralContainers[0]"}
	review := _review("", "Pod", object.union(_owned_by("apps/v1", "ReplicaSet"), {"spec": spec}))
	some name, [operation, controlled, paths] in {
		"audit": ["", "audit", both],
		"created": ["CREATE", "audit", {"spec.ephemeralContainers[0]"}],
		"updated": ["UPDATE", "audit", {"spec.ephemeralContainers[0]"}],
		"created, to be denied": ["CREATE", "deny", both],
		"created, parameter of the wrong type": ["CREATE", 7, {"spec.ephemeralContainers[0]"}],
	}
	_paths(_found(_at_admission(operation, review), {"controlledPods": controlled})) == paths
}

test_bare_pods_and_workloads_are_judged_at_admission[name] if {
	some name, [review, path] in {
		"bare pod": [_pod(_absent), "spec.containers[0]"],
		"workload": [_templated("apps", "Deployment", _absent), "spec.template.spec.containers[0]"],
	}
	every operation in ["CREATE", "UPDATE"] {
		_paths(_found(_at_admission(operation, review), {})) == {path}
	}
}

# The kubelet removes images that nothing uses, and these do not come back.
test_what_starts_no_pods_passes[name] if {
	templated := {"spec": {"template": {"spec": _absent}}}
	some name, review in {
		"a pod that is done": _review("", "Pod", {"spec": _absent, "status": {"phase": "Succeeded"}}),
		"a pod that has failed": _review("", "Pod", {"spec": _absent, "status": {"phase": "Failed"}}),
		"a Job that is done": _review("batch", "Job", object.union(templated, {"status": {"conditions": [
			{"type": "SuccessCriteriaMet", "status": "True"},
			{"type": "Complete", "status": "True"},
		]}})),
		"a Job that has failed": _review("batch", "Job", object.union(templated, {"status": {"conditions": [{
			"type": "Failed", "status": "True",
		}]}})),
		"an earlier revision": _review("apps", "ReplicaSet", object.union_n([
			templated, _owned_by("apps/v1", "Deployment"), {"spec": {"replicas": 0}},
		])),
		"an earlier revision of another controller": _review("apps", "ReplicaSet", object.union_n([
			templated, _owned_by("argoproj.io/v1alpha1", "Rollout"), {"spec": {"replicas": 0}},
		])),
		"an earlier revision of a DeploymentConfig": _review("", "ReplicationController", object.union_n([
			templated, _owned_by("apps.openshift.io/v1", "DeploymentConfig"), {"spec": {"replicas": 0}},
		])),
	}
	_found(review, {}) == set()
	_violations(review, _defaults, {}) == set()
}

test_what_may_start_pods_is_judged[name] if {
	templated := {"spec": {"template": {"spec": _absent}}}
	some name, review in {
		"a pod that runs": _review("", "Pod", {"spec": _absent, "status": {"phase": "Running"}}),
		"a pod without a phase": _review("", "Pod", {"spec": _absent, "status": {}}),
		"a pod with a status of another type": _review("", "Pod", {"spec": _absent, "status": "Succeeded"}),
		"a Job that runs": _review("batch", "Job", object.union(templated, {"status": {"conditions": [
			{"type": "Complete", "status": "False"},
			{"type": "Suspended", "status": "True"},
		]}})),
		"a Job with conditions of another type": _review("batch", "Job", object.union(templated, {"status": {
			"conditions": "Complete",
		}})),
		"the present revision": _review("apps", "ReplicaSet", object.union_n([
			templated, _owned_by("apps/v1", "Deployment"), {"spec": {"replicas": 1}},
		])),
		"a ReplicaSet of its own": _review("apps", "ReplicaSet", object.union(templated, {"spec": {"replicas": 0}})),
		"a Deployment that is to be scaled up": _review(
			"apps",
			"Deployment",
			object.union(templated, {"spec": {"replicas": 0}}),
		),
	}
	_reasons(_found(review, {})) == ["missing"]
}

test_update_judges_what_is_new_or_changed[name] if {
	old := {"spec": {
		"containers": [{"name": "a", "image": "w"}, {"name": "b", "image": "v:main"}, {"name": "c", "image": "Z"}],
		"volumes": [{"name": "v", "image": {"reference": "w"}}],
	}}
	some name, [spec, paths] in {
		"the same": [old.spec, set()],
		"another order": [{"containers": [old.spec.containers[2], old.spec.containers[1], old.spec.containers[0]]}, set()],
		"other nodes": [object.union(old.spec, {"nodeSelector": {"zone": "1"}}), {
			"spec.containers[0]", "spec.containers[1]", "spec.containers[2]", "spec.volumes[0]",
		}],
		"another priority": [object.union(old.spec, {"priorityClassName": "x"}), set()],
		"another pull policy": [{"containers": [{"name": "a", "image": "w", "imagePullPolicy": "Never"}]}, set()],
		"another image": [{"containers": [{"name": "a", "image": "w2"}]}, {"spec.containers[0]"}],
		"another tag": [{"containers": [{"name": "b", "image": "v:edge"}]}, {"spec.containers[0]"}],
		"an image that is there": [{"containers": [{"name": "b", "image": "x:1"}]}, set()],
		"another name": [{"containers": [{"name": "d", "image": "w"}]}, {"spec.containers[0]"}],
		"another list": [{"initContainers": [old.spec.containers[0]]}, {"spec.initContainers[0]"}],
		"one more": [
			{"containers": array.concat(old.spec.containers, [{"name": "e", "image": "e"}])},
			{"spec.containers[3]"},
		],
		"a changed volume": [{"volumes": [{"name": "v", "image": {"reference": "w2"}}]}, {"spec.volumes[0]"}],
	}
	_paths(_found(_update(_pod(spec), old), {})) == paths
}

test_update_without_old_object_judges_all[name] if {
	some name, old in {"null": null, "no spec": {}, "wrong type": "pod", "wrong list": {"spec": {"containers": "a"}}}
	_paths(_found(_update(_pod(_absent), old), {})) == {"spec.containers[0]"}
}

test_old_object_counts_for_updates_only[name] if {
	some name, operation in {"audit": "", "create": "CREATE"}
	review := object.union(_pod(_absent), {"operation": operation, "oldObject": {"spec": _absent}})
	_paths(_found(review, {})) == {"spec.containers[0]"}
}

test_deletion_and_connection_are_never_blocked[operation] if {
	some operation in ["DELETE", "CONNECT"]
	_found(_at_admission(operation, _pod(_absent)), {}) == set()
}

test_review_without_operation_is_judged_as_in_audit if {
	review := object.remove(_pod(_absent), ["operation"])
	_reasons(_found(review, {})) == ["missing"]
	_reasons(_violations(review, _defaults, {})) == ["unsynced"]
}

# A node lists the largest of its images, or does not say: what it has then is a question for audit.
test_what_is_unknown_passes_at_admission[name] if {
	full := {"a": _with(["q.io/1:1", "q.io/2:1"])}
	some name, nodes in {
		"a list that is full": full,
		"no list": {"a": {"status": {"conditions": []}}},
		"no status": {"a": {}},
		"one that has not, one that does not say": {"a": _with([]), "b": {}},
	}
	every operation, reasons in {"": ["unknown"], "CREATE": [], "UPDATE": []} {
		review := _at_admission(operation, _running("w:1"))
		_reasons(_violations(review, object.union(_defaults, {"maxImages": 2}), _inventory(nodes))) == reasons
	}
}

test_a_daemon_set_needs_the_image_on_every_node[name] if {
	some name, [kind, image, selector, reasons] in {
		"on some": ["DaemonSet", "x:1", {}, ["partial"]],
		"on all that it runs on": ["DaemonSet", "x:1", {"zone": "2"}, []],
		"on none": ["DaemonSet", "w:1", {}, ["missing"]],
		"not a DaemonSet": ["Deployment", "x:1", {}, []],
	}
	spec := {"containers": [{"name": "a", "image": image}], "nodeSelector": selector}
	every operation in ["", "CREATE"] {
		_reasons(_found(_at_admission(operation, _templated("apps", kind, spec)), {})) == reasons
	}
}

test_what_a_daemon_set_is_told if {
	spec := {"containers": [{"name": "a", "image": "x:1"}]}
	_messages(_found(_templated("apps", "DaemonSet", spec), {})) == {concat("; ", [
		"container \"a\" image \"x:1\": on 2 of 3 nodes that can run it, and a DaemonSet has a pod on each",
		_pull,
	])}
	hidden := {"maxImages": 2}
	_messages(_found(_templated("apps", "DaemonSet", {"containers": [{"name": "a", "image": "z:1"}]}), hidden)) == {
		concat("; ", [
			"container \"a\" image \"z:1\": on 1 to 2 of 3 nodes that can run it, and a DaemonSet has a pod on each",
			_pull,
		]),
	}
}

test_short_names_of_cri_o if {
	node := object.union(_with(["q.io/x:1"]), {"status": {"nodeInfo": {"containerRuntimeVersion": "cri-o://1.34.0"}}})
	_violations(_running("x:1"), _defaults, _inventory({"a": node})) == set()
	_reasons(_violations(_running("docker.io/x:1"), _defaults, _inventory({"a": node}))) == ["missing"]
}

test_what_is_too_large_is_left_to_audit if {
	many := [{"name": "a", "image": "w"} | some _ in numbers.range(1, 1001)]
	review := _review("", "Pod", {"spec": {"containers": many}})
	_found(_at_admission("CREATE", review), {}) == set()
}
