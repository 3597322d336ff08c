package lib.namespaces_test

import data.lib.namespaces

_named(name) := {"matchLabels": {"kubernetes.io/metadata.name": name}}

_labelled := {"matchLabels": {"protected": "true"}}

_without(key) := {"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}

test_known_namespace[name] if {
	some name, [selector, namespace, answer] in {
		"label": [_labelled, {"metadata": {"labels": {"protected": "true"}}}, "match"],
		"another value": [_labelled, {"metadata": {"labels": {"protected": "false"}}}, "mismatch"],
		"no labels": [_labelled, {"metadata": {"name": "shop"}}, "mismatch"],
		"labels null": [_labelled, {"metadata": {"labels": null}}, "mismatch"],
		"a label that is not there": [_without("protected"), {"metadata": {"labels": {}}}, "match"],
		"an empty object": [_without("protected"), {}, "match"],
		"a label without a value": [{"matchLabels": {"a": ""}}, {"metadata": {"labels": {"a": null}}}, "match"],
		"implied label": [_named("shop"), {"metadata": {"labels": {}}}, "match"],
		"implied label of another": [_named("bank"), {"metadata": {"labels": {}}}, "mismatch"],
		"implied label stated otherwise": [
			_named("shop"),
			{"metadata": {"labels": {"kubernetes.io/metadata.name": "bank"}}},
			"match",
		],
	}
	namespaces.verdict(selector, "shop", namespace) == answer
}

test_unknown_labels[name] if {
	some name, namespace in {
		"no Namespace": null,
		"a string": "shop",
		"labels a string": {"metadata": {"labels": "protected=true"}},
		"labels a list": {"metadata": {"labels": ["protected"]}},
		"a label that is a boolean": {"metadata": {"labels": {"protected": true}}},
	}
	namespaces.verdict(_labelled, "shop", namespace) == "unknown"
	namespaces.verdict(_without("protected"), "shop", namespace) == "unknown"
	namespaces.verdict(_named("shop"), "shop", namespace) == "match"
	namespaces.verdict(_named("bank"), "shop", namespace) == "mismatch"
	namespaces.verdict({}, "shop", namespace) == "match"
}

test_unknown_name if {
	namespaces.verdict(_named("shop"), null, null) == "unknown"
	namespaces.verdict({}, null, null) == "match"
}

test_known[name] if {
	implied := {"kubernetes.io/metadata.name": "shop"}
	some name, [of, namespace, labels, complete] in {
		"stated": ["shop", {"metadata": {"labels": {"a": "b"}}}, object.union(implied, {"a": "b"}), true],
		"no Namespace": ["shop", null, implied, false],
		"no name": [null, null, {}, false],
	}
	namespaces.known(of, namespace) == {"name": of, "labels": labels, "labelsComplete": complete}
}
