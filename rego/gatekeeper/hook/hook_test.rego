package gatekeeper.hook_test

import data.gatekeeper.hook

_request := {
	"review": {"object": {"kind": "Pod"}, "kind": "k"},
	"object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "web"}},
	"oldObject": null,
	"namespaceObject": null,
	"source": "Original",
}

_key := {"kind": "Any", "name": "it"}

_constraint(spec) := {"kind": "Any", "metadata": {"name": "it"}, "spec": spec}

_said(parameters) := {
	"key": _key,
	"msg": json.marshal([{"kind": "Pod"}, parameters, {"cluster": {}}]),
	"details": {},
}

test_responses[name] if {
	some name, [spec, expected] in {
		"no spec": [null, {_said({})}],
		"null parameters": [{"parameters": null}, {_said({})}],
		"parameters": [{"parameters": {"a": 1}}, {_said({"a": 1})}],
		"details": [{"parameters": {"details": true}}, {
			_said({"details": true}),
			{"key": _key, "msg": "with details", "details": {"kind": "k"}},
		}],
		"no match": [{"match": {"kinds": [{"kinds": ["Node"]}]}}, set()],
		"no answer to the match": [{"match": {"namespaceSelector": {}}}, {{
			"key": _key,
			"msg": concat("", [
				"unable to match constraints: error matching the requested object: p :failed to run Match criteria: ",
				"namespace selector for namespace-scoped object but missing Namespace",
			]),
			"details": {},
		}}],
	}
	hook.responses("hook_echo", _constraint(spec), _request, {"cluster": {}}) == expected
}
