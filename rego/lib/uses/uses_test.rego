package lib.uses_test

import data.lib.uses

_use := {
	"spec": ["spec", "jobs", 2, "spec"], "path": ["spec", "jobs", 2, "spec", "containers", 1], "list": "containers",
	"name": "a", "image": "x:1", "stated": "Always",
}

_request(operation, parameters) := {"parameters": parameters, "review": {
	"kind": {"group": "", "version": "v1", "kind": "Pod"},
	"operation": operation,
	"object": {"spec": {"containers": [{"name": "new", "image": "x:2"}]}},
	"oldObject": {"spec": {"containers": [{"name": "old", "image": "x:1"}]}},
}}

test_current[name] if {
	some name, request in {
		"audit": _request("", {}),
		"creation": _request("CREATE", {}),
		"update": _request("UPDATE", {}),
		"operation null": _request(null, {}),
		"no operation": {"parameters": {}, "review": object.remove(_request("", {}).review, ["operation"])},
		"no parameters": {"review": _request("", {}).review},
		"parameters of another type": _request("", "none"),
	}
	[use.name | some use in uses.current(request)] == ["new"]
}

test_nothing_current[operation] if {
	some operation in ["DELETE", "CONNECT"]
	not uses.current(_request(operation, {}))
}

test_nothing_current_without_review if not uses.current({"parameters": {}})

test_earlier if [use.name | some use in uses.earlier(_request("UPDATE", {}))] == ["old"]

test_nothing_earlier[operation] if {
	some operation in ["", "CREATE", "DELETE", null]
	not uses.earlier(_request(operation, {}))
}

test_custom_kinds if {
	spec := {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}
	request := {
		"parameters": {"customKinds": [{"group": "example.com", "kind": "Job", "paths": ["spec.template.spec"]}]},
		"review": {
			"kind": {"group": "example.com", "version": "v1", "kind": "Job"},
			"operation": "UPDATE",
			"object": {"spec": spec},
			"oldObject": {"spec": spec},
		},
	}
	every found in [uses.current(request), uses.earlier(request)] {
		[uses.path(use) | some use in found] == ["spec.template.spec.containers[0]"]
	}
}

_controlled(operation, parameters) := object.union(_request(operation, parameters), {"review": {"object": {"metadata": {
	"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true}],
}}}})

test_excused[name] if {
	some name, request in {
		"exempt": _request("", {"exemptImages": ["x:1"]}),
		"exempt by a prefix": _request("CREATE", {"exemptImages": ["y", "x*"]}),
		"left to audit": _controlled("CREATE", {}),
		"left to audit, without parameters": object.remove(_controlled("UPDATE", {}), ["parameters"]),
		"left to audit, by a parameter of another type": _controlled("CREATE", {"controlledPods": 7}),
	}
	uses.is_excused(_use, request)
}

test_not_excused[name] if {
	some name, [request, change] in {
		"nothing speaks for it": [_request("CREATE", {"exemptImages": []}), {}],
		"another is exempt": [_request("CREATE", {"exemptImages": ["x"]}), {}],
		"exemptions of another type": [_request("CREATE", {"exemptImages": "x:1"}), {}],
		"an image of another type": [_request("CREATE", {"exemptImages": ["*"]}), {"image": 7}],
		"audit of a controlled pod": [_controlled("", {}), {}],
		"no operation": [{"parameters": {}, "review": object.remove(_controlled("", {}).review, ["operation"])}, {}],
		"controlled pods are to be denied": [_controlled("CREATE", {"controlledPods": "deny"}), {}],
		"a debug container": [_controlled("UPDATE", {}), {"list": "ephemeralContainers"}],
	}
	not uses.is_excused(object.union(_use, change), request)
}

test_identity if {
	used := object.union(_use, {"place": ["spec", "jobs", ["c"], "spec"]})
	same := {"place": ["spec", "jobs", ["c"], "spec"], "list": "containers", "name": "a", "image": "x:1"}
	uses.identity(used) == same
	uses.identity(object.union(used, {"spec": ["spec", "jobs", 0, "spec"], "path": [], "stated": null})) == same
}

test_kept[name] if {
	[a, b, x] := [[{"place": ["jobs", ["a"]]}], [{"place": ["jobs", ["b"]]}, "Always"], [{"place": ["jobs", []]}]]
	some name, [now, before, kept] in {
		"as before": [[a, b], [a, b], {a, b}],
		"another order": [[b, a], [a, b], {a, b}],
		"one more": [[a, b], [a], {a}],
		"one less": [[a], [a, b], {a}],
		"more of the same name": [[a, a], [a], {a}],
		"nothing before": [[a, x], [], set()],
		"without names": [[x, x], [x, x], {x}],
		"one less, without names": [[x], [x, x], {x}],
		"one more, without names": [[x, x], [x], set()],
	}
	uses.kept(now, before) == kept
}

_asked(user, trusted) := object.union(_controlled("CREATE", {"controlledPods": "trusted", "trustedUsers": trusted}), {
	"review": {"userInfo": user},
})

_node := {"username": "system:node:a", "groups": ["system:nodes", "system:authenticated"]}

test_controllers_are_trusted[name] if {
	some name, [user, trusted] in {
		"kube-controller-manager": [{"username": "system:kube-controller-manager"}, []],
		"one of its controllers": [{"username": "system:serviceaccount:kube-system:replicaset-controller"}, []],
		"a node": [_node, []],
		"one that is listed": [{"username": "rollouts"}, ["rollouts"]],
		"one of a prefix": [{"username": "system:serviceaccount:argo:rollouts"}, ["x", "system:serviceaccount:argo:*"]],
	}
	uses.is_excused(_use, _asked(user, trusted))
}

test_others_are_not_trusted[name] if {
	some name, [user, trusted] in {
		"nobody": [{}, []],
		"somebody": [{"username": "someone", "groups": ["system:masters"]}, ["rollouts"]],
		"a node's name without its group": [{"username": "system:node:a", "groups": []}, []],
		"a node's group without its name": [{"username": "someone", "groups": ["system:nodes"]}, []],
		"another account of the namespace": [{"username": "system:serviceaccount:kube-system:default"}, []],
		"an account of another namespace": [{"username": "system:serviceaccount:shop:replicaset-controller"}, []],
		"users of another type": [{"username": "rollouts"}, "rollouts"],
	}
	not uses.is_excused(_use, _asked(user, trusted))
}

test_is_open[image] if {
	some image in ["{{inputs.parameters.image}}", "x:$(params.tag)", "${IMAGE}", " "]
	use := object.union(_use, {"image": image})
	uses.is_open(use, {"group": "argoproj.io", "kind": "Workflow"})
	not uses.is_open(use, {"group": "", "kind": "Pod"})
}

test_is_not_open[name] if {
	some name, image in {"an image": "x:1", "empty": "", "a dollar": "x$1", "none": null, "a number": 7}
	not uses.is_open(object.union(_use, {"image": image}), {"group": "argoproj.io", "kind": "Workflow"})
}

test_is_admission[operation] if {
	some operation in ["CREATE", "UPDATE"]
	uses.is_admission(_request(operation, {}))
}

test_is_not_admission[operation] if {
	some operation in ["", "DELETE", null]
	not uses.is_admission(_request(operation, {}))
}

test_path if uses.path(_use) == "spec.jobs[2].spec.containers[1]"

test_policy_path if {
	uses.policy_path(object.union(_use, {"policy_path": ["spec", "jobs", 2, "pull"]})) == "spec.jobs[2].pull"
}

test_pulled_path[name] if {
	some name, [change, path] in {
		"container": [{}, "spec.jobs[2].spec.containers[1]"],
		"field with a pull policy": [
			{"list": "images", "spec": ["spec"], "field": "pull", "policy_path": ["spec", "pull"]},
			"spec.pull",
		],
		"field with a pull policy above": [
			{"list": "images", "field": "pull", "policy_path": ["spec", "pull"], "path": ["spec", "a", "image"]},
			"spec.a.image",
		],
		"field without one": [{"list": "images", "path": ["spec", "image"], "stated": null}, "spec.image"],
	}
	uses.pulled_path(object.union(_use, change)) == path
}

test_message[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	some name, [change, message] in {
		"container": [{}, "container \"a\" image \"x:1\": bad"],
		"init container": [{"list": "initContainers"}, "init container \"a\" image \"x:1\": bad"],
		"ephemeral container": [{"list": "ephemeralContainers"}, "ephemeral container \"a\" image \"x:1\": bad"],
		"image volume": [{"list": "volumes"}, "image volume \"a\" image \"x:1\": bad"],
		"field": [{"list": "images", "name": "spec.image"}, "field \"spec.image\" image \"x:1\": bad"],
		"no name and no image": [{"name": null, "image": null}, "container \"(none)\" image \"(none)\": bad"],
		"hostile": [{"name": "ü\n", "image": ["\u001b"]}, "container \"??\" image \"[\"\\u001b\"]\": bad"],
		"long": [{"name": long, "image": long}, sprintf("container \"%s...%s\" image \"%s...%s\": bad", [
			substring(long, 0, 18), substring(long, 481, -1), substring(long, 0, 93), substring(long, 406, -1),
		])],
	}
	uses.message(object.union(_use, change), "bad") == message
	count(message) <= 256
}

_large(size) := [{"name": sprintf("c%d", [number]), "image": "a:1"} | some number in numbers.range(1, size)]

_of_containers(operation, containers, more) := object.union(
	{"parameters": {}, "review": {
		"operation": operation,
		"kind": {"group": "", "version": "v1", "kind": "Pod"},
		"object": {"spec": {"containers": containers, "volumes": [{"name": "v"}], "initContainers": null}},
	}},
	more,
)

_rollout(operation, containers, more) := object.union(
	_of_containers(operation, [], {"review": {
		"kind": {"group": "argoproj.io", "version": "v1alpha1", "kind": "Rollout"},
		"object": {"spec": {"template": {"spec": {"containers": containers, "volumes": [{"name": "v"}]}}}},
	}}),
	more,
)

test_what_is_too_large_to_be_judged_in_time[name] if {
	owned := {"review": {"object": {"metadata": {"ownerReferences": [{"controller": true}]}}}}
	exempt := {"parameters": {"exemptImages": ["*"]}}
	same := {"review": {"oldObject": _of_containers("", _large(1000), {}).review.object}}
	other := {"review": {"oldObject": {"spec": {"containers": _large(1000)}}}}
	some name, [request, uses_judged, told] in {
		"as many as can be": [_of_containers("CREATE", _large(999), {}), 999, false],
		"one more": [_of_containers("CREATE", _large(1000), {}), 0, true],
		"in audit": [_of_containers("", _large(1000), {}), 1000, false],
		"in an edit of it": [_of_containers("UPDATE", _large(1000), other), 0, true],
		"in an edit of something else": [_of_containers("UPDATE", _large(1000), same), 0, false],
		"made by a controller": [_of_containers("CREATE", _large(1000), owned), 0, false],
		"where a controller is judged": [
			_of_containers("CREATE", _large(1000), object.union(owned, {"parameters": {"controlledPods": "deny"}})),
			0, true,
		],
		"deleted": [_of_containers("DELETE", _large(1000), {}), 0, false],
		"a known custom resource": [_rollout("CREATE", _large(1000), {}), 0, true],
		"an edit of something else in it": [
			_rollout("UPDATE", _large(1000), {"review": {"oldObject": object.union(
				{"metadata": {"generation": 1}},
				_rollout("", _large(1000), {}).review.object,
			)}}),
			0, false,
		],
		"whatever is exempt": [_of_containers("CREATE", _large(1000), exempt), 0, true],
	}
	count([use | some use in uses.current(request)]) == uses_judged
	[uses.unjudged(request) | uses.unjudged(request)] == [message |
		told
		message := "1001 containers and volumes are too many to judge in time; use at most 1000"
	]
}
