package policies.example_policy_test

import data.policies.example_policy as policy

_message := "container \"a\" image \"example.com/old:1\": is unwanted; use another image"

_violations(review, parameters) := result if {
	defaults := {"unwantedImages": ["example.com/old*"], "exemptImages": [], "customKinds": [], "controlledPods": "audit"}
	result := policy.violation with input as {
		"review": review,
		"parameters": object.union(defaults, parameters),
	}
}

_pod(image) := {
	"kind": {"group": "", "version": "v1", "kind": "Pod"},
	"object": {"spec": {"containers": [{"name": "a", "image": image}]}},
	"oldObject": null,
	"operation": "CREATE",
}

test_messages[name] if {
	some name, [image, parameters, messages] in {
		"unwanted": ["example.com/old:1", {}, {_message}],
		"another": ["example.com/new:1", {}, set()],
		"exempt": ["example.com/old:1", {"exemptImages": ["example.com/*"]}, set()],
		"none is unwanted": ["example.com/old:1", {"unwantedImages": []}, set()],
		"the parameter is of the wrong type": ["example.com/old:1", {"unwantedImages": "example.com/old:1"}, set()],
		"the image is of the wrong type, which the API server refuses": [1, {}, set()],
	}
	{found.msg | some found in _violations(_pod(image), parameters)} == messages
}

test_details if {
	details := {"path": "spec.containers[0]", "image": "example.com/old:1", "reason": "unwanted"}
	{found.details | some found in _violations(_pod("example.com/old:1"), {})} == {details}
}

test_an_update_is_judged_by_what_it_changes[name] if {
	some name, [before, messages] in {
		"nothing": ["example.com/old:1", set()],
		"the image": ["example.com/new:1", {_message}],
	}
	review := object.union(_pod("example.com/old:1"), {"operation": "UPDATE", "oldObject": _pod(before).object})
	{found.msg | some found in _violations(review, {})} == messages
}
