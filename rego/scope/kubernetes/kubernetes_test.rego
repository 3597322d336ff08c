package scope.kubernetes_test

import data.scope.kubernetes

_namespace := {"name": "kube-system", "labels": {"kubernetes.io/metadata.name": "kube-system"}, "labelsComplete": true}

_request := {
	"operation": "CREATE",
	"group": "apps",
	"version": "v1",
	"resource": "deployments",
	"labels": {},
	"labelsComplete": true,
	"namespace": _namespace,
}

_rule := {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}

test_rules[name] if {
	some name, case in {
		"wildcards": {"change": {}, "verdict": "match"},
		"stated": {
			"change": {
				"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"],
				"resources": ["deployments"], "scope": "Namespaced",
			},
			"verdict": "match",
		},
		"every resource and subresource": {"change": {"resources": ["*/*"]}, "verdict": "match"},
		"a resource and its subresources": {"change": {"resources": ["deployments/*"]}, "verdict": "match"},
		"a subresource": {"change": {"resources": ["deployments/scale"]}, "verdict": "mismatch"},
		"another operation": {"change": {"operations": ["UPDATE"]}, "verdict": "mismatch"},
		"another group": {"change": {"apiGroups": [""]}, "verdict": "mismatch"},
		"another resource": {"change": {"resources": ["pods"]}, "verdict": "mismatch"},
		"objects without namespace": {"change": {"scope": "Cluster"}, "verdict": "mismatch"},
		"another version": {"change": {"apiVersions": ["v1beta1"]}, "verdict": "unknown"},
		"certain names": {"change": {"resourceNames": ["a"]}, "verdict": "unknown"},
		"no list": {"change": {"resources": "*"}, "verdict": "mismatch"},
		"null": {"change": {"resources": null}, "verdict": "mismatch"},
	}
	kubernetes.rules([object.union(_rule, case.change)], _request, "Equivalent") == case.verdict
}

test_another_version_is_no_match_where_it_is_to_be_exact if {
	kubernetes.rules([object.union(_rule, {"apiVersions": ["v1beta1"]})], _request, "Exact") == "mismatch"
}

test_no_rule_is_about_nothing if kubernetes.rules([], _request, "Exact") == "mismatch"

test_webhook[name] if {
	some name, case in {
		"asked": {"entry": {"rules": [_rule]}, "answer": {"verdict": "match", "by": ""}},
		"rules": {"entry": {}, "answer": {"verdict": "mismatch", "by": "rules"}},
		"namespaceSelector": {
			"entry": {"rules": [_rule], "namespaceSelector": {"matchLabels": {"a": "b"}}},
			"answer": {"verdict": "mismatch", "by": "namespaceSelector"},
		},
		"objectSelector": {
			"entry": {"rules": [_rule], "objectSelector": {"matchLabels": {"a": "b"}}, "matchConditions": [{}]},
			"answer": {"verdict": "mismatch", "by": "objectSelector"},
		},
		"matchConditions": {
			"entry": {"rules": [_rule], "matchConditions": [{"name": "a", "expression": "true"}]},
			"answer": {"verdict": "unknown", "by": "matchConditions"},
		},
	}
	kubernetes.webhook(case.entry, _request) == case.answer
}

test_resources[name] if {
	some name, case in {
		"null": {"criteria": null, "answer": {"verdict": "match", "by": ""}},
		"no object": {"criteria": "x", "answer": {"verdict": "unknown", "by": "resourceRules"}},
		"empty": {"criteria": {}, "answer": {"verdict": "match", "by": ""}},
		"rules": {"criteria": {"resourceRules": [_rule]}, "answer": {"verdict": "match", "by": ""}},
		"other rules": {
			"criteria": {"resourceRules": [object.union(_rule, {"apiGroups": ["batch"]})]},
			"answer": {"verdict": "mismatch", "by": "resourceRules"},
		},
		"excluded": {
			"criteria": {"excludeResourceRules": [_rule]},
			"answer": {"verdict": "mismatch", "by": "excludeResourceRules"},
		},
		"perhaps excluded": {
			"criteria": {"excludeResourceRules": [object.union(_rule, {"resourceNames": ["a"]})]},
			"answer": {"verdict": "unknown", "by": "excludeResourceRules"},
		},
		"namespaceSelector": {
			"criteria": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}},
			"answer": {"verdict": "mismatch", "by": "namespaceSelector"},
		},
		"objectSelector": {
			"criteria": {"objectSelector": {"matchLabels": {"a": "b"}}},
			"answer": {"verdict": "mismatch", "by": "objectSelector"},
		},
	}
	kubernetes.resources(case.criteria, _request) == case.answer
}

test_what_selects_by_labels_that_are_not_known_is_unknown if {
	subject := {"labels": {}, "labelsComplete": false}
	kubernetes.selected({"matchLabels": {"a": "b"}}, subject) == "unknown"
}
