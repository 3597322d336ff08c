package discover.namespaces_test

import data.discover.namespaces

_reason(namespace, id) := {"namespace": namespace, "reason": id, "object": "Deployment/n/w", "detail": ""}

_found(of_servers, of_workloads, more) := found if {
	found := namespaces.found with input as object.union(
		{
			"severities": {"fail": "high", "ignore": "low", "conversion": "high", "aggregated": "medium"},
			"configured": {},
			"constrained": [],
			"namespaces": {},
		},
		more,
	)
		with data.discover.servers.reasons as of_servers
		with data.discover.workloads.reasons as of_workloads
}

test_reasons_by_severity if {
	found := _found(
		{_reason("a", "ignore-webhook"), _reason("a", "aggregated-api")},
		{_reason("a", "cni"), _reason("b", "gitops")},
		{},
	)
	[[each.name, each.severity, [reason.reason | some reason in each.reasons]] | some each in found] == [
		["a", "high", ["cni", "aggregated-api", "ignore-webhook"]],
		["b", "medium", ["gitops"]],
	]
	found[1].reasons == [{
		"reason": "gitops",
		"severity": "medium",
		"title": "applies what Git says",
		"shown": [{"object": "Deployment/n/w", "detail": ""}],
	}]
}

test_severities[id] if {
	some id, severity in {
		"aggregated-api": "medium",
		"cni": "high",
		"cni-chained": "medium",
		"conversion-webhook": "high",
		"csi": "high",
		"custom-webhook": "low",
		"dns": "high",
		"dns-port": "low",
		"fail-webhook": "high",
		"gitops": "medium",
		"ignore-webhook": "low",
		"node-plugin": "medium",
		"policy-engine": "high",
		"priority": "medium",
		"registry": "high",
	}
	[namespace] := _found({_reason("a", id)}, set(), {})
	[namespace.severity, count(namespace.reasons)] == [severity, 1]
}

test_protection[name] if {
	some name, case in {
		"none": {"input": {}, "protected": [], "assumed": []},
		"configured by name": {"input": {"configured": {"names": ["a*"]}}, "protected": ["configuration"], "assumed": []},
		"configured by label": {
			"input": {
				"configured": {"names": [], "selector": {"matchLabels": {"x": "y"}}},
				"namespaces": {"a": {"metadata": {"name": "a", "labels": {"x": "y"}}}},
			},
			"protected": ["configuration"],
			"assumed": [],
		},
		"configured by a label that is not known": {
			"input": {"configured": {"names": [], "selector": {"matchLabels": {"x": "y"}}}},
			"protected": [],
			"assumed": ["configuration"],
		},
		"constrained": {
			"input": {"constrained": [{"name": "a", "assumed": false}, {"name": "b", "assumed": true}]},
			"protected": ["constraints"],
			"assumed": [],
		},
		"constrained, perhaps": {
			"input": {"configured": {"names": ["b"]}, "constrained": [{"name": "a", "assumed": true}]},
			"protected": [],
			"assumed": ["constraints"],
		},
		"both": {
			"input": {"configured": {"names": ["a"]}, "constrained": [{"name": "a", "assumed": false}]},
			"protected": ["configuration", "constraints"],
			"assumed": [],
		},
	}
	[namespace] := _found({_reason("a", "cni")}, set(), case.input)
	[namespace.protected, namespace.assumed] == [case.protected, case.assumed]
}

test_what_is_not_a_name if {
	contents := namespaces.contents with input as {"namespaces": {}, "constrained": [], "configured": {}}
		with data.discover.servers.reasons as {_reason("${NAMESPACE}", "cni")}
		with data.discover.workloads.reasons as {_reason("{{ .Release.Namespace }}", "csi"), _reason("A", "csi")}
	contents == {"found": [], "others": ["${NAMESPACE}", "A", "{{ .Release.Namespace }}"]}
}
