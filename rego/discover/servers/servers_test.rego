package discover.servers_test

import data.discover.servers

_input := {
	"hosts": [],
	"webhooks": [],
	"services": [],
	"workloads": [],
	"registries": {"services": [], "stated": [], "nodes": []},
}

_reasons(more) := reasons if {
	reasons := servers.reasons with input as object.union(_input, more)
}

_host(reason, more) := object.union(
	{
		"kind": "ValidatingWebhookConfiguration",
		"name": "v",
		"path": "webhooks[0].clientConfig.service",
		"webhook": "a.example.com",
		"namespace": "policy",
		"service": "hook",
		"reason": reason,
	},
	more,
)

_configuration(rules) := {
	"apiVersion": "admissionregistration.k8s.io/v1",
	"kind": "ValidatingWebhookConfiguration",
	"metadata": {"name": "v"},
	"webhooks": [{"name": "a.example.com", "rules": rules}, {"name": "b.example.com", "rules": [_rule("*", "*")]}],
}

_rule(group, resource) := {
	"apiGroups": [group],
	"apiVersions": ["*"],
	"operations": ["*"],
	"resources": [resource],
}

test_hosts[name] if {
	some name, case in {
		"refuses pods": {
			"host": _host("fail", {}),
			"rules": [_rule("", "pods")],
			"reason": "fail-webhook",
			"detail": "a.example.com; may refuse what brings back pods or nodes: creation",
		},
		"refuses nodes and leases": {
			"host": _host("fail", {}),
			"rules": [_rule("*", "*")],
			"reason": "fail-webhook",
			"detail": concat("", [
				"a.example.com; may refuse what brings back pods or nodes: ",
				"creation, endpoints, nodes, node leases, leases",
			]),
		},
		"refuses neither": {
			"host": _host("fail", {}),
			"rules": [_rule("networking.k8s.io", "ingresses")],
			"reason": "fail-webhook",
			"detail": "a.example.com",
		},
		"custom": {
			"host": _host("custom", {}),
			"rules": [_rule("example.com", "widgets")],
			"reason": "custom-webhook",
			"detail": "a.example.com",
		},
		"ignored": {
			"host": _host("ignore", {}),
			"rules": [_rule("*", "*")],
			"reason": "ignore-webhook",
			"detail": "a.example.com",
		},
		"without a name": {
			"host": _host("aggregated", {"webhook": null}),
			"rules": [],
			"reason": "aggregated-api",
			"detail": "",
		},
		"conversion": {
			"host": _host("conversion", {"webhook": null}),
			"rules": [],
			"reason": "conversion-webhook",
			"detail": "",
		},
	}
	_reasons({"hosts": [case.host], "webhooks": [_configuration(case.rules)]}) == {{
		"namespace": "policy",
		"reason": case.reason,
		"object": "ValidatingWebhookConfiguration/v",
		"detail": case.detail,
	}}
}

_service(name, labels, port) := {"namespace": "dns", "name": name, "labels": labels, "ports": [{"port": port}]}

test_dns[name] if {
	some name, case in {
		"by name": {"services": [_service("kube-dns", null, 53)], "reasons": {["dns", "Service/dns/kube-dns"]}},
		"by label": {
			"services": [_service("coredns", {"k8s-app": "kube-dns"}, 53)],
			"reasons": {["dns", "Service/dns/coredns"]},
		},
		"by port": {"services": [_service("other", {}, 53)], "reasons": {["dns-port", "Service/dns/other"]}},
		"another port": {"services": [_service("other", {}, 5353)], "reasons": set()},
		"without ports": {"services": [object.union(_service("other", {}, 53), {"ports": null})], "reasons": set()},
		"by pods": {
			"workloads": [_workload({"k8s-app": "kube-dns"}, "example.org/a:1")],
			"reasons": {["dns", "Deployment/dns/coredns"]},
		},
		"other pods": {"workloads": [_workload({"k8s-app": "web"}, "example.org/a:1")], "reasons": set()},
	}
	found := _reasons({"services": object.get(case, "services", []), "workloads": object.get(case, "workloads", [])})
	{[reason.reason, reason.object] | some reason in found} == case.reasons
}

_workload(labels, image) := {
	"namespace": "dns",
	"kind": "Deployment",
	"name": "coredns",
	"daemon": false,
	"labels": labels,
	"spec": {"containers": [{"image": image}]},
}

test_registries[name] if {
	some name, case in {
		"a Service": {"image": "r.infra.svc:5000/a:1", "found": {["infra", "Service/infra/r", "r.infra.svc:5000"]}},
		"stated": {"image": "quay.io/a:1", "found": {["infra", "Service/infra/r", "quay.io"]}},
		"outside": {"image": "nginx", "found": set()},
		"not a reference": {"image": "Not An Image", "found": set()},
		"not a string": {"image": 3, "found": set()},
	}
	found := _reasons({
		"workloads": [_workload({}, case.image)],
		"registries": {
			"services": [{"namespace": "infra", "name": "r", "spec": {}, "status": {}}],
			"stated": [{"namespace": "infra", "name": "r", "host": "quay.io"}],
			"nodes": [],
		},
	})
	{[reason.namespace, reason.object, reason.detail] | some reason in found; reason.reason == "registry"} == case.found
}
