package outage.needs_test

import data.outage.needs

_made := {"namespace": "a", "made": true}

_of_template := {"namespace": "a", "made": false, "seen": null}

_needs(pod, more) := found[0] if {
	found := needs.found with input as object.union({"pods": [pod], "accounts": {}, "mutations": {}}, more)
}

_events(pod_spec) := {use.name: use.events |
	some use in _needs(object.union(_made, {"spec": pod_spec}), {}).uses
}

_container := {"name": "c", "image": "example.org/a:1"}

_everything := {"lose", "reboot", "replace", "restart"}

test_what_starts_again[name] if {
	some name, case in {
		"container": {
			"spec": {"containers": [_container]},
			"events": {"c": _everything},
		},
		"container of a pod that restarts on failure": {
			"spec": {"restartPolicy": "OnFailure", "containers": [_container]},
			"events": {"c": _everything},
		},
		"container of a pod that does not restart": {
			"spec": {"restartPolicy": "Never", "containers": [_container]},
			"events": {"c": {"lose", "replace"}},
		},
		"container with a policy of its own": {
			"spec": {"restartPolicy": "Never", "containers": [object.union(_container, {"restartPolicy": "Always"})]},
			"events": {"c": {"lose", "replace", "restart"}},
		},
		"init container": {
			"spec": {"initContainers": [_container]},
			"events": {"c": _everything - {"restart"}},
		},
		"sidecar": {
			"spec": {"initContainers": [object.union(_container, {"restartPolicy": "Always"})]},
			"events": {"c": _everything},
		},
		"ephemeral container": {
			"spec": {"ephemeralContainers": [_container]},
			"events": {},
		},
		"image volume of an init container": {
			"spec": {
				"initContainers": [object.union(_container, {"volumeMounts": [{"name": "v"}, {"name": "w"}]})],
				"volumes": [{"name": "v", "image": {"reference": "example.org/v:1"}}],
			},
			"events": {"c": _everything - {"restart"}, "v": _everything - {"restart"}},
		},
		"image volume that nothing mounts": {
			"spec": {"containers": [_container], "volumes": [{"name": "v", "image": {"reference": "example.org/v:1"}}]},
			"events": {"c": _everything},
		},
		"nothing": {"spec": {"containers": null}, "events": {}},
	}
	_events(case.spec) == case.events
}

_policies(pod, mutations) := _needs(pod, {"mutations": {"a": mutations}}).uses[0].policies

_mutation(value, certain) := {"by": "m", "value": value, "certain": certain, "onlyPinned": false}

_ours(certain) := {"by": "ours", "value": "IfNotPresent", "certain": certain, "onlyPinned": true}

test_policies[name] if {
	some name, case in {
		"stated": {"stated": "Never", "policies": ["Never"]},
		"implied": {"stated": null, "policies": ["IfNotPresent"]},
		"certainly another": {"mutations": [_mutation("Always", true)], "policies": ["Always"]},
		"maybe another": {"mutations": [_mutation("Always", false)], "policies": ["Always", "IfNotPresent"]},
		"the last one counts": {
			"mutations": [_mutation("Never", true), _mutation("Always", true), _mutation("Never", false)],
			"policies": ["Always", "Never"],
		},
		"only Always is changed": {"stated": "Never", "mutations": [_ours(true)], "policies": ["Never"]},
		"where it is pinned": {"stated": "Always", "mutations": [_ours(true)], "policies": ["IfNotPresent"]},
		"not where it is not": {"image": "a:latest", "mutations": [_ours(true)], "policies": ["Always"]},
	}
	container := {
		"image": object.get(case, "image", "example.org/a:1"),
		"imagePullPolicy": object.get(case, "stated", null),
	}
	mutations := object.get(case, "mutations", [])
	_policies(object.union(_of_template, {"spec": {"containers": [container]}}), mutations) == case.policies
}

test_nothing_changes_what_is_made if {
	_policies(object.union(_made, {"spec": {"containers": [_container]}}), [_mutation("Always", true)]) == ["IfNotPresent"]
}

test_credentials[name] if {
	some name, case in {
		"of a pod": {"pod": object.union(_made, {"spec": {"imagePullSecrets": [{"name": "s"}]}}), "found": {"Secret a/s"}},
		"of a pod without": {"pod": object.union(_made, {"spec": {"imagePullSecrets": null}}), "found": set()},
		"of a pod that names none": {
			"pod": object.union(_made, {"spec": {"imagePullSecrets": [{"name": 1}, {}, "s"]}}),
			"found": set(),
		},
		"of an account without a name": {
			"pod": object.union(_of_template, {"spec": {"serviceAccountName": 1}}),
			"found": set(),
		},
		"of a template": {
			"pod": object.union(_of_template, {"spec": {"imagePullSecrets": [{"name": "s"}], "serviceAccountName": "x"}}),
			"found": {"Secret a/s"},
		},
		"of its account": {
			"pod": object.union(_of_template, {"spec": {"serviceAccountName": "x"}}),
			"found": {"Secret a/of-x"},
		},
		"of the default account": {"pod": object.union(_of_template, {"spec": {}}), "found": set()},
		"of an account that is not known, as a pod shows": {
			"pod": object.union(_of_template, {"spec": {"serviceAccountName": "y"}, "seen": ["z"]}),
			"found": {"Secret a/z"},
		},
		"of an account that is not known": {
			"pod": object.union(_of_template, {"spec": {"serviceAccountName": "y"}}),
			"found": {"ServiceAccount a/y"},
		},
	}
	_needs(case.pod, {"accounts": {"a": {"default": [], "x": ["of-x"]}}}).credentials == case.found
}
