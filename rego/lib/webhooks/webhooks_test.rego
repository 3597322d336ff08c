package lib.webhooks_test

import data.lib.webhooks

_kind(version) := {
	"group": "admissionregistration.k8s.io",
	"version": version,
	"kind": "ValidatingWebhookConfiguration",
}

_webhook(service) := {"name": "a.example.com", "clientConfig": {"service": service}}

_service := {"namespace": "shop", "name": "hook"}

test_served if {
	first := _webhook(_service)
	third := object.union(_webhook({"namespace": "bank", "name": "hook", "port": 443}), {"failurePolicy": "Ignore"})
	configuration := {
		"webhooks": [first, {"name": "b.example.com", "clientConfig": {"url": "https://example.com"}}, third],
	}
	every kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
		webhooks.served(configuration, object.union(_kind("v1"), {"kind": kind})) == [
			{
				"index": 0, "name": "a.example.com", "failurePolicy": "Fail", "timeoutSeconds": 10,
				"service": _service, "field": "service", "webhook": first,
			},
			{
				"index": 2, "name": "a.example.com", "failurePolicy": "Ignore", "timeoutSeconds": 10,
				"service": {"namespace": "bank", "name": "hook"}, "field": "service", "webhook": third,
			},
		]
	}
}

test_failure_policy_in_force[name] if {
	some name, [version, change, policy] in {
		"Fail": ["v1", {"failurePolicy": "Fail"}, "Fail"],
		"Ignore": ["v1", {"failurePolicy": "Ignore"}, "Ignore"],
		"none": ["v1", {}, "Fail"],
		"null": ["v1", {"failurePolicy": null}, "Fail"],
		"none in v1beta1": ["v1beta1", {}, "Ignore"],
		"null in v1beta1": ["v1beta1", {"failurePolicy": null}, "Ignore"],
		"Fail in v1beta1": ["v1beta1", {"failurePolicy": "Fail"}, "Fail"],
		"another case": ["v1", {"failurePolicy": "ignore"}, "Fail"],
		"another case in v1beta1": ["v1beta1", {"failurePolicy": "ignore"}, "Fail"],
		"a number": ["v1", {"failurePolicy": 7}, "Fail"],
	}
	configuration := {"webhooks": [object.union(_webhook(_service), change)]}
	[webhook.failurePolicy | some webhook in webhooks.served(configuration, _kind(version))] == [policy]
}

test_entries_have_webhooks_without_a_service if {
	webhook := {"name": "a.example.com", "clientConfig": {"url": "https://example.com"}, "timeoutSeconds": 3}
	webhooks.entries({"webhooks": [webhook]}, _kind("v1")) == [{
		"index": 0, "name": "a.example.com", "failurePolicy": "Fail", "timeoutSeconds": 3,
		"service": null, "field": null, "webhook": webhook,
	}]
}

test_timeout_in_force[name] if {
	some name, [version, change, seconds] in {
		"stated": ["v1", {"timeoutSeconds": 30}, 30],
		"none": ["v1", {}, 10],
		"null": ["v1", {"timeoutSeconds": null}, 10],
		"none in v1beta1": ["v1beta1", {}, 30],
		"stated in v1beta1": ["v1beta1", {"timeoutSeconds": 5}, 5],
		"a string": ["v1", {"timeoutSeconds": "30"}, 10],
	}
	configuration := {"webhooks": [object.union(_webhook(_service), change)]}
	[webhook.timeoutSeconds | some webhook in webhooks.entries(configuration, _kind(version))] == [seconds]
}

test_host[name] if {
	some name, [client, service, field] in {
		"a service": [{"service": _service}, _service, "service"],
		"a service beside a URL": [{"service": _service, "url": "https://other.bank.svc"}, _service, "service"],
		"a URL": [{"url": "https://hook.shop.svc"}, _service, "url"],
		"a URL beside null": [{"service": null, "url": "https://hook.shop.svc/validate"}, _service, "url"],
	}
	webhooks.host(client) == {"service": service, "field": field}
}

test_url_of_a_service[url] if {
	some url in [
		"https://hook.shop.svc",
		"https://hook.shop.svc/",
		"https://hook.shop.svc:443/validate?timeout=5s",
		"https://hook.shop.svc.cluster.local",
		"https://hook.shop.svc.cluster.local.:8443/a",
		"HTTPS://Hook.Shop.svc/A",
	]
	webhooks.of_url(url) == _service
}

test_url_of_something_else[url] if {
	some url in [
		"https://example.com",
		"https://hook.shop.svc.example.com",
		"https://shop.svc",
		"https://a.hook.shop.svc",
		"https://hook.shop.svcs/a",
		"https://example.com/hook.shop.svc",
		"https://hook.shop.svc@example.com",
		"http://hook.shop.svc",
		"",
		null,
		7,
	]
	not webhooks.of_url(url)
}

test_groups_of_custom_resources[group] if {
	some group in ["example.com", "gateway.networking.k8s.io", "metrics.k8s.io", "snapshot.storage.k8s.io"]
	webhooks.is_custom(group)
}

test_groups_of_kubernetes[group] if {
	some group in ["", "*", "apps", "batch", "coordination.k8s.io", "rbac.authorization.k8s.io", null, 7]
	not webhooks.is_custom(group)
}

test_no_version_is_not_v1beta1 if {
	kind := object.remove(_kind("v1"), ["version"])
	[webhook.failurePolicy | some webhook in webhooks.served({"webhooks": [_webhook(_service)]}, kind)] == ["Fail"]
}

test_none_served[name] if {
	some name, configuration in {
		"null": null,
		"empty": {},
		"webhooks null": {"webhooks": null},
		"webhooks an object": {"webhooks": {"a": _webhook(_service)}},
		"webhooks a string": {"webhooks": "a"},
		"webhooks of other types": {"webhooks": [null, "a", 7, [_webhook(_service)]]},
		"no clientConfig": {"webhooks": [{"name": "a.example.com"}]},
		"clientConfig null": {"webhooks": [{"clientConfig": null}]},
		"clientConfig a string": {"webhooks": [{"clientConfig": "shop/hook"}]},
		"clientConfig a list": {"webhooks": [{"clientConfig": [{"service": _service}]}]},
		"service null": {"webhooks": [_webhook(null)]},
		"a URL": {"webhooks": [{"clientConfig": {"url": "https://hook.example.com"}}]},
	}
	webhooks.served(configuration, _kind("v1")) == []
}

test_other_kinds_have_none[name] if {
	some name, change in {
		"another kind": {"kind": "ValidatingAdmissionPolicy"},
		"another group": {"group": "example.com"},
	}
	webhooks.served({"webhooks": [_webhook(_service)]}, object.union(_kind("v1"), change)) == []
}

test_service[name] if {
	some name, [reference, namespace, service] in {
		"whole": [_service, "shop", "hook"],
		"no namespace": [{"name": "hook"}, null, "hook"],
		"namespace null": [{"namespace": null, "name": "hook"}, null, "hook"],
		"namespace empty": [{"namespace": "", "name": "hook"}, null, "hook"],
		"namespace a number": [{"namespace": 7, "name": "hook"}, null, "hook"],
		"no name": [{"namespace": "shop"}, "shop", null],
		"name a list": [{"namespace": "shop", "name": ["hook"]}, "shop", null],
		"empty": [{}, null, null],
		"a string": ["shop/hook", null, null],
		"a list": [["shop", "hook"], null, null],
		"false": [false, null, null],
	}
	webhooks.service(reference) == {"namespace": namespace, "name": service}
}

test_no_service if not webhooks.service(null)

test_shown[name] if {
	some name, [reference, text] in {
		"whole": [_service, "shop/hook"],
		"nothing": [{"namespace": null, "name": null}, "(none)/(none)"],
	}
	webhooks.shown(reference) == text
}
