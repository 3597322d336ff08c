package outage.admission_test

import data.outage.admission
import data.testing.snapshots

_found(change) := contents.mutations.a if {
	contents := admission.contents with input as object.union_n([
		{
			"namespaces": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}],
			"constraints": [],
			"workloads": [],
		},
		snapshots.base,
		change,
	])
}

test_nothing if _found({}) == []

_turned_on := {"pods": [{
	"metadata": {"namespace": "kube-system", "name": "kube-apiserver-x"},
	"spec": {"containers": [{"command": ["--enable-admission-plugins=AlwaysPullImages"]}]},
}]}

_plugin := {
	"by": "the admission plugin AlwaysPullImages, which the pod kube-system/kube-apiserver-x turns on",
	"value": "Always",
	"certain": true,
	"onlyPinned": false,
}

test_plugin if _found(_turned_on) == [_plugin]

test_plugin_refuses_what_others_change if {
	_found(object.union(_turned_on, snapshots.with_mutation(snapshots.protected))) == [_plugin]
	_found(object.union(_turned_on, snapshots.with_assign({}))) == [_plugin]
}

test_own_policy[name] if {
	some name, case in {
		"certain": {"change": snapshots.protected, "certain": true},
		"in doubt": {"change": snapshots.edited, "certain": false},
	}
	_found(snapshots.with_mutation(case.change)) == [{
		"by": "ours", "value": "IfNotPresent", "certain": case.certain, "onlyPinned": true,
	}]
}

_elsewhere(protected) := object.union(snapshots.with_mutation(protected), {"mutatingPolicies": [object.union(
	snapshots.ours(snapshots.mutating, protected),
	{"metadata": {"annotations": {"pullguard/elsewhere": "Always"}}},
)]})

test_own_policy_for_other_namespaces[name] if {
	always := {"by": "ours", "value": "Always", "certain": true, "onlyPinned": false}
	some name, case in {
		"a protected namespace": {"protected": ["a"], "found": []},
		"another": {"protected": ["b"], "found": [always]},
		"edited": {"protected": snapshots.edited, "found": [object.union(always, {"certain": false})]},
	}
	_found(_elsewhere(case.protected)) == case.found
}

_assign(value) := {"by": "Assign set", "value": value, "certain": false, "onlyPinned": false}

test_assign[name] if {
	some name, case in {
		"a value": {"change": snapshots.with_assign({}), "found": [_assign("IfNotPresent")]},
		"no value": {
			"change": snapshots.with_assign({"parameters": {"assign": {"value": null}}}),
			"found": [_assign("Always"), _assign("IfNotPresent")],
		},
		"nobody is asked": {
			"change": object.union(snapshots.with_assign({}), {"mutatingWebhooks": []}),
			"found": [],
		},
	}
	_found(case.change) == case.found
}

test_what_could_not_be_read if {
	_found({"unknown": ["Assign"]}) == [
		{"by": "Assign", "value": "Always", "certain": false, "onlyPinned": false},
		{"by": "Assign", "value": "IfNotPresent", "certain": false, "onlyPinned": false},
	]
}
