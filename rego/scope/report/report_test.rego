package scope.report_test

import data.testing.snapshots

test_whole if {
	outcome := {
		"outcome": "denied-by-webhook",
		"certain": true,
		"otherwise": "denied-by-webhook",
		"facts": [
			{"stage": snapshots.validating, "by": snapshots.by_name, "effect": "deny", "could": "", "text": "it is Always"},
			{"stage": "Audit", "by": snapshots.by_name, "effect": "audit", "could": "", "text": "reports it"},
		],
	}
	snapshots.report_on({}) == {
		"name": "a",
		"exists": true,
		"constraints": ["by-name"],
		"notes": [],
		"pod": outcome,
		"deployment": outcome,
		"deny": {
			"state": "unknown",
			"reason": "the snapshot holds no workload of the namespace",
			"blocked": [],
			"unjudged": [],
		},
		"tools": {"changed": [], "suspects": []},
	}
}

_gatekeeper(arguments) := [{
	"metadata": {"labels": {"gatekeeper.sh/system": "yes"}},
	"spec": {"template": {"spec": {"containers": [{"args": arguments}]}}},
}]

test_notes[name] if {
	label := "it has the label admission.gatekeeper.sh/ignore"
	some name, case in {
		"no Namespace": {
			"change": snapshots.with_namespace({"exists": false, "labelsComplete": false}),
			"notes": ["there is no such Namespace in the snapshot, so its labels are not known"],
		},
		"Namespaces may not be read": {
			"change": object.union(
				snapshots.with_namespace({"exists": false, "labelsComplete": false}),
				{"unknown": ["Namespace"]},
			),
			"notes": ["its Namespace could not be read, so its labels are not known"],
		},
		"ignored": {"change": snapshots.with_namespace(snapshots.ignored), "notes": [label]},
		"ignored and exempt": {
			"change": object.union(
				snapshots.with_namespace(snapshots.ignored),
				{"deployments": _gatekeeper(["--exempt-namespace=a"])},
			),
			"notes": [sprintf("%s, which Gatekeeper's --exempt-namespace=a allows", [label])],
		},
		"ignored, not exempt": {
			"change": object.union(snapshots.with_namespace(snapshots.ignored), {"deployments": _gatekeeper([])}),
			"notes": [sprintf("%s, which Gatekeeper's --exempt-namespace does not allow", [label])],
		},
		"exempt only": {
			"change": {"deployments": _gatekeeper(["--exempt-namespace=a"])},
			"notes": [concat("", [
				"Gatekeeper's --exempt-namespace=a only allows the label admission.gatekeeper.sh/ignore: ",
				"it excludes nothing by itself",
			])],
		},
	}
	snapshots.report_on(case.change).notes == case.notes
}

test_a_plugin_that_refuses_what_a_mutation_changes if {
	turned_on := {"pods": [{
		"metadata": {"namespace": "kube-system", "name": "kube-apiserver-x"},
		"spec": {"containers": [{"args": ["--enable-admission-plugins=AlwaysPullImages"]}]},
	}]}
	mutated := snapshots.with_mutation(snapshots.protected)
	note := concat("", [
		"the admission plugin AlwaysPullImages, which the pod kube-system/kube-apiserver-x turns on, ",
		"refuses pods that a mutation has changed: turn it off",
	])
	note in snapshots.report_on(object.union(turned_on, mutated)).notes
	not note in snapshots.report_on(turned_on).notes
	not note in snapshots.report_on(mutated).notes
}
