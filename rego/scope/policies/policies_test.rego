package scope.policies_test

import data.scope.policies

_namespace := {
	"name": "kube-system",
	"labels": {"kubernetes.io/metadata.name": "kube-system", "tier": "b"},
	"labelsComplete": true,
}

_policy(expression) := {
	"metadata": {
		"annotations": {"pullguard/policy": "protected_pull_policy"},
	},
	"spec": {"variables": [
		{"name": "isProtected", "expression": expression},
		{"name": "allowedPolicies", "expression": `["IfNotPresent"]`},
		{"name": "controlledPods", "expression": `"deny"`},
		{"name": "exemptImages", "expression": "edited()"},
		{"name": "other", "expression": "1"},
	]},
}

test_written_for if policies.written_for(_policy("")) == "protected_pull_policy"

test_written_by_others[name] if {
	some name, annotations in {"none": null, "another": {"a": "b"}, "no text": {"pullguard/policy": 1}}
	not policies.written_for({"metadata": {"annotations": annotations}})
}

test_parameters if {
	policies.parameters(_policy("")) == {"allowedPolicies": ["IfNotPresent"], "controlledPods": "deny"}
}

_labels := "namespaceObject.metadata.?labels.orValue({})"

test_protects[name] if {
	some name, case in {
		"names": {"expression": `request.namespace in ["a", "kube-system"]`, "verdict": "match"},
		"other names": {"expression": `request.namespace in ["a"]`, "verdict": "mismatch"},
		"everything": {"expression": "true", "verdict": "match"},
		"prefix": {"expression": `request.namespace.startsWith("kube-")`, "verdict": "match"},
		"suffix": {"expression": `request.namespace.endsWith("-system")`, "verdict": "match"},
		"inside": {"expression": `request.namespace.contains("x")`, "verdict": "mismatch"},
		"inside, too": {"expression": `request.namespace.contains("sys")`, "verdict": "match"},
		"alternatives": {
			"expression": concat("", ["request.namespace in [\"a\"]\n|| request.namespace.endsWith(\"m\")"]),
			"verdict": "match",
		},
		"label": {"expression": sprintf(`"tier" in %s`, [_labels]), "verdict": "match"},
		"no label": {"expression": sprintf(`!("tier" in %s)`, [_labels]), "verdict": "mismatch"},
		"value": {
			"expression": sprintf(`"tier" in %s && namespaceObject.metadata.labels["tier"] in ["a"]`, [_labels]),
			"verdict": "mismatch",
		},
		"not the value": {
			"expression": sprintf(`!("tier" in %s && namespaceObject.metadata.labels["tier"] in ["a"])`, [_labels]),
			"verdict": "match",
		},
		"two conditions": {
			"expression": sprintf(`"tier" in %s && "absent" in %s`, [_labels, _labels]),
			"verdict": "mismatch",
		},
		"no JSON": {"expression": `request.namespace in [x]`, "verdict": "unknown"},
		"edited": {"expression": `request.name == "a"`, "verdict": "unknown"},
		"empty": {"expression": "", "verdict": "unknown"},
	}
	policies.protects(_policy(case.expression), _namespace) == case.verdict
}

test_without_the_variable_it_is_unknown_what_is_protected if {
	policies.protects({"spec": {"variables": []}}, _namespace) == "unknown"
}
