# What the policy says besides the creation of a webhook's own pods.
package policies.webhook_blocks_recovery_test

import data.policies.webhook_blocks_recovery as policy

_found(review, parameters, inventory) := result if {
	result := policy.violation with input as {"review": review, "parameters": parameters}
		with data.inventory as inventory
}

# What is said about a webhook, by reason: [requests, namespaces, undecided].
_all(webhook, parameters, inventory) := {violation.details.reason: part |
	some violation in _found(_review([webhook]), parameters, inventory)
	part := [violation.details.requests, violation.details.namespaces, violation.details.undecided]
}

_protecting(names) := {"protectedNamespaces": {"names": names}}

_elsewhere := {"matchLabels": {"kubernetes.io/metadata.name": "nowhere"}}

_core(operation, resources) := {
	"apiGroups": [""], "apiVersions": ["v1"], "operations": [operation],
	"resources": resources,
}

test_start_of_own_pods[name] if {
	some name, [rule, answer] in {
		"binding": [_core("CREATE", ["pods/binding"]), {"blocks_start": [["binding"], ["shop"], []]}],
		"status": [_core("UPDATE", ["pods/status"]), {"blocks_start": [["status"], ["shop"], []]}],
		"tokens": [_core("CREATE", ["serviceaccounts/*"]), {"blocks_start": [["tokens"], ["shop"], []]}],
		"endpoints": [_core("UPDATE", ["endpoints"]), {"blocks_start": [["endpoints"], ["shop"], []]}],
		"endpoint slices": [
			object.union(_core("CREATE", ["endpointslices"]), {"apiGroups": ["discovery.k8s.io"]}),
			{"blocks_start": [["endpoints"], ["shop"], []]},
		],
		"creation too": [
			_core("*", ["pods/*", "serviceaccounts/token"]),
			{"blocks": [["creation", "binding", "status", "tokens"], ["shop"], []]},
		],
		"deletion of status": [_core("DELETE", ["pods/status"]), {}],
		"another subresource": [_core("*", ["pods/exec", "pods/eviction", "serviceaccounts"]), {}],
	}
	_all(_with({"rules": [rule]}), {}, {}) == answer
}

# What the scheduler and the kubelet send has no labels, those of the pods are not known.
test_labels_of_what_starts_pods[name] if {
	some name, [selector, answer] in {
		"exempts a label": [
			_expression("app", "NotIn", ["hook"]),
			{"blocks_start": [["binding"], ["shop"], []]},
		],
		"asks for a label": [
			{"matchLabels": {"app": "shop"}},
			{"may_block": [["creation", "status"], ["shop"], ["objectSelector"]]},
		],
	}
	_all(_with({"rules": [_core("*", ["pods/*"])], "objectSelector": selector}), {}, {}) == answer
}

test_possible_start if {
	webhook := _with({"rules": [_core("UPDATE", ["pods/status"])], "objectSelector": {"matchLabels": {"app": "shop"}}})
	_all(webhook, {}, {}) == {"may_block_start": [["status"], ["shop"], ["objectSelector"]]}
}

test_protected_namespaces[name] if {
	name_label := "kubernetes.io/metadata.name"
	by_label := {"protectedNamespaces": {"selector": {"matchLabels": {"tier": "a"}}}}
	pods := ["creation", "binding", "status"]
	some name, [change, parameters, inventory, answer] in {
		"by name": [
			{}, _protecting(["kube-system", "infra"]), {},
			{"blocks_protected": [pods, ["infra", "kube-system"], []]},
		],
		"its own is not counted": [{}, _protecting(["shop"]), {}, {}],
		"left out by name": [
			{"namespaceSelector": _expression(name_label, "NotIn", ["kube-system", "shop"])},
			_protecting(["kube-system"]), {}, {},
		],
		"one of two left out": [
			{"namespaceSelector": _expression(name_label, "NotIn", ["kube-system", "shop"])},
			_protecting(["kube-system", "infra"]), {},
			{"blocks_protected": [pods, ["infra"], []]},
		],
		"perhaps left out": [
			{"namespaceSelector": _expression("webhook", "DoesNotExist", [])},
			_protecting(["kube-system"]), {},
			{"may_block_protected": [pods, ["kube-system"], ["namespaceSelector"]]},
		],
		"a glob without Namespaces": [{}, _protecting(["kube-*"]), {}, {"blocks_protected": [pods, [], []]}],
		"a glob with Namespaces": [{}, _protecting(["b*"]), _inventory, {"blocks_protected": [pods, ["bare"], []]}],
		"a selector without Namespaces": [{}, by_label, {}, {"blocks_protected": [pods, [], []]}],
		"a selector, perhaps left out": [
			{"namespaceSelector": _expression("webhook", "DoesNotExist", [])},
			by_label, {},
			{"may_block_protected": [pods, [], ["namespaceSelector"]]},
		],
		"a selector of its own namespace": [{}, by_label, _inventory, {}],
		"nothing protected": [{}, {}, _inventory, {}],
		"names of another type": [{}, {"protectedNamespaces": {"names": [7, null]}}, {}, {}],
	}
	webhook := _with(object.union({"rules": [_core("*", ["pods/*"])]}, change))
	object.remove(_all(webhook, parameters, inventory), ["blocks", "may_block"]) == answer
}

test_nodes_and_leases[name] if {
	leases := {"apiGroups": ["coordination.k8s.io"], "apiVersions": ["*"], "operations": ["*"], "resources": ["leases"]}
	not_system := _expression("kubernetes.io/metadata.name", "NotIn", ["kube-system"])
	some name, [change, answer] in {
		"nodes": [{"rules": [_core("CREATE", ["nodes"])]}, {"blocks_nodes": [["nodes"], [], []]}],
		"node status": [{"rules": [_core("UPDATE", ["nodes/status"])]}, {"blocks_nodes": [["node status"], [], []]}],
		"nodes, whatever the namespaces": [
			{"rules": [_core("UPDATE", ["*"])], "namespaceSelector": _elsewhere},
			{"blocks_nodes": [["nodes"], [], []]},
		],
		"nodes by labels": [
			{"rules": [_core("UPDATE", ["nodes"])], "objectSelector": {"matchLabels": {"a": "b"}}},
			{"may_block_nodes": [["nodes"], [], ["objectSelector"]]},
		],
		"leases": [
			{"rules": [leases]},
			{"blocks_nodes": [["node leases", "leases"], ["kube-node-lease", "kube-system"], []]},
		],
		"leases of nodes": [
			{"rules": [leases], "namespaceSelector": not_system},
			{"blocks_nodes": [["node leases"], ["kube-node-lease"], []]},
		],
		"leases with labels": [{"rules": [leases], "objectSelector": {"matchLabels": {"a": "b"}}}, {}],
		"what is in namespaces": [{"rules": [object.union(_core("*", ["nodes"]), {"scope": "Namespaced"})]}, {}],
		"deletion of nodes": [{"rules": [_core("DELETE", ["nodes"])]}, {}],
	}
	_all(_with(change), {}, {}) == answer
}

_at(namespace, change) := object.union(_with(change), {"clientConfig": {"service": {"namespace": namespace}}})

_only(names) := {"namespaceSelector": _expression("kubernetes.io/metadata.name", "In", names)}

_others(webhooks) := {"cluster": {"admissionregistration.k8s.io/v1": {"MutatingWebhookConfiguration": {
	"others": {"metadata": {"name": "others"}, "webhooks": webhooks},
	"odd": {"metadata": {"name": "odd"}, "webhooks": "bank"},
}}}}

test_cycles[name] if {
	labelled := {"namespaceSelector": _expression("webhook", "DoesNotExist", [])}
	some name, [change, others, answer] in {
		"of two": [
			_only(["bank"]),
			[_at("bank", _only(["shop"]))],
			{"cycle": [["creation"], ["bank"], []]},
		],
		"of three": [
			_only(["bank"]),
			[_at("bank", _only(["mill"])), _at("mill", _only(["shop"]))],
			{"cycle": [["creation"], ["bank"], []]},
		],
		"of two, twice": [
			_only(["bank", "mill"]),
			[_at("bank", _only(["shop"])), _at("mill", _only(["shop"]))],
			{"cycle": [["creation"], ["bank", "mill"], []]},
		],
		"the way back is possible": [
			_only(["bank"]),
			[_at("bank", labelled)],
			{"may_cycle": [["creation"], ["bank"], ["namespaceSelector"]]},
		],
		"the way out is possible": [
			object.union(labelled, {"objectSelector": {"matchLabels": {"app": "bank"}}}),
			[_at("bank", _only(["shop"]))],
			{
				"may_block": [["creation"], ["shop"], ["namespaceSelector", "objectSelector"]],
				"may_cycle": [["creation"], ["bank"], ["namespaceSelector"]],
			},
		],
		"one way": [_only(["bank"]), [_at("bank", _only(["mill"]))], {}],
		"the other way": [_only(["mill"]), [_at("bank", _only(["shop"]))], {}],
		"others between themselves": [
			_only(["bank"]),
			[_at("bank", _only(["mill"])), _at("mill", _only(["bank"]))],
			{},
		],
		"the other ignores failures": [
			_only(["bank"]),
			[_at("bank", object.union(_only(["shop"]), {"failurePolicy": "Ignore"}))],
			{},
		],
		"the other has a URL": [
			_only(["bank"]),
			[object.union(_with(_only(["shop"])), {"clientConfig": {"service": null, "url": "https://hook.bank.svc"}})],
			{"cycle": [["creation"], ["bank"], []]},
		],
		"the other is about something else": [
			_only(["bank"]),
			[_at("bank", object.union(_only(["shop"]), {"rules": [_core("CREATE", ["services"])]}))],
			{},
		],
	}
	_all(_with(change), {}, _others(others)) == answer
}

test_cycle_within_a_configuration if {
	review := _review([_with(_only(["bank"])), _at("bank", _only(["shop"]))])
	{[violation.details.path, violation.details.reason] | some violation in _violations(review, {})} == {
		["webhooks[0]", "cycle"],
		["webhooks[1]", "cycle"],
	}
}

# The inventory may hold an earlier version of what is under review.
test_what_is_under_review_is_not_taken_from_the_inventory if {
	review := object.union(_review([_with(_only(["bank"]))]), {
		"kind": {"kind": "MutatingWebhookConfiguration"},
		"object": {"metadata": {"name": "others"}},
	})
	_violations(review, _others([_at("bank", _only(["shop"]))])) == set()
}

test_timeout[name] if {
	rule := _core("CREATE", ["pods", "nodes"])
	some name, [change, answer] in {
		"ten seconds": [{"timeoutSeconds": 10}, {}],
		"more": [{"timeoutSeconds": 11}, {"slow": [["creation", "nodes"], ["kube-system", "shop"], []]}],
		"more, about something else": [{"timeoutSeconds": 30, "rules": [_core("CREATE", ["services"])]}, {}],
		"more, perhaps": [
			{"timeoutSeconds": 30, "matchConditions": [{"name": "a"}]},
			{"may_be_slow": [["creation", "nodes"], ["kube-system", "shop"], ["matchConditions"]]},
		],
		"more, by a URL": [
			{"timeoutSeconds": 30, "clientConfig": {"service": null, "url": "https://example.com"}},
			{"slow": [["creation", "nodes"], ["kube-system"], []]},
		],
	}
	webhook := object.union(_with({"rules": [rule], "failurePolicy": "Ignore"}), change)
	_all(webhook, _protecting(["kube-system"]), {}) == answer
}

test_default_timeout_of_v1beta1 if {
	review := object.union(_review([_webhook]), {"kind": {"version": "v1beta1"}})
	{violation.details.reason | some violation in _violations(review, {})} == {"blocks", "slow"}
}

_binding(change) := {
	"kind": {"group": "admissionregistration.k8s.io", "version": "v1", "kind": "ValidatingAdmissionPolicyBinding"},
	"object": {"spec": object.union(
		{
			"policyName": "limits",
			"validationActions": ["Deny"],
			"paramRef": {"name": "a", "parameterNotFoundAction": "Deny"},
		},
		change,
	)},
	"operation": "",
}

_v1 := "admissionregistration.k8s.io/v1"

_policies(change) := {"cluster": {_v1: {"ValidatingAdmissionPolicy": {"limits": limits}}}} if {
	limits := {"spec": object.union(
		{
			"paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
			"matchConstraints": {"resourceRules": [_core("CREATE", ["pods"])]},
		},
		change,
	)}
}

test_admission_policies_that_need_parameters[name] if {
	some name, [binding, inventory, answer] in {
		"denies": [{}, _policies({}), [["needs_parameters", ["creation"], []]]],
		"denies nodes": [
			{},
			_policies({"matchConstraints": {"resourceRules": [_core("UPDATE", ["nodes"])]}}),
			[["needs_parameters", ["nodes"], []]],
		],
		"by conditions": [
			{},
			_policies({"matchConditions": [{"name": "a"}]}),
			[["may_need_parameters", ["creation"], ["matchConditions"]]],
		],
		"a policy that is not known": [
			{}, {},
			[[
				"may_need_parameters", [
					"creation", "binding", "status", "tokens", "endpoints", "nodes", "node status", "node leases", "leases",
				],
				["policyName"],
			]],
		],
		"not for protected namespaces": [
			{"matchResources": _only(["shop"])},
			_policies({}),
			[],
		],
		"of another resource": [{}, _policies({"matchConstraints": {"resourceRules": [_core("*", ["services"])]}}), []],
		"failures ignored": [{}, _policies({"failurePolicy": "Ignore"}), []],
		"parameters of Kubernetes": [{}, _policies({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}), []],
		"parameters of a group of Kubernetes": [{}, _policies({"paramKind": {"apiVersion": "apps/v1", "kind": "X"}}), []],
		"no parameters": [{}, _policies({"paramKind": null}), []],
		"allowed without parameters": [{"paramRef": {"parameterNotFoundAction": "Allow"}}, _policies({}), []],
		"no reference to parameters": [{"paramRef": null}, _policies({}), []],
		"only warns": [{"validationActions": ["Warn", "Audit"]}, _policies({}), []],
	}
	found := _found(_binding(binding), _protecting(["kube-system"]), inventory)
	[[violation.details.reason, violation.details.requests, violation.details.undecided] |
		some violation in found
	] == answer
}

test_what_is_said[name] if {
	of := "webhook \"a.example.com\" service \"shop/hook\": "
	exclude := "exclude its namespace by name in namespaceSelector"
	some name, [change, messages] in {
		"start": [{"rules": [_core("*", ["pods/binding", "pods/status"])]}, {
			concat("", [
				of, "catches binding, status of its own pods, with failurePolicy Fail: once down it stays down; ", exclude,
			]),
			concat("", [
				of, "catches binding and 1 more of pods in kube-system and 1 more, with failurePolicy Fail: ",
				"while it is down they stay down; exclude them by name in namespaceSelector",
			]),
		}],
		"possible start": [
			{"rules": [_core("*", ["pods/status"])], "objectSelector": {"matchLabels": {"a": "b"}}},
			{
				concat("", [
					of, "may catch status of its own pods (objectSelector decide): once down it may stay down; ", exclude,
				]),
				concat("", [
					of, "may catch status of pods in kube-system and 1 more, with failurePolicy Fail: ",
					"while it is down they stay down; exclude them by name in namespaceSelector",
				]),
			},
		],
		"nodes": [{"rules": [_core("*", ["nodes", "nodes/status"])]}, {concat("", [
			of, "catches nodes and 1 more, with failurePolicy Fail: while it is down, nodes may be lost; ",
			"leave nodes and leases out of its rules",
		])}],
		"slow": [
			{"rules": [_core("*", ["nodes"])], "failurePolicy": "Ignore", "timeoutSeconds": 30},
			{concat("", [
				of, "holds up nodes for 30 s while it is down, with any failurePolicy; ",
				"leases run out after 10: set timeoutSeconds to at most 10",
			])},
		],
		"cycle": [_only(["bank"]), {concat("", [
			of, "catches creation of pods in bank, and what runs there its own: once down they stay down; ",
			"exclude namespaces of webhooks in namespaceSelector",
		])}],
	}
	found := _found(
		_review([_with(change)]),
		_protecting(["kube-system", "zone"]),
		_others([_at("bank", _only(["shop"]))]),
	)
	{violation.msg | some violation in found} == messages
}

test_what_is_said_of_what_has_no_service if {
	webhook := _with({"clientConfig": {"service": null, "url": "https://example.com/a"}})
	found := _found(_review([webhook]), _protecting(["kube-*"]), {})
	{violation.msg | some violation in found} == {concat("", [
		"webhook \"a.example.com\" url \"https://example.com/a\": catches creation of pods in protected namespaces, ",
		"with failurePolicy Fail: while it is down they stay down; exclude them by name in namespaceSelector",
	])}
}

test_what_is_said_of_bindings[name] if {
	some name, [inventory, what] in {"denies": [_policies({}), "denies"], "may deny": [{}, "may deny"]}
	found := _found(_binding({}), _protecting(["kube-system"]), inventory)
	{violation.msg | some violation in found} == {concat("", [
		"binding of policy \"limits\": ", what,
		" pods, nodes or leases while its parameters are missing; set parameterNotFoundAction to Allow",
	])}
}
