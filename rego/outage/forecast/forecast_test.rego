package outage.forecast_test

import data.outage.forecast

_use := {
	"list": "containers", "name": "c", "image": "example.org/a:1", "policies": ["IfNotPresent"],
	"events": ["replace", "restart"], "valid": true, "gone": true, "doubt": "",
	"present": 0, "missing": 0, "unknown": 0, "verifying": 0,
}

_case := {
	"event": "replace", "remade": true, "doubt": "", "bound": false, "known": true, "nodes": 2,
	"uses": [_use], "running": [],
}

_answer(change) := answers[0] if {
	answers := forecast.verdicts with input as {"cases": [object.union(_case, change)]}
}

_of(use, change) := [found.verdict, found.reason] if {
	found := _answer(object.union({"uses": [object.union(_use, use)]}, change)).uses[0]
}

test_one_use[name] if {
	some name, case in {
		"always": {"use": {"policies": ["Always"], "present": 2}, "found": ["stays down", "always"]},
		"always, and it is not gone": {
			"use": {"policies": ["Always"], "gone": false, "missing": 2},
			"found": ["starts", "registry-reachable"],
		},
		"missing, and it is not gone": {"use": {"gone": false, "missing": 2}, "found": ["starts", "registry-reachable"]},
		"never, and it is not gone": {
			"use": {"policies": ["Never"], "gone": false, "missing": 2},
			"found": ["stays down", "never-without-image"],
		},
		"on every node": {"use": {"present": 2}, "found": ["starts", "image-on-every-node"]},
		"on no node": {"use": {"missing": 2}, "found": ["stays down", "image-on-no-node"]},
		"on some nodes": {"use": {"present": 1, "missing": 1}, "found": ["unknown", "image-on-some-nodes"]},
		"not listed": {"use": {"present": 1, "unknown": 1}, "found": ["unknown", "listing-cut"]},
		"not listed and missing": {"use": {"missing": 1, "unknown": 1}, "found": ["unknown", "listing-cut"]},
		"on its node": {
			"use": {"present": 1},
			"change": {"bound": true, "nodes": 1},
			"found": ["starts", "image-on-node"],
		},
		"not on its node": {
			"use": {"missing": 1},
			"change": {"bound": true, "nodes": 1},
			"found": ["stays down", "image-not-on-node"],
		},
		"never, and it is not on its node": {
			"use": {"policies": ["Never"], "missing": 1},
			"change": {"bound": true, "nodes": 1},
			"found": ["stays down", "never-without-image"],
		},
		"in doubt": {"use": {"present": 2, "verifying": 1, "doubt": "spelling"}, "found": ["unknown", "spelling"]},
		"in doubt where nobody asks": {
			"use": {"present": 2, "doubt": "spelling"},
			"found": ["starts", "image-on-every-node"],
		},
		"no image": {"use": {"image": ""}, "found": ["unknown", "no-image"]},
		"invalid image": {"use": {"valid": false}, "found": ["stays down", "invalid-image"]},
		"invalid policy": {"use": {"policies": ["always"]}, "found": ["stays down", "invalid-policy"]},
		"no node": {"use": {"gone": false}, "change": {"nodes": 0}, "found": ["stays down", "no-node"]},
		"nodes unknown": {"use": {}, "change": {"known": false, "nodes": -1}, "found": ["unknown", "nodes-unknown"]},
		"nodes unknown, and always": {
			"use": {"policies": ["Always"]},
			"change": {"known": false, "nodes": -1},
			"found": ["stays down", "always"],
		},
		"two policies": {
			"use": {"policies": ["Always", "IfNotPresent"], "present": 2},
			"found": ["unknown", "may-be-changed"],
		},
		"two policies that come to the same": {
			"use": {"policies": ["Always", "IfNotPresent"], "missing": 2},
			"found": ["stays down", "always"],
		},
		"in doubt as a whole": {
			"use": {"present": 2},
			"change": {"doubt": "snapshot-incomplete"},
			"found": ["unknown", "snapshot-incomplete"],
		},
		"down whatever is in doubt": {
			"use": {"missing": 2},
			"change": {"doubt": "snapshot-incomplete"},
			"found": ["stays down", "image-on-no-node"],
		},
		"nobody makes it": {"use": {"gone": false}, "change": {"remade": false}, "found": ["stays down", "no-controller"]},
	}
	_of(case.use, object.get(case, "change", {})) == case.found
}

test_the_worst_counts if {
	uses := [object.union(_use, {"present": 2}), object.union(_use, {"missing": 2}), object.union(_use, {"unknown": 2})]
	[_answer({"uses": array.slice(uses, 0, number)}).verdict | some number in [0, 1, 2, 3]] == [
		"starts",
		"starts",
		"stays down",
		"stays down",
	]
	_answer({"uses": [uses[0], uses[2]]}).verdict == "unknown"
}

test_only_what_the_event_starts if _answer({"event": "reboot"}) == {"verdict": "starts", "uses": [], "running": []}

test_a_pod_that_was_changed_on_its_way_in if {
	_of({"present": 2}, {"running": [object.union(_use, {"policies": ["Always"]})]}) == ["unknown", "may-be-changed"]
	_of({"present": 2}, {"running": [object.union(_use, {"policies": ["Never"]})]}) == ["starts", "image-on-every-node"]
	_of({"present": 2}, {"running": [object.union(_use, {"policies": ["Always"], "list": "volumes"})]}) == [
		"starts",
		"image-on-every-node",
	]
}

test_what_is_injected if {
	injected := object.union(_use, {"list": "initContainers", "name": "proxy"})
	cases := [
		object.union(injected, {"present": 2}),
		object.union(injected, {"name": "other", "policies": ["Always"]}),
		object.union(injected, {"name": "third", "policies": ["Always"], "events": ["restart"]}),
		object.union(injected, {"name": "c", "policies": ["IfNotPresent"]}),
	]
	_answer({"uses": [object.union(_use, {"present": 2})], "running": cases}) == {
		"verdict": "unknown",
		"uses": [{"index": 0, "verdict": "starts", "reason": "image-on-every-node"}],
		"running": [
			{"index": 0, "verdict": "starts", "reason": "image-on-every-node"},
			{"index": 1, "verdict": "unknown", "reason": "injected"},
		],
	}
}
