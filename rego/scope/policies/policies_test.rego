package scope.policies_test

import data.scope.policies

_namespace := {
	"name": "kube-system",
	"labels": {"kubernetes.io/metadata.name": "kube-system", "tier": "b"},
	"labelsComplete": true,
}

_policy(protected) := {
	"metadata": {"annotations": {
		"pullguard/policy": "protected_pull_policy",
		"pullguard/summary": json.marshal({
			"protectedNamespaces": protected,
			"parameters": {"allowedPolicies": ["IfNotPresent"]},
			"sha256": crypto.sha256("a\nb"),
		}),
	}},
	"spec": {"variables": [{"name": "isProtected", "expression": "a"}, {"name": "other", "expression": "b"}]},
}

_changed(change) := object.union(_policy({"names": ["*"]}), change)

test_written_for if policies.written_for(_policy({})) == "protected_pull_policy"

test_written_by_others[name] if {
	some name, annotations in {"none": null, "another": {"a": "b"}, "no text": {"pullguard/policy": 1}}
	not policies.written_for({"metadata": {"annotations": annotations}})
}

test_set_elsewhere if {
	policies.set_elsewhere(_changed({"metadata": {"annotations": {"pullguard/elsewhere": "Always"}}})) == "Always"
	not policies.set_elsewhere(_policy({}))
	not policies.set_elsewhere(_changed({"metadata": {"annotations": {"pullguard/elsewhere": 1}}}))
	not policies.set_elsewhere({"metadata": {"annotations": {"pullguard/elsewhere": "Always"}}})
}

test_parameters if policies.parameters(_policy({})) == {"allowedPolicies": ["IfNotPresent"]}

_tier(operator, values) := {"selector": {"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]}}

test_protects[name] if {
	some name, case in {
		"a name": {"protected": {"names": ["a", "kube-system"]}, "verdict": "match"},
		"another name": {"protected": {"names": ["a"]}, "verdict": "mismatch"},
		"everything": {"protected": {"names": ["*"]}, "verdict": "match"},
		"a prefix": {"protected": {"names": ["kube-*"]}, "verdict": "match"},
		"a suffix": {"protected": {"names": ["a", "*-system"]}, "verdict": "match"},
		"a value": {"protected": _tier("In", ["b"]), "verdict": "match"},
		"another value": {"protected": _tier("NotIn", ["b"]), "verdict": "mismatch"},
		"a name or a label": {
			"protected": object.union({"names": ["a"]}, _tier("In", ["b"])),
			"verdict": "match",
		},
		"no selector": {"protected": {"names": ["a"], "selector": null}, "verdict": "mismatch"},
		"nothing": {"protected": {}, "verdict": "mismatch"},
	}
	policies.protects(_policy(case.protected), _namespace) == case.verdict
}

test_protection_by_unknown_labels_is_unknown if {
	unlabelled := object.union(_namespace, {"labelsComplete": false})
	policies.protects(_policy({"selector": {"matchLabels": {"absent": "x"}}}), unlabelled) == "unknown"
}

test_edited_policies_are_unknown[name] if {
	some name, change in {
		"another expression": {"spec": {"variables": [{"name": "isProtected", "expression": "a"}]}},
		"no variables": {"spec": null},
		"no summary": {"metadata": null},
		"a summary that is not JSON": {"metadata": {"annotations": {"pullguard/summary": "{"}}},
	}
	policies.protects(_changed(change), _namespace) == "unknown"
	policies.parameters(_changed(change)) == {}
}
