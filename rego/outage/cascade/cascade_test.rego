package outage.cascade_test

import data.outage.cascade

_rule(resources) := {
	"apiGroups": ["", "discovery.k8s.io", "coordination.k8s.io"], "apiVersions": ["v1"], "operations": ["*"],
	"resources": resources,
}

_configuration(webhook) := {"kind": "ValidatingWebhookConfiguration", "object": {
	"apiVersion": "admissionregistration.k8s.io/v1",
	"metadata": {"name": "hooks"},
	"webhooks": [object.union({"name": "a", "clientConfig": {"service": {"namespace": "shop", "name": "hook"}}}, webhook)],
}}

_pods := [
	{"namespace": "shop", "labels": {"app": "hook"}, "complete": true},
	{"namespace": "bank", "labels": {"app": "till"}, "complete": false},
]

_services := [
	{"namespace": "shop", "name": "hook", "selector": {"app": "hook"}},
	{"namespace": "shop", "name": "till", "selector": {"app": "till"}},
	{"namespace": "bank", "name": "till", "selector": {"app": "till"}},
	{"namespace": "shop", "name": "outside", "selector": null},
	{"namespace": "shop", "name": "empty", "selector": {}},
]

_input(webhooks) := {
	"webhooks": webhooks,
	"policies": [], "bindings": [], "definitions": [], "apis": [],
	"namespaces": {"bank": {"metadata": {"labels": {"tier": "a"}}}},
	"pods": _pods,
	"services": _services,
	"registries": [],
}

test_what_services_select if {
	served := [{"metadata": {"name": name}, "spec": {"service": service}} |
		some service in _services
		name := concat(".", [service.namespace, service.name])
	]
	found := cascade.contents with input as object.union(_input([]), {"apis": served})
	found.selected == [[0], [], [1], null, null]
	unserved := cascade.contents with input as _input([])
	unserved == {"guards": [], "apis": [], "conversions": [], "selected": [null, null, null, null, null]}
}

test_registries_select_pods_too if {
	found := cascade.contents with input as object.union(
		_input([]),
		{"registries": [{"namespace": "bank", "name": "till"}]},
	)
	found.selected == [null, null, [1], null, null]
}

test_what_webhooks_catch[name] if {
	some name, [webhook, answer] in {
		"pods": [{"rules": [_rule(["pods"])]}, {
			"makes": [["bank", "match"], ["shop", "match"]], "pods": [], "readies": [], "nodes": "mismatch",
		}],
		"bindings": [
			{"rules": [_rule(["pods/binding"])], "objectSelector": {"matchLabels": {"app": "till"}}},
			{"makes": [], "pods": [], "readies": [], "nodes": "mismatch"},
		],
		"pods by labels": [
			{"rules": [_rule(["pods"])], "objectSelector": {"matchExpressions": [{"key": "track", "operator": "Exists"}]}},
			{"makes": [], "pods": [[1, "unknown"]], "readies": [], "nodes": "mismatch"},
		],
		"pods by a label that is demanded": [
			{"rules": [_rule(["pods"])], "objectSelector": {"matchLabels": {"track": "a"}, "matchExpressions": null}},
			{"makes": [], "pods": [[1, "unknown"]], "readies": [], "nodes": "mismatch"},
		],
		"pods by one of some labels": [
			{"rules": [_rule(["pods"])], "objectSelector": {"matchExpressions": [_one_of("app", ["till", "none"])]}},
			{"makes": [], "pods": [[1, "match"]], "readies": [], "nodes": "mismatch"},
		],
		"pods by labels that are wrong": [
			{"rules": [_rule(["pods"])], "objectSelector": {"matchExpressions": [_one_of("app", ["till", 1])]}},
			{"makes": [], "pods": [[0, "unknown"], [1, "unknown"]], "readies": [], "nodes": "mismatch"},
		],
		"pods by labels, and bindings": [
			{"rules": [_rule(["pods", "pods/binding"])], "objectSelector": {"matchExpressions": [{
				"key": "app", "operator": "NotIn", "values": ["till"],
			}]}},
			{"makes": [], "pods": [[0, "match"], [1, "match"]], "readies": [], "nodes": "mismatch"},
		],
		"pods by namespaces": [
			{"rules": [_rule(["pods"])], "namespaceSelector": {"matchLabels": {"tier": "a"}}},
			{"makes": [["bank", "match"], ["shop", "unknown"]], "pods": [], "readies": [], "nodes": "mismatch"},
		],
		"status and nodes": [{"rules": [_rule(["pods/status", "nodes"])], "matchConditions": [{"name": "a"}]}, {
			"makes": [], "pods": [], "readies": [["bank", "unknown"], ["shop", "unknown"]], "nodes": "unknown",
		}],
		"tokens": [
			{"rules": [_rule(["serviceaccounts/token"])], "objectSelector": {"matchLabels": {"app": "none"}}},
			{"makes": [], "pods": [], "readies": [], "nodes": "mismatch"},
		],
		"endpoints": [{"rules": [_rule(["endpointslices"])]}, {
			"makes": [], "pods": [], "readies": [["bank", "match"], ["shop", "match"]], "nodes": "mismatch",
		}],
		"leases": [{"rules": [_rule(["leases"])]}, {"makes": [], "pods": [], "readies": [], "nodes": "match"}],
		"something else": [{"rules": [_rule(["services"])]}, {"makes": [], "pods": [], "readies": [], "nodes": "mismatch"}],
	}
	found := cascade.contents with input as _input([_configuration(webhook)])
	[guard] := found.guards
	answer == object.filter(guard, ["makes", "pods", "readies", "nodes"])
	[guard.kind, guard.name, guard.index, guard.webhook, guard.by] == [
		"ValidatingWebhookConfiguration", "hooks", 0, "a", "Service",
	]
	guard.service == {"namespace": "shop", "name": "hook"}
}

# Not each pod asks for a token.
test_tokens_of_pods if {
	found := cascade.contents with input as _input([_configuration({"rules": [_rule(["serviceaccounts/token"])]})])
	[guard] := found.guards
	guard.makes == [["bank", "unknown"], ["shop", "unknown"]]
	guard.mounts == guard.makes
}

test_tokens_of_some_pods if {
	webhook := {"rules": [_rule(["serviceaccounts/token"])], "matchConditions": [{"name": "a"}]}
	found := cascade.contents with input as _input([_configuration(webhook)])
	[guard] := found.guards
	guard.mounts == [["bank", "unknown"], ["shop", "unknown"]]
}

test_pods_ask_for_nothing_else_in_place if {
	found := cascade.contents with input as _input([_configuration({"rules": [_rule(["pods", "pods/binding"])]})])
	[guard] := found.guards
	guard.mounts == []
}

test_what_guards_nothing[name] if {
	some name, webhook in {
		"Ignore": {"failurePolicy": "Ignore", "rules": [_rule(["pods"])]},
		"a URL elsewhere": {"clientConfig": {"service": null, "url": "https://example.com"}, "rules": [_rule(["pods"])]},
	}
	found := cascade.contents with input as _input([_configuration(webhook)])
	found.guards == []
}

test_apis_and_conversions if {
	local := {"metadata": {"name": "v1.apps"}, "spec": {"service": null}}
	metrics := {"metadata": {"name": "v1.metrics.k8s.io"}, "spec": {"service": {"namespace": "shop", "name": "hook"}}}
	plain := {"metadata": {"name": "plain"}, "spec": {"conversion": {"strategy": "None"}}}
	found := cascade.contents with input as object.union(
		_input([]),
		{"apis": [local, metrics], "definitions": [plain, _definition]},
	)
	service := {"namespace": "shop", "name": "hook"}
	found.apis == [{"name": "v1.metrics.k8s.io", "service": service}]
	found.conversions == [{"name": "limits.example.com", "service": service}]
}

_definition := {"metadata": {"name": "limits.example.com"}, "spec": {
	"group": "example.com",
	"names": {"kind": "Limit"},
	"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://hook.shop.svc"}}},
}}

test_two_definitions_of_one_kind if {
	other := object.union(_definition, {"metadata": {"name": "limits2.example.com"}})
	found := cascade.contents with input as object.union(_input([]), {
		"definitions": [_definition, other],
		"policies": [_policy],
		"bindings": [_binding],
	})
	[guard] := found.guards
	guard.by == "conversion"
}

_policy := {"metadata": {"name": "limits"}, "spec": {
	"paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
	"matchConstraints": {"resourceRules": [_rule(["pods"])]},
}}

_binding := {"spec": {"policyName": "limits", "validationActions": ["Deny"], "paramRef": {"name": "a"}}}

_one_of(key, values) := {"key": key, "operator": "In", "values": values}

_till := {"objectSelector": {"matchLabels": {"app": "till"}}}

test_admission_policies[name] if {
	some name, [change, caught] in {
		"denies": [{}, [[["bank", "match"], ["shop", "match"]]]],
		"denies by labels": [{"policies": [object.union(_policy, {"spec": {"matchConstraints": _till}})]}, [[]]],
		"is bound by labels": [{"bindings": [object.union(_binding, {"spec": {"matchResources": _till}})]}, [[]]],
		"another kind": [{"definitions": [object.union(_definition, {"spec": {"names": {"kind": "Other"}}})]}, []],
		"no conversion": [{"definitions": [object.union(_definition, {"spec": {"conversion": {"strategy": "None"}}})]}, []],
		"failures ignored": [{"policies": [object.union(_policy, {"spec": {"failurePolicy": "Ignore"}})]}, []],
		"only warns": [{"bindings": [object.union(_binding, {"spec": {"validationActions": ["Warn"]}})]}, []],
		"of another policy": [{"bindings": [object.union(_binding, {"spec": {"policyName": "other"}})]}, []],
	}
	document := object.union_n([
		_input([]),
		{"policies": [_policy], "bindings": [_binding], "definitions": [_definition]},
		change,
	])
	found := cascade.contents with input as document
	[guard.makes | some guard in found.guards] == caught
	every guard in found.guards {
		[guard.name, guard.by, guard.service] == ["limits", "conversion", {"namespace": "shop", "name": "hook"}]
	}
}
