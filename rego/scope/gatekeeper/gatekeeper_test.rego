package scope.gatekeeper_test

import data.scope.gatekeeper

test_webhooks if {
	configurations := [{"metadata": {"name": "c"}, "webhooks": [
		{"name": "validation.gatekeeper.sh"},
		{"name": "renamed.example", "clientConfig": {"service": {"path": "/v1/admit"}}},
		{"name": "outside.example", "clientConfig": {"url": "https://127.0.0.1:1/v1/admit"}},
		{"name": "check-ignore-label.gatekeeper.sh", "clientConfig": {"service": {"path": "/v1/admitlabel"}}},
		{"name": "mutation.gatekeeper.sh"},
		{"clientConfig": null},
	]}]
	[entry.webhook.name | some entry in gatekeeper.webhooks(configurations, "validation")] == [
		"validation.gatekeeper.sh", "renamed.example", "outside.example",
	]
	[entry.configuration | some entry in gatekeeper.webhooks(configurations, "mutation")] == ["c"]
}

_config(name, entries) := {"metadata": {"name": name}, "spec": {"match": entries}}

test_exclusion if {
	configs := [_config("config", [
		{"processes": ["audit"], "excludedNamespaces": ["a"]},
		{"processes": ["*"], "excludedNamespaces": ["kube-*", "*-x"]},
	])]
	gatekeeper.exclusion(configs, "audit", "a") == "a"
	gatekeeper.exclusion(configs, "webhook", "kube-system") == "kube-*"
	gatekeeper.exclusion(configs, "mutation-webhook", "b-x") == "*-x"
}

test_no_exclusion[name] if {
	some name, configs in {
		"none": [],
		"another process": [_config("config", [{"processes": ["audit"], "excludedNamespaces": ["a"]}])],
		"another namespace": [_config("config", [{"processes": ["*"], "excludedNamespaces": ["b"]}])],
		"another name": [_config("other", [{"processes": ["*"], "excludedNamespaces": ["a"]}])],
		"no match": [_config("config", null)],
	}
	not gatekeeper.exclusion(configs, "webhook", "a")
}

_deployment(arguments) := {
	"metadata": {"labels": {"gatekeeper.sh/system": "yes"}},
	"spec": {"template": {"spec": {"containers": [{"name": "manager", "args": arguments}]}}},
}

test_exemption[argument] if {
	some argument in [
		"--exempt-namespace=kube-system",
		"--exempt-namespace-prefix=kube-",
		"--exempt-namespace-suffix=-system",
	]
	gatekeeper.exemption([_deployment(["--port=1", argument])], "kube-system") == argument
}

test_no_exemption[argument] if {
	some argument in ["--exempt-namespace=kube", "--exempt-namespace", "--operation=webhook"]
	not gatekeeper.exemption([_deployment([argument])], "kube-system")
}

test_is_present if {
	gatekeeper.is_present([_deployment([])])
	not gatekeeper.is_present([{"metadata": {"name": "other"}}])
}
