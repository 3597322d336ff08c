package lib.requests_test

import data.lib.requests

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

_named := object.union(_rule, {"resourceNames": ["a", "c"]})

_pods := object.union(_request, {"group": "", "resource": "pods"})

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
	requests.rules([object.union(_rule, case.change)], _request, "Equivalent") == case.verdict
}

test_scope[name] if {
	shop := {"name": "shop", "labels": {}, "labelsComplete": true}
	node := object.union(_request, {"group": "", "resource": "nodes", "namespace": null})
	namespace := object.union(_request, {"group": "", "resource": "namespaces", "namespace": shop})
	some name, [change, of_namespaced, of_cluster, of_namespace] in {
		"none": [{}, "match", "match", "match"],
		"null": [{"scope": null}, "match", "match", "match"],
		"any": [{"scope": "*"}, "match", "match", "match"],
		"Namespaced": [{"scope": "Namespaced"}, "match", "mismatch", "mismatch"],
		"Cluster": [{"scope": "Cluster"}, "mismatch", "match", "match"],
		"another": [{"scope": "namespaced"}, "mismatch", "mismatch", "mismatch"],
		"another type": [{"scope": ["*"]}, "mismatch", "mismatch", "mismatch"],
	}
	entries := [object.union(_rule, change)]
	requests.rules(entries, _request, "Exact") == of_namespaced
	requests.rules(entries, node, "Exact") == of_cluster
	requests.rules(entries, namespace, "Exact") == of_namespace
}

test_subresources[name] if {
	some name, [resources, of_pods, of_status] in {
		"everything": [["*"], "match", "mismatch"],
		"everything and its subresources": [["*/*"], "match", "match"],
		"a resource": [["pods"], "match", "mismatch"],
		"a resource and its subresources": [["pods/*"], "match", "match"],
		"a subresource": [["pods/status"], "mismatch", "match"],
		"a subresource of everything": [["*/status"], "mismatch", "match"],
		"another subresource": [["pods/binding", "*/scale"], "mismatch", "mismatch"],
		"another type": [[7, null, ["pods"]], "mismatch", "mismatch"],
	}
	entries := [object.union(_rule, {"resources": resources})]
	requests.rules(entries, _pods, "Exact") == of_pods
	requests.rules(entries, object.union(_pods, {"subresource": "status"}), "Exact") == of_status
}

test_names[name] if {
	some name, [change, verdict] in {
		"listed": [{"name": "a"}, "match"],
		"another": [{"name": "b"}, "mismatch"],
		"not known": [{"name": null}, "unknown"],
	}
	requests.rules([_named], object.union(_request, change), "Exact") == verdict
}

test_rules_of_another_type_are_about_nothing if {
	requests.rules([null, 7, "pods", [_rule]], _request, "Exact") == "mismatch"
}

test_the_core_group_has_one_version if {
	requests.rules([object.union(_rule, {"apiVersions": ["v1beta1"]})], _pods, "Equivalent") == "mismatch"
	requests.rules([object.union(_rule, {"apiVersions": ["v1"]})], _pods, "Equivalent") == "match"
}

test_objects_without_a_namespace_are_never_left_out if {
	entry := {"rules": [_rule], "namespaceSelector": {"matchLabels": {"a": "b"}}}
	requests.webhook(entry, object.union(_request, {"namespace": null})) == {"verdict": "match", "by": ""}
}

test_nobody_is_asked_about_admission_itself[resource] if {
	some resource in [
		"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
		"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
	]
	request := object.union(_request, {
		"group": "admissionregistration.k8s.io",
		"resource": resource,
		"namespace": null,
	})
	requests.webhook({"rules": [_rule]}, request) == {"verdict": "mismatch", "by": "rules"}
	requests.resources({"resourceRules": [_rule]}, request) == {"verdict": "mismatch", "by": "resourceRules"}
	requests.webhook({"rules": [_rule]}, object.union(request, {"group": "example.com"})).verdict == "match"
}

test_bound[name] if {
	constraints := {"resourceRules": [_rule]}
	other := {"resourceRules": [object.union(_rule, {"apiGroups": ["batch"]})]}
	some name, [policy, binding, answer] in {
		"asked": [{"matchConstraints": constraints}, {}, {"verdict": "match", "by": ""}],
		"not by its constraints": [
			{"matchConstraints": other},
			{"matchResources": constraints},
			{"verdict": "mismatch", "by": "resourceRules"},
		],
		"not by its binding": [
			{"matchConstraints": constraints},
			{"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}},
			{"verdict": "mismatch", "by": "namespaceSelector"},
		],
		"perhaps": [
			{"matchConstraints": constraints, "matchConditions": [{"name": "a", "expression": "true"}]},
			{},
			{"verdict": "unknown", "by": "matchConditions"},
		],
	}
	requests.bound({"spec": policy}, {"spec": binding}, _request) == answer
}

test_another_version_is_no_match_where_it_is_to_be_exact if {
	requests.rules([object.union(_rule, {"apiVersions": ["v1beta1"]})], _request, "Exact") == "mismatch"
}

test_no_rule_is_about_nothing if requests.rules([], _request, "Exact") == "mismatch"

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
	requests.webhook(case.entry, _request) == case.answer
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
	requests.resources(case.criteria, _request) == case.answer
}

test_what_selects_by_labels_that_are_not_known_is_unknown if {
	subject := {"labels": {}, "labelsComplete": false}
	requests.selected({"matchLabels": {"a": "b"}}, subject) == "unknown"
}
