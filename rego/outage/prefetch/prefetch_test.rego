package outage.prefetch_test

import data.outage.prefetch

_use := {
	"list": "containers", "name": "c", "image": "example.org/a:1", "policies": ["IfNotPresent"],
	"events": ["replace"], "valid": true, "gone": true, "doubt": "",
}

_help(case) := helps[0] if {
	helps := prefetch.found with input as {"cases": [object.union({"event": "replace", "running": []}, case)]}
}

test_one_use[name] if {
	some name, case in {
		"the image is all that it needs": {"use": {}, "fetch": ["missing", "unknown"], "unsolved": ""},
		"never": {"use": {"policies": ["Never"]}, "fetch": ["missing", "unknown"], "unsolved": ""},
		"its registry is there": {"use": {"gone": false}, "fetch": [], "unsolved": ""},
		"never, and its registry is there": {
			"use": {"gone": false, "policies": ["Never"]},
			"fetch": ["missing", "unknown"], "unsolved": "",
		},
		"always": {"use": {"policies": ["Always"]}, "fetch": ["missing", "unknown"], "unsolved": "always"},
		"it may be changed": {
			"use": {"policies": ["IfNotPresent", "Always"]},
			"fetch": ["missing", "unknown"], "unsolved": "may-be-changed",
		},
		"in doubt": {"use": {"doubt": "credentials"}, "fetch": ["missing", "unknown", "verifying"], "unsolved": ""},
		"in doubt, and its registry is there": {
			"use": {"doubt": "credentials", "gone": false},
			"fetch": [], "unsolved": "",
		},
		"no reference": {"use": {"valid": false}, "fetch": [], "unsolved": "invalid-image"},
		"no image": {"use": {"valid": false, "image": null}, "fetch": [], "unsolved": "no-image"},
		"no pull policy": {
			"use": {"policies": ["always"]},
			"fetch": ["missing", "unknown"], "unsolved": "invalid-policy",
		},
	}
	help := _help({"uses": [object.union(_use, case.use)]})
	help == {"uses": [{"index": 0, "fetch": case.fetch, "unsolved": case.unsolved}], "running": []}
}

test_only_what_the_event_starts if {
	other := object.union(_use, {"events": ["restart"]})
	[use.index | some use in _help({"uses": [other, _use]}).uses] == [1]
}

test_what_something_has_added if {
	added := object.union(_use, {"name": "added", "policies": ["Always"]})
	_help({"uses": [_use], "running": [_use, added]}) == {
		"uses": [{"index": 0, "fetch": ["missing", "unknown"], "unsolved": ""}],
		"running": [{"index": 1, "fetch": ["missing", "unknown"], "unsolved": "injected"}],
	}
}

_service := {"namespace": "infra", "selector": {"app": "registry"}}

_pod := {"namespace": "infra", "labels": {"app": "registry", "x": "y"}, "ready": true}

test_services_that_are_down[name] if {
	some name, case in {
		"a pod is ready": {"pods": [_pod], "down": []},
		"none is ready": {"pods": [object.union(_pod, {"ready": false})], "down": [0]},
		"others are ready": {
			"pods": [object.union(_pod, {"namespace": "other"}), object.union(_pod, {"labels": {"app": "web"}})],
			"down": [0],
		},
		"pods are not known": {"pods": [], "down": []},
		"it has no selector": {
			"service": {"namespace": "infra", "selector": {}},
			"pods": [object.union(_pod, {"ready": false})], "down": [],
		},
	}
	found := prefetch.down with input as {"services": [object.get(case, "service", _service)], "pods": case.pods}
	found == case.down
}

test_nodes_that_mount_images if {
	nodes := {name: node |
		some name, [kubelet, runtime] in {
			"new": ["v1.36.3", "containerd://2.1.4"],
			"other": ["v1.35.0-rc.1+k3s1", "cri-o://1.35.0"],
			"next": ["v2.0.0", "containerd://3.0.0"],
			"old": ["v1.34.9", "containerd://2.2.0"],
			"old runtime": ["v1.36.3", "containerd://1.7.27"],
			"another runtime": ["v1.36.3", "docker://28.0.0"],
			"no version": ["v1.36.3", "containerd://Unknown"],
			"no kubelet": ["", "containerd://2.1.4"],
			"no runtime": ["v1.36.3", ""],
		}
		node := {"status": {"nodeInfo": {"kubeletVersion": kubelet, "containerRuntimeVersion": runtime}}}
	}
	found := prefetch.mounting with input as {"nodes": object.union(nodes, {"nothing": {"status": {}}})}
	{name | some name in found} == {"new", "other", "next"}
}
