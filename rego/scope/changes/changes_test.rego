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
	"metadata": {"namespace": "a", "name": "p", "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}]},
	"spec": _spec(policy),
}

_change := {"namespace": "a", "kind": "ReplicaSet", "name": "web", "container": "app", "policy": "IfNotPresent"}

test_found_each_once if {
	found := changes.found with input as {
		"pods": [_pod("web", "Always"), _pod("web", "Always")],
		"workloads": [_set("web", "IfNotPresent")],
	}
	found == [_change]
}

test_a_workload_that_is_there_twice[name] if {
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

test_controller if changes.controller(_pod("web", "Always")) == ["a", "ReplicaSet", "web"]
