package scope.changes_test

import data.scope.changes

_spec(policy) := {"containers": [{"name": "app", "image": "q.io/a:v1", "imagePullPolicy": policy}]}

_set(name, policy) := {
	"apiVersion": "apps/v1",
	"kind": "ReplicaSet",
	"metadata": {"namespace": "a", "name": name},
	"spec": {"template": {"spec": _spec(policy)}},
}

_pod(owner, policy) := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": {
		"namespace": "a",
		"name": "p",
		"ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}],
	},
	"spec": _spec(policy),
}

_change := {
	"namespace": "a", "kind": "ReplicaSet", "name": "web",
	"container": "app", "stated": "Always", "policy": "IfNotPresent",
}

test_found_each_once if {
	found := changes.found with input as {
		"pods": [_pod("web", "Always"), _pod("web", "Always")],
		"workloads": [_set("web", "IfNotPresent")],
	}
	found == [_change]
}

test_a_duplicate_workload[name] if {
	some name, case in {
		"the same": {"second": "IfNotPresent", "found": [_change]},
		"another policy": {"second": "Never", "found": [object.union(_change, {"policy": "IfNotPresent or Never"})]},
		"one says Always": {"second": "Always", "found": []},
	}
	twice := [_set("web", "IfNotPresent"), _set("web", case.second)]
	changes.between([_pod("web", "Always")], twice) == case.found
}

test_not_found[name] if {
	some name, case in {
		"the same": [_pod("web", "Always"), _set("web", "Always")],
		"implied": [_pod("web", "IfNotPresent"), _set("web", null)],
		"another owner": [_pod("api", "Always"), _set("web", "IfNotPresent")],
		"no owner": [object.remove(_pod("web", "Always"), ["metadata"]), _set("web", "IfNotPresent")],
	}
	changes.between([case[0]], [case[1]]) == []
}

_more(pod, list, item) := object.union(pod, {"spec": {list: array.concat(object.get(pod.spec, list, []), [item])}})

_sidecar(policy) := {"name": "proxy", "image": "q.io/proxy:v1", "imagePullPolicy": policy}

_injected := object.union(_change, {"container": "proxy", "policy": null})

test_injected[name] if {
	some name, case in {
		"a container": {"list": "containers", "item": _sidecar("Always"), "found": [_injected]},
		"a native sidecar": {"list": "initContainers", "item": _sidecar("Always"), "found": [_injected]},
		"an image volume": {
			"list": "volumes",
			"item": {"name": "app", "image": {"reference": "q.io/v:v1", "pullPolicy": "Always"}},
			"found": [object.union(_injected, {"container": "app"})],
		},
		"another policy": {
			"list": "containers",
			"item": _sidecar("IfNotPresent"),
			"found": [object.union(_injected, {"stated": "IfNotPresent"})],
		},
		"a container for debugging": {"list": "ephemeralContainers", "item": _sidecar("Always"), "found": []},
		"another volume": {"list": "volumes", "item": {"name": "proxy", "emptyDir": {}}, "found": []},
	}
	pod := _more(_pod("web", "IfNotPresent"), case.list, case.item)
	changes.between([pod], [_set("web", "IfNotPresent")]) == case.found
}

test_a_container_of_the_template_that_becomes_a_native_sidecar if {
	pod := _more(_pod("web", "IfNotPresent"), "initContainers", _sidecar("Always"))
	set := _set("web", "IfNotPresent")
	template := _more(set.spec.template, "containers", _sidecar("IfNotPresent"))
	found := changes.between([pod], [object.union(set, {"spec": {"template": template}})])
	found == [object.union(_change, {"container": "proxy"})]
}

test_nothing_is_injected_where_the_template_is_not_known[name] if {
	some name, workloads in {
		"no workload": [],
		"no container": [object.union(_set("web", "Always"), {"spec": {"template": {"spec": {"containers": []}}}})],
	}
	changes.between([_pod("web", "Always")], workloads) == []
}

test_controller if changes.controller(_pod("web", "Always")) == ["a", "ReplicaSet", "web"]
