package gatekeeper.plan_test

import data.gatekeeper.plan
import data.gatekeeper.review

_pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "web"}}

_web := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "labels": {"team": "a"}}}

_team := {"namespaceSelector": {"matchLabels": {"team": "a"}}}

_elsewhere := {"enforcementAction": "scoped", "scopedEnforcementActions": [{
	"action": "deny",
	"enforcementPoints": [{"name": "audit.gatekeeper.sh"}],
}]}

test_tests if {
	request := {"operation": "UPDATE", "object": _pod, "namespace": "web"}
	planned := plan.tests with input as {"tests": [
		{"constraint": {"spec": {"parameters": {"a": 1}}}, "cases": [
			{"object": _pod, "namespaces": {}},
			{"admission": request, "namespaces": {}},
		]},
		{"constraint": {"spec": {"match": _team}}, "cases": [
			{"object": _pod, "namespaces": {"web": _web}},
			{"object": _pod, "namespaces": {"web": object.remove(_web, ["metadata"])}},
			{"object": _pod, "namespaces": {"other": _web}},
		]},
		{"constraint": {"spec": _elsewhere}, "cases": [{"object": _pod, "namespaces": {}}]},
		{"constraint": {}, "cases": []},
	]}
	planned == [
		{"parameters": {"a": 1}, "cases": [
			{"review": review.from_object(_pod, "")},
			{"review": review.from_admission(request)},
		]},
		{"parameters": {}, "cases": [
			{"review": review.from_object(_pod, "")},
			{},
			{"rejected": concat("", [
				"unable to match constraints: error matching the requested object: p :failed to run Match criteria: ",
				"namespace selector for namespace-scoped object but missing Namespace",
			])},
		]},
		{"parameters": {}, "cases": [{}]},
		{"parameters": {}, "cases": []},
	]
}

# A request may lack a namespace, and a Namespace a name. They must not match each other.
test_a_namespace_without_a_name_matches_no_request if {
	planned := plan.tests with input as {"tests": [{
		"constraint": {"spec": {"match": _team}},
		"cases": [{
			"admission": {"operation": "CREATE", "object": _pod},
			"namespaces": {"": object.remove(_web, ["metadata"])},
		}],
	}]}
	planned == [{"parameters": {}, "cases": [{"rejected": concat("", [
		"unable to match constraints: error matching the requested object: p :failed to run Match criteria: ",
		"namespace selector for namespace-scoped object but missing Namespace",
	])}]}]
}

test_matching if {
	found := plan.matching with input as {"patterns": ["^a", "(?i)B", "(", ""], "texts": ["ab", "ba"]}
	found == [[true, false], [true, true], null, [true, true]]
}
