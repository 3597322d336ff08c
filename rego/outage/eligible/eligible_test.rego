package outage.eligible_test

import data.outage.eligible

_node(labels, version) := {"metadata": {"labels": labels}, "status": {"nodeInfo": {"kubeletVersion": version}}}

test_found if {
	found := eligible.found with input as {
		"nodes": {"a": _node({"disk": "ssd"}, ""), "b": _node({}, "")},
		"pods": [
			{"spec": {}, "kind": ""},
			{"spec": {"nodeSelector": {"disk": "ssd"}}, "kind": ""},
			{"spec": {"nodeSelector": {"disk": "no"}}, "kind": "DaemonSet"},
		],
	}
	found == [{"a", "b"}, {"a"}, set()]
}

_term(term) := {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
	"nodeSelectorTerms": [term],
}}}}

test_asked if {
	asked := eligible.asked with input as {"pods": [
		{"spec": {}},
		{"spec": {"nodeSelector": {"disk": "ssd"}}},
		{"spec": _term({"matchExpressions": [{"key": "zone", "operator": "Exists"}]})},
		{"spec": _term({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]})},
		{"spec": {"nodeName": "a", "nodeSelector": "wrong"}},
	]}
	asked == [
		{"labels": set(), "byName": false},
		{"labels": {"disk"}, "byName": false},
		{"labels": {"zone"}, "byName": false},
		{"labels": set(), "byName": true},
		{"labels": set(), "byName": true},
	]
}

test_verifying if {
	found := eligible.verifying with input as {"nodes": {
		"old": _node({}, "v1.34.9"),
		"new": _node({}, "v1.35.0"),
		"newer": _node({}, "v1.100.0-gke.1"),
		"silent": {},
		"odd": _node({}, "2.0"),
	}}
	{name | some name in found} == {"new", "newer", "silent", "odd"}
}
