package policies.webhook_blocks_recovery_test

import data.policies.webhook_blocks_recovery as policy

_inventory := {"cluster": {"v1": {"Namespace": {
	"shop": {"metadata": {"name": "shop", "labels": {"webhook": "ignore", "tier": "a"}}},
	"bare": {"metadata": {"name": "bare"}},
	"odd": {"metadata": {"name": "odd", "labels": "webhook=ignore"}},
}}}}

_rule := {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}

_webhook := {
	"name": "a.example.com",
	"clientConfig": {"service": {"namespace": "shop", "name": "hook"}},
	"failurePolicy": "Fail",
	"rules": [_rule],
}

_with(change) := object.union(_webhook, change)

_without(field) := object.remove(_webhook, [field])

_review(webhooks) := {
	"kind": {"group": "admissionregistration.k8s.io", "version": "v1", "kind": "ValidatingWebhookConfiguration"},
	"object": {"webhooks": webhooks},
	"oldObject": null,
	"operation": "",
}

_violations(review, inventory) := result if {
	result := policy.violation with input as {"review": review, "parameters": {}} with data.inventory as inventory
}

# What is said about a webhook and the creation of its own pods: null, or [reason, undecided].
_answer(webhook, inventory) := _said(_violations(_review([webhook]), inventory))

_said(violations) := [violation.details.reason, violation.details.undecided] if {
	some violation in violations
	violation.details.reason in {"blocks", "may_block"}
} else := null

_blocks := ["blocks", []]

_may_by(fields) := ["may_block", fields]

_expression(key, operator, values) := {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}

test_violation if {
	_violations(_review([_webhook]), {}) == {{
		"msg": concat("", [
			"webhook \"a.example.com\" service \"shop/hook\": catches creation of its own pods, with failurePolicy Fail: ",
			"once down it stays down; exclude its namespace by name in namespaceSelector",
		]),
		"details": {
			"path": "webhooks[0]", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"requests": ["creation"], "namespaces": ["shop"], "undecided": [], "reason": "blocks",
		},
	}}
}

test_possible_violation if {
	other := object.union(_rule, {"resources": ["services"]})
	webhook := _with({
		"objectSelector": {"matchLabels": {"app": "shop"}},
		"matchConditions": [{"name": "a", "expression": "true"}],
		"rules": [other, _rule, other, object.union(_rule, {"operations": ["*"]})],
	})
	_violations(_review([{"clientConfig": {"url": "https://example.com"}}, webhook]), {}) == {{
		"msg": concat("", [
			"webhook \"a.example.com\" service \"shop/hook\": may catch creation of its own pods ",
			"(objectSelector, matchConditions decide): once down it may stay down; ",
			"exclude its namespace by name in namespaceSelector",
		]),
		"details": {
			"path": "webhooks[1]", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"requests": ["creation"], "namespaces": ["shop"], "undecided": ["objectSelector", "matchConditions"],
			"reason": "may_block",
		},
	}}
}

test_mutating_webhooks_too if {
	review := object.union(_review([_webhook]), {"kind": {"kind": "MutatingWebhookConfiguration"}})
	[violation.details.reason | some violation in _violations(review, {})] == ["blocks"]
}

test_one_violation_for_each_webhook if {
	review := _review([_webhook, _with({"failurePolicy": "Ignore"}), _webhook])
	{violation.details.path | some violation in _violations(review, {})} == {"webhooks[0]", "webhooks[2]"}
}

test_rules_that_catch_pods[name] if {
	some name, change in {
		"any group": {"apiGroups": ["*"]},
		"several groups": {"apiGroups": ["apps", ""]},
		"any version": {"apiVersions": ["*"]},
		"several versions": {"apiVersions": ["v1beta1", "v1"]},
		"any operation": {"operations": ["*"]},
		"several operations": {"operations": ["UPDATE", "CREATE"]},
		"any resource": {"resources": ["*"]},
		"any resource and subresource": {"resources": ["*/*"]},
		"pods with their subresources": {"resources": ["pods/*"]},
		"several resources": {"resources": ["services", "pods"]},
		"any scope": {"scope": "*"},
		"what is in namespaces": {"scope": "Namespaced"},
		"scope null": {"scope": null},
	}
	_answer(_with({"rules": [object.union(_rule, change)]}), {}) == _blocks
}

test_rules_that_do_not_catch_pods[name] if {
	some name, change in {
		"another group": {"apiGroups": ["apps"]},
		"another version": {"apiVersions": ["v2"]},
		"another operation": {"operations": ["UPDATE", "DELETE"]},
		"an operation in another case": {"operations": ["create"]},
		"another resource": {"resources": ["services"]},
		"a subresource": {"resources": ["pods/exec", "pods/binding"]},
		"a subresource of everything": {"resources": ["*/scale"]},
		"what is in no namespace": {"scope": "Cluster"},
		"a scope that does not exist": {"scope": "namespaced"},
		"a scope of the wrong type": {"scope": ["*"]},
		"groups missing": {"apiGroups": null},
		"groups a string": {"apiGroups": "*"},
		"versions missing": {"apiVersions": null},
		"versions a string": {"apiVersions": "v1"},
		"operations missing": {"operations": null},
		"operations a string": {"operations": "CREATE"},
		"operations of another type": {"operations": [7, null, ["CREATE"]]},
		"resources missing": {"resources": null},
		"resources a string": {"resources": "pods"},
		"resources empty": {"resources": []},
	}
	_answer(_with({"rules": [object.union(_rule, change)]}), {}) == null
}

test_no_rules_catch_nothing[name] if {
	some name, webhook in {
		"missing": _without("rules"),
		"null": _with({"rules": null}),
		"empty": _with({"rules": []}),
		"an object": _with({"rules": _rule}),
		"a string": _with({"rules": "pods"}),
		"of other types": _with({"rules": [null, "pods", 7, [_rule]]}),
		"without fields": _with({"rules": [{}]}),
	}
	_answer(webhook, {}) == null
}

# Pods have one version, in one group: there is nothing equivalent to them.
test_match_policy_makes_no_difference[policy] if {
	some policy in ["Equivalent", "Exact", null]
	_answer(_with({"matchPolicy": policy}), {}) == _blocks
	_answer(_with({"matchPolicy": policy, "rules": [object.union(_rule, {"apiVersions": ["v1beta1"]})]}), {}) == null
}

test_failure_policy[name] if {
	some name, [version, webhook, answer] in {
		"Fail": ["v1", _webhook, _blocks],
		"Ignore": ["v1", _with({"failurePolicy": "Ignore"}), null],
		"none": ["v1", _without("failurePolicy"), _blocks],
		"null": ["v1", _with({"failurePolicy": null}), _blocks],
		"wrong case": ["v1", _with({"failurePolicy": "ignore"}), _blocks],
		"none in v1beta1": ["v1beta1", _without("failurePolicy"), null],
		"Fail in v1beta1": ["v1beta1", _webhook, _blocks],
	}
	review := object.union(_review([webhook]), {"kind": {"version": version}})
	_said(_violations(review, {})) == answer
}

test_namespace_selector[name] if {
	metadata_name := "kubernetes.io/metadata.name"
	some name, [selector, known, unknown] in {
		"null": [null, _blocks, _blocks],
		"empty": [{}, _blocks, _blocks],
		"excludes by name": [_expression(metadata_name, "NotIn", ["kube-system", "shop"]), null, null],
		"excludes others by name": [_expression(metadata_name, "NotIn", ["kube-system"]), _blocks, _blocks],
		"selects by name": [{"matchLabels": {metadata_name: "shop"}}, _blocks, _blocks],
		"selects others by name": [{"matchLabels": {metadata_name: "bank"}}, null, null],
		"excludes by label": [_expression("webhook", "DoesNotExist", []), null, _may_by(["namespaceSelector"])],
		"excludes by the label's value": [_expression("webhook", "NotIn", ["ignore"]), null, _may_by(["namespaceSelector"])],
		"excludes another value": [_expression("tier", "NotIn", ["b"]), _blocks, _may_by(["namespaceSelector"])],
		"selects by label": [{"matchLabels": {"tier": "a"}}, _blocks, _may_by(["namespaceSelector"])],
		"selects by another label": [_expression("inject", "In", ["yes"]), null, _may_by(["namespaceSelector"])],
		"excludes by name whatever the labels": [
			object.union(_expression(metadata_name, "NotIn", ["shop"]), {"matchLabels": {"tier": "a"}}),
			null,
			null,
		],
		"wrong type": ["tier=a", _may_by(["namespaceSelector"]), _may_by(["namespaceSelector"])],
		"an operator that does not exist": [
			_expression("tier", "Is", ["a"]),
			_may_by(["namespaceSelector"]),
			_may_by(["namespaceSelector"]),
		],
	}
	webhook := _with({"namespaceSelector": selector})
	_answer(webhook, _inventory) == known
	every inventory in [
		{},
		null,
		{"cluster": {"v1": {"Namespace": null}}},
		{"cluster": {"v1": {"Namespace": {"shop": 7}}}},
	] {
		_answer(webhook, inventory) == unknown
	}
}

test_labels_of_the_namespace_in_the_inventory[name] if {
	some name, [namespace, answer] in {
		"no labels": ["bare", _blocks],
		"labels of the wrong type": ["odd", _may_by(["namespaceSelector"])],
		"not in the inventory": ["lost", _may_by(["namespaceSelector"])],
	}
	webhook := _with({
		"clientConfig": {"service": {"namespace": namespace, "name": "hook"}},
		"namespaceSelector": _expression("webhook", "DoesNotExist", []),
	})
	_answer(webhook, _inventory) == answer
}

test_inventory_that_is_not_there if {
	review := _review([_with({"namespaceSelector": _expression("webhook", "DoesNotExist", [])})])
	found := policy.violation with input as {"review": review, "parameters": {}}
	[violation.details.reason | some violation in found] == ["may_block"]
}

test_object_selector[name] if {
	some name, [selector, answer] in {
		"null": [null, _blocks],
		"empty": [{}, _blocks],
		"parts empty": [{"matchLabels": {}, "matchExpressions": []}, _blocks],
		"labels": [{"matchLabels": {"app": "shop"}}, _may_by(["objectSelector"])],
		"exempts a label": [_expression("app", "NotIn", ["hook"]), _may_by(["objectSelector"])],
		"wrong type": ["app=shop", _may_by(["objectSelector"])],
	}
	_answer(_with({"objectSelector": selector}), _inventory) == answer
}

test_match_conditions[name] if {
	some name, [conditions, answer] in {
		"null": [null, _blocks],
		"empty": [[], _blocks],
		"one": [[{"name": "a", "expression": "request.namespace != 'shop'"}], _may_by(["matchConditions"])],
		"wrong type": ["false", _may_by(["matchConditions"])],
		"of another type": [{}, _may_by(["matchConditions"])],
	}
	_answer(_with({"matchConditions": conditions}), _inventory) == answer
}

test_everything_undecided if {
	webhook := _with({
		"namespaceSelector": {"matchLabels": {"inject": "yes"}},
		"objectSelector": {"matchLabels": {"app": "shop"}},
		"matchConditions": [{"name": "a", "expression": "true"}],
	})
	_answer(webhook, {}) == _may_by(["namespaceSelector", "objectSelector", "matchConditions"])
	_answer(webhook, _inventory) == null # the Namespace does not have the label
}

# Wherever it runs, a webhook without a selector catches its own pods; with a selector that depends.
test_services_without_namespace[name] if {
	some name, service in {
		"a string": "shop/hook",
		"a list": ["shop"],
		"empty": {},
		"no namespace": {"name": "hook"},
		"namespace null": {"namespace": null},
		"namespace empty": {"namespace": ""},
		"namespace a number": {"namespace": 7},
	}
	unknown := object.union(_without("clientConfig"), {"clientConfig": {"service": service}})
	_answer(unknown, _inventory) == _blocks
	selecting := object.union(unknown, {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}})
	_answer(selecting, _inventory) == _may_by(["namespaceSelector"])
}

test_no_service_passes[name] if {
	some name, client in {
		"a URL": {"url": "https://hook.example.com"},
		"null": null,
		"empty": {},
		"a string": "shop/hook",
		"service null": {"service": null},
	}
	_answer(object.union(_without("clientConfig"), {"clientConfig": client}), {}) == null
}

test_nothing_to_judge_passes[name] if {
	some name, review in {
		"no webhooks": _review([]),
		"webhooks null": _review(null),
		"webhooks a mapping": _review({"a": _webhook}),
		"webhooks of other types": _review([null, "a", 7, [_webhook]]),
		"no object": object.union(_review([]), {"object": null}),
		"no kind": {"object": {"webhooks": [_webhook]}},
		"another kind": object.union(_review([_webhook]), {"kind": {"kind": "ValidatingAdmissionPolicy"}}),
		"another group": object.union(_review([_webhook]), {"kind": {"group": "example.com"}}),
	}
	_violations(review, _inventory) == set()
}

# However long and strange the parts are, the message keeps within what Gatekeeper's audit keeps, and says all that
# matters.
test_long_and_hostile_parts[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	undecided := {
		"namespaceSelector": {"matchLabels": {"a": "b"}},
		"objectSelector": {"matchLabels": {"a": "b"}},
		"matchConditions": [{"name": "a"}],
	}
	some name, [change, problem] in {
		"blocks": [{}, "catches creation of its own pods, with failurePolicy Fail: once down it stays down"],
		"may block": [undecided, "(namespaceSelector, objectSelector, matchConditions decide): once down it may stay down"],
	}
	webhook := object.union(_with(change), {
		"name": concat("", ["ü\n\u001b", long]),
		"clientConfig": {"service": {"namespace": concat("", ["é", long]), "name": long}},
	})
	some violation in _violations(_review([webhook]), {})
	startswith(violation.msg, "webhook \"???0123")
	contains(violation.msg, "\" service \"?0123")
	contains(violation.msg, problem)
	endswith(violation.msg, "; exclude its namespace by name in namespaceSelector")
	count(violation.msg) <= 256
	regex.match(`^[ -~]+$`, violation.msg)
}

test_every_change_is_judged_in_full[operation] if {
	some operation in ["CREATE", "UPDATE"]
	review := object.union(_review([_webhook]), {"operation": operation, "oldObject": {"webhooks": [_webhook]}})
	[violation.details.reason | some violation in _violations(review, {})] == ["blocks"]
}

test_review_without_operation_is_judged_as_in_audit if {
	review := object.remove(_review([_webhook]), ["operation"])
	[violation.details.reason | some violation in _violations(review, {})] == ["blocks"]
}

test_deletion_and_connection_are_never_blocked[operation] if {
	some operation in ["DELETE", "CONNECT"]
	_violations(object.union(_review([_webhook]), {"operation": operation}), {}) == set()
}
