package discover.hosts_test

import data.discover.hosts

_webhooks := {
	"apiVersion": "admissionregistration.k8s.io/v1",
	"kind": "ValidatingWebhookConfiguration",
	"metadata": {"name": "v"},
	"webhooks": [
		{
			"name": "a.example.com",
			"clientConfig": {"service": {"namespace": "policy", "name": "hook"}},
			"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}],
		},
		{"name": "b.example.com", "clientConfig": {"url": "https://hook.elsewhere.svc/x"}, "failurePolicy": "Ignore"},
		{"name": "c.example.com", "clientConfig": {"service": {"name": "hook"}}},
		{"name": "d.example.com", "clientConfig": {"url": "https://example.com"}},
	],
}

_api := {
	"apiVersion": "apiregistration.k8s.io/v1",
	"kind": "APIService",
	"metadata": {"name": "v1.example.com"},
	"spec": {"service": {"namespace": "apis", "name": "server"}},
}

_local_api := {
	"apiVersion": "apiregistration.k8s.io/v1",
	"kind": "APIService",
	"metadata": {"name": "v1."},
	"spec": {"service": null},
}

_definition := {
	"apiVersion": "apiextensions.k8s.io/v1",
	"kind": "CustomResourceDefinition",
	"metadata": {"name": "widgets.example.com"},
	"spec": {"conversion": {
		"strategy": "Webhook",
		"webhook": {"clientConfig": {"service": {"namespace": "widgets", "name": "converter"}}},
	}},
}

_host(kind, name, path, webhook, service, reason) := {
	"kind": kind,
	"name": name,
	"path": path,
	"webhook": webhook,
	"namespace": service[0],
	"service": service[1],
	"reason": reason,
}

_validating(path, webhook, service, reason) := _host(_webhooks.kind, "v", path, webhook, service, reason)

test_found if {
	found := hosts.found with input as {
		"policy": "protected_webhook_host",
		"objects": [_webhooks, _api, _local_api, _definition],
	}
	found == [
		_validating("webhooks[0].clientConfig.service", "a.example.com", ["policy", "hook"], "fail"),
		_validating("webhooks[1].clientConfig.url", "b.example.com", ["elsewhere", "hook"], "ignore"),
		_host("APIService", "v1.example.com", "spec.service", null, ["apis", "server"], "aggregated"),
		_host(
			"CustomResourceDefinition",
			"widgets.example.com",
			"spec.conversion.webhook.clientConfig.service",
			null,
			["widgets", "converter"],
			"conversion",
		),
	]
}
