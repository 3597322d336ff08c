package policies.protected_webhook_host_test

import data.policies.protected_webhook_host as policy

_by_name := {"protectedNamespaces": {"names": ["kube-system", "gatekeeper-*"]}}

_by_label := {"protectedNamespaces": {"selector": {"matchLabels": {"protected": "true"}}}}

_namespace(name, labels) := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}

_inventory := {"cluster": {"v1": {"Namespace": {
	"safe": _namespace("safe", {"protected": "true"}),
	"shop": _namespace("shop", {}),
	"odd": _namespace("odd", "protected=true"),
}}}}

_violations(review, parameters, inventory) := result if {
	result := policy.violation with input as {"review": review, "parameters": parameters}
		with data.inventory as inventory
}

_messages(review, parameters, inventory) := {violation.msg |
	some violation in _violations(review, parameters, inventory)
}

_reasons(review, parameters, inventory) := [violation.details.reason |
	some violation in _violations(review, parameters, inventory)
]

_review(group, kind, resource) := {
	"kind": {"group": group, "version": "v1", "kind": kind},
	"object": resource,
	"oldObject": null,
	"operation": "",
}

_validating(webhooks) := _review(
	"admissionregistration.k8s.io",
	"ValidatingWebhookConfiguration",
	{"webhooks": webhooks},
)

_mutating(webhooks) := _review("admissionregistration.k8s.io", "MutatingWebhookConfiguration", {"webhooks": webhooks})

_definition(conversion) := _review(
	"apiextensions.k8s.io",
	"CustomResourceDefinition",
	{"spec": {"conversion": conversion}},
)

_api(service) := _review("apiregistration.k8s.io", "APIService", {"spec": {"service": service}})

_webhook(namespace, change) := object.union(
	{"name": "a.example.com", "clientConfig": {"service": {"namespace": namespace, "name": "hook"}}},
	change,
)

_webhook_at(url, change) := object.union({"name": "a.example.com", "clientConfig": {"url": url}}, change)

_rule(groups) := {"apiGroups": groups, "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["*"]}

_in(namespace) := _validating([_webhook(namespace, {})])

_converted_by(service) := _definition({"strategy": "Webhook", "webhook": {"clientConfig": {"service": service}}})

_shop := {"namespace": "shop", "name": "hook"}

_fail := concat("", [
	"webhook \"a.example.com\" service \"shop/hook\": its namespace is not protected: ",
	"without its registry it may stay down, ",
	"and requests fail (failurePolicy Fail); protect the namespace",
])

_ignore := concat("", [
	"webhook \"a.example.com\" service \"shop/hook\": its namespace is not protected: ",
	"without its registry it may stay down, ",
	"and requests pass without it (failurePolicy Ignore); protect the namespace",
])

_custom := concat("", [
	"webhook \"a.example.com\" service \"shop/hook\": its namespace is not protected: ",
	"without its registry it may stay down, ",
	"and requests about custom resources fail (failurePolicy Fail); protect the namespace",
])

_undecided := concat("", [
	"webhook \"a.example.com\" service \"lost/hook\": cannot tell whether its namespace is protected, ",
	"as the labels are not in the inventory; sync Namespaces, or protect it by name",
])

test_what_is_said[name] if {
	some name, [review, message] in {
		"Fail": [_validating([_webhook("shop", {"failurePolicy": "Fail"})]), _fail],
		"no failurePolicy": [_validating([_webhook("shop", {})]), _fail],
		"mutating": [_mutating([_webhook("shop", {})]), _fail],
		"custom resources only": [_validating([_webhook("shop", {"rules": [_rule(["example.com"])]})]), _custom],
		"Ignore": [_validating([_webhook("shop", {"failurePolicy": "Ignore"})]), _ignore],
		"no failurePolicy in v1beta1": [
			object.union(_in("shop"), {"kind": {"version": "v1beta1"}}),
			_ignore,
		],
		"conversion": [_converted_by(_shop), concat("", [
			"conversion webhook service \"shop/hook\": its namespace is not protected: ",
			"without its registry it may stay down, ",
			"and custom resources cannot be converted; protect the namespace",
		])],
		"aggregated": [_api(_shop), concat("", [
			"aggregated API service \"shop/hook\": its namespace is not protected: ",
			"without its registry it may stay down, ",
			"and its API is gone; protect the namespace",
		])],
		"no namespace": [_validating([{"clientConfig": {"service": {"name": "hook"}}}]), concat("", [
			"webhook \"(none)\" service \"(none)/hook\": names no namespace, so nobody can tell whether it is protected; ",
			"set service.namespace",
		])],
	}
	_messages(review, _by_name, {}) == {message}
}

test_details[name] if {
	some name, [review, details] in {
		"fail": [_validating([{"clientConfig": {"url": "https://example.com"}}, _webhook("shop", {})]), {
			"path": "webhooks[1].clientConfig.service", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"failurePolicy": "Fail", "reason": "fail",
		}],
		"ignore": [_mutating([_webhook("shop", {"failurePolicy": "Ignore"})]), {
			"path": "webhooks[0].clientConfig.service", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"failurePolicy": "Ignore", "reason": "ignore",
		}],
		"ignore by a URL": [_mutating([_webhook_at("https://hook.shop.svc:443/mutate", {"failurePolicy": "Ignore"})]), {
			"path": "webhooks[0].clientConfig.url", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"failurePolicy": "Ignore", "reason": "ignore",
		}],
		"custom": [_validating([_webhook("shop", {"rules": [_rule(["example.com"])]})]), {
			"path": "webhooks[0].clientConfig.service", "webhook": "a.example.com", "namespace": "shop", "service": "hook",
			"failurePolicy": "Fail", "reason": "custom",
		}],
		"conversion by a URL": [_definition({"webhook": {"clientConfig": {"url": "https://hook.shop.svc/convert"}}}), {
			"path": "spec.conversion.webhook.clientConfig.url", "webhook": null, "namespace": "shop", "service": "hook",
			"failurePolicy": null, "reason": "conversion",
		}],
		"conversion": [_converted_by(_shop), {
			"path": "spec.conversion.webhook.clientConfig.service", "webhook": null, "namespace": "shop", "service": "hook",
			"failurePolicy": null, "reason": "conversion",
		}],
		"conversion in v1beta1": [_definition({"webhookClientConfig": {"service": _shop}}), {
			"path": "spec.conversion.webhookClientConfig.service", "webhook": null, "namespace": "shop", "service": "hook",
			"failurePolicy": null, "reason": "conversion",
		}],
		"aggregated": [_api(_shop), {
			"path": "spec.service", "webhook": null, "namespace": "shop", "service": "hook",
			"failurePolicy": null, "reason": "aggregated",
		}],
		"invalid": [_validating([_webhook("", {})]), {
			"path": "webhooks[0].clientConfig.service", "webhook": "a.example.com", "namespace": null, "service": "hook",
			"failurePolicy": "Fail", "reason": "invalid",
		}],
	}
	[violation.details | some violation in _violations(review, _by_name, {})] == [details]
}

test_one_violation_for_each_webhook if {
	review := _validating([
		_webhook("shop", {}),
		_webhook("kube-system", {}),
		_webhook("shop", {}),
		{"clientConfig": {"url": "https://example.com"}},
		_webhook("bank", {"failurePolicy": "Ignore"}),
	])
	{violation.details.path | some violation in _violations(review, _by_name, {})} == {
		"webhooks[0].clientConfig.service",
		"webhooks[2].clientConfig.service",
		"webhooks[4].clientConfig.service",
	}
}

test_protected_by_name[name] if {
	some name, review in {
		"exact": _in("kube-system"),
		"glob": _in("gatekeeper-system"),
		"conversion": _converted_by({"namespace": "kube-system", "name": "hook"}),
		"aggregated": _api({"namespace": "kube-system", "name": "metrics-server"}),
	}
	_violations(review, _by_name, {}) == set()
}

test_protected_by_label[name] if {
	some name, [namespace, reasons] in {
		"labelled": ["safe", []],
		"not labelled": ["shop", ["fail"]],
		"not in the inventory": ["lost", ["undecided"]],
		"labels of another type": ["odd", ["undecided"]],
	}
	_reasons(_in(namespace), _by_label, _inventory) == reasons
}

test_without_inventory[name] if {
	some name, inventory in {
		"empty": {},
		"null": null,
		"no objects without namespace": {"namespace": {"shop": {"v1": {"Pod": {}}}}},
		"no Namespaces": {"cluster": {"v1": {"Node": {}}}},
		"Namespaces of another type": {"cluster": {"v1": {"Namespace": null}}},
		"a Namespace of another type": {"cluster": {"v1": {"Namespace": {"lost": "lost"}}}},
	}
	_messages(_in("lost"), _by_label, inventory) == {_undecided}
	_reasons(_in("safe"), _by_label, inventory) == ["undecided"]
	_reasons(_in("kube-system"), object.union(_by_label, _by_name), inventory) == [] # decided by its name
}

test_inventory_that_is_not_there if {
	violations := policy.violation with input as {"review": _in("lost"), "parameters": _by_label}
	{violation.msg | some violation in violations} == {_undecided}
}

test_name_or_label[name] if {
	parameters := {"protectedNamespaces": object.union(_by_name.protectedNamespaces, _by_label.protectedNamespaces)}
	some name, [namespace, reasons] in {
		"by name": ["kube-system", []],
		"by label": ["safe", []],
		"by neither": ["shop", ["fail"]],
		"by neither, as far as is known": ["lost", ["undecided"]],
	}
	_reasons(_in(namespace), parameters, _inventory) == reasons
}

test_selectors[name] if {
	some name, [selector, namespace, reasons] in {
		"the label that every Namespace has": [{"matchLabels": {"kubernetes.io/metadata.name": "lost"}}, "lost", []],
		"the label of another": [{"matchLabels": {"kubernetes.io/metadata.name": "bank"}}, "lost", ["fail"]],
		"empty": [{}, "lost", []],
		"null": [null, "safe", ["fail"]],
		"wrong type": ["protected=true", "safe", ["undecided"]],
		"an operator that does not exist": [
			{"matchExpressions": [{"key": "protected", "operator": "Is", "values": ["true"]}]}, "safe",
			["undecided"],
		],
	}
	_reasons(_in(namespace), {"protectedNamespaces": {"selector": selector}}, _inventory) == reasons
}

test_parameters_that_protect_nothing[name] if {
	some name, parameters in {
		"none": {},
		"null": null,
		"a string": "kube-system",
		"protectedNamespaces null": {"protectedNamespaces": null},
		"protectedNamespaces a list": {"protectedNamespaces": ["kube-system"]},
		"protectedNamespaces empty": {"protectedNamespaces": {}},
		"names null": {"protectedNamespaces": {"names": null}},
		"names a string": {"protectedNamespaces": {"names": "kube-system"}},
		"names of another type": {"protectedNamespaces": {"names": [7, null, ["kube-system"]]}},
		"no names": {"protectedNamespaces": {"names": []}},
	}
	_reasons(_in("kube-system"), parameters, _inventory) == ["fail"]
}

test_graded_by_failure_policy[name] if {
	some name, [version, stated, reason] in {
		"Fail": ["v1", {"failurePolicy": "Fail"}, "fail"],
		"Ignore": ["v1", {"failurePolicy": "Ignore"}, "ignore"],
		"none": ["v1", {}, "fail"],
		"null": ["v1", {"failurePolicy": null}, "fail"],
		"wrong case": ["v1", {"failurePolicy": "ignore"}, "fail"],
		"a number": ["v1", {"failurePolicy": 7}, "fail"],
		"none in v1beta1": ["v1beta1", {}, "ignore"],
		"Fail in v1beta1": ["v1beta1", {"failurePolicy": "Fail"}, "fail"],
	}
	review := object.union(_validating([_webhook("shop", stated)]), {"kind": {"version": version}})
	_reasons(review, _by_name, {}) == [reason]
}

test_custom_resources_only[name] if {
	some name, [rules, reason] in {
		"one group": [[_rule(["example.com"])], "custom"],
		"several": [[_rule(["example.com", "acme.example.com"]), _rule(["metrics.k8s.io"])], "custom"],
		"the core group": [[_rule([""])], "fail"],
		"any group": [[_rule(["*"])], "fail"],
		"a group of Kubernetes": [[_rule(["example.com", "apps"])], "fail"],
		"another rule about a group of Kubernetes": [[_rule(["example.com"]), _rule(["apps"])], "fail"],
		"no rules": [[], "fail"],
		"rules null": [null, "fail"],
		"a rule of another type": [["example.com"], "fail"],
		"no groups": [[_rule([])], "fail"],
		"groups null": [[_rule(null)], "fail"],
		"a group of another type": [[_rule([7])], "fail"],
	}
	_reasons(_validating([_webhook("shop", {"rules": rules})]), _by_name, {}) == [reason]
	ignoring := _webhook("shop", {"rules": rules, "failurePolicy": "Ignore"})
	_reasons(_validating([ignoring]), _by_name, {}) == ["ignore"]
}

test_nothing_is_called[name] if {
	some name, review in {
		"a URL": _validating([{"name": "a.example.com", "clientConfig": {"url": "https://hook.example.com"}}]),
		"no webhooks": _validating([]),
		"webhooks null": _validating(null),
		"webhooks a mapping": _validating({"a": _webhook("shop", {})}),
		"webhooks of other types": _validating([null, "a", 7, ["a"]]),
		"no clientConfig": _validating([{"name": "a.example.com"}]),
		"clientConfig a string": _validating([{"clientConfig": "shop/hook"}]),
		"service null": _validating([{"clientConfig": {"service": null}}]),
		"no conversion": _definition(null),
		"conversion None": _definition({"strategy": "None"}),
		"conversion None beside a webhook": _definition({
			"strategy": "None",
			"webhook": {"clientConfig": {"service": _shop}},
		}),
		"conversion a string": _definition("Webhook"),
		"conversion by a URL": _definition({"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://x.org"}}}),
		"conversion by nothing": _definition({"strategy": "Webhook"}),
		"conversion webhook a list": _definition({"strategy": "Webhook", "webhook": [_shop]}),
		"conversion service null": _converted_by(null),
		"a local API": _api(null),
		"an API without spec": _review("apiregistration.k8s.io", "APIService", {}),
		"another kind": _review("", "Service", {"spec": {"service": _shop}, "webhooks": [_webhook("shop", {})]}),
		"an APIService of another group": _review("example.com", "APIService", {"spec": {"service": _shop}}),
		"a definition of another group": object.union(_converted_by(_shop), {"kind": {"group": "example.com"}}),
		"webhooks of another group": object.union(_in("shop"), {"kind": {"group": "example.com"}}),
		"no object": _review("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", null),
		"no kind": {"object": {"webhooks": [_webhook("shop", {})]}},
	}
	every parameters in [_by_name, _by_label, {}] {
		_violations(review, parameters, _inventory) == set()
	}
}

# A webhook without a strategy is refused by the API server; it is taken for one that is to be called.
test_conversion_without_strategy[name] if {
	some name, change in {"none": {}, "null": {"strategy": null}, "wrong case": {"strategy": "none"}}
	review := _definition(object.union({"webhook": {"clientConfig": {"service": _shop}}}, change))
	_reasons(review, _by_name, {}) == ["conversion"]
}

test_services_of_the_wrong_type_are_invalid[name] if {
	some name, service in {
		"a string": "shop/hook",
		"a list": ["shop"],
		"empty": {},
		"no namespace": {"name": "hook"},
		"namespace null": {"namespace": null, "name": "hook"},
		"namespace empty": {"namespace": "", "name": "hook"},
		"namespace a number": {"namespace": 7, "name": "hook"},
	}
	every review in [_validating([{"clientConfig": {"service": service}}]), _converted_by(service), _api(service)] {
		every parameters in [_by_name, {"protectedNamespaces": {"names": ["*"], "selector": {}}}] {
			_reasons(review, parameters, _inventory) == ["invalid"]
		}
	}
}

test_a_service_without_name_is_judged_by_its_namespace if {
	_reasons(_api({"namespace": "shop"}), _by_name, {}) == ["aggregated"]
	_reasons(_api({"namespace": "kube-system", "name": 7}), _by_name, {}) == []
}

# However long and strange the parts are, the message keeps within what Gatekeeper's audit keeps, and says all that
# matters.
test_long_and_hostile_parts[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	some name, [parameters, failure_policy, parts] in {
		"fail": [_by_name, "Fail", ["requests fail (failurePolicy Fail); protect the namespace"]],
		"ignore": [_by_name, "Ignore", ["requests pass without it (failurePolicy Ignore); protect the namespace"]],
		"undecided": [_by_label, "Fail", ["as the labels are not in the inventory; sync Namespaces, or protect it by name"]],
	}
	webhook := {
		"name": concat("", ["ü\n\u001b", long]), "failurePolicy": failure_policy,
		"clientConfig": {"service": {"namespace": concat("", ["é", long]), "name": long}},
	}
	some message in _messages(_validating([webhook]), parameters, {})
	startswith(message, "webhook \"???0123")
	contains(message, "\" service \"?0123")
	count(message) <= 256
	regex.match(`^[ -~]+$`, message)
	every part in parts {
		contains(message, part)
	}
}

test_every_change_is_judged_in_full[operation] if {
	some operation in ["CREATE", "UPDATE"]
	review := object.union(_converted_by(_shop), {"operation": operation, "oldObject": _converted_by(_shop).object})
	_reasons(review, _by_name, {}) == ["conversion"]
}

test_review_without_operation_is_judged_as_in_audit if {
	_reasons(object.remove(_in("shop"), ["operation"]), _by_name, {}) == ["fail"]
}

test_deletion_and_connection_are_never_blocked[operation] if {
	some operation in ["DELETE", "CONNECT"]
	_violations(object.union(_converted_by(_shop), {"operation": operation}), _by_name, {}) == set()
}
