package scope.tools_test

import data.testing.snapshots

_change := {"kind": "DaemonSet", "name": "agent", "container": "c", "policy": "IfNotPresent"}

_api_server(arguments) := {
	"metadata": {"namespace": "kube-system", "name": "kube-apiserver-x"},
	"spec": {"containers": [{"command": arguments}]},
}

_kyverno := {"metadata": {"name": "kyverno"}, "webhooks": [{"name": "mutate.kyverno.svc", "rules": [snapshots.rule]}]}

_with_change(change) := object.union(
	{"plan": {"changed": [
		object.union(_change, {"namespace": "a"}),
		object.union(_change, {"namespace": "b"}),
	]}},
	change,
)

test_tools[name] if {
	some name, case in {
		"nobody": {"change": {}, "suspects": []},
		"plugin": {
			"change": {"pods": [
				_api_server(["kube-apiserver", "--enable-admission-plugins=NodeRestriction,AlwaysPullImages"]),
				_api_server(["--enable-admission-plugins=NodeRestriction"]), _api_server(["--audit"]),
			]},
			"suspects": ["the admission plugin AlwaysPullImages, which the pod kube-system/kube-apiserver-x turns on"],
		},
		"webhook": {
			"change": {"mutatingWebhooks": [_kyverno, snapshots.hook("mutation", {})]},
			"suspects": ["the MutatingWebhookConfiguration kyverno"],
		},
		"mutator": {
			"change": object.union({"mutatingWebhooks": [snapshots.hook("mutation", {})]}, snapshots.with_assign({})),
			"suspects": ["the MutatingWebhookConfiguration gatekeeper-mutation"],
		},
		"policy": {
			"change": {
				"mutatingPolicies": [{"kind": snapshots.mutating, "metadata": {"name": "ours"}, "spec": {}}],
				"mutatingBindings": [snapshots.binding("b", [], {})],
			},
			"suspects": ["the MutatingAdmissionPolicy ours"],
		},
	}
	snapshots.report_on(_with_change(case.change)).tools == {"changed": [_change], "suspects": case.suspects}
}

test_the_plugin_injects_no_containers if {
	injected := object.union(_change, {"policy": null})
	report := snapshots.report_on({
		"plan": {"changed": [object.union(injected, {"namespace": "a"})]},
		"pods": [_api_server(["--enable-admission-plugins=AlwaysPullImages"])],
		"mutatingWebhooks": [_kyverno],
	})
	report.tools == {"changed": [injected], "suspects": ["the MutatingWebhookConfiguration kyverno"]}
}

test_no_suspects_without_changes if {
	snapshots.report_on({"mutatingWebhooks": [_kyverno]}).tools == {"changed": [], "suspects": []}
}
