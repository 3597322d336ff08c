package lib.selectors_test

import data.lib.selectors

_labels := {"app": "shop", "tier": ""}

_expression(key, operator, values) := {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}

# What is known in full gives either of two answers.
test_known_labels[name] if {
	some name, [selector, answer] in {
		"empty": [{}, "match"],
		"parts null": [{"matchLabels": null, "matchExpressions": null}, "match"],
		"parts empty": [{"matchLabels": {}, "matchExpressions": []}, "match"],
		"label": [{"matchLabels": {"app": "shop"}}, "match"],
		"another value": [{"matchLabels": {"app": "bank"}}, "mismatch"],
		"another label": [{"matchLabels": {"team": "shop"}}, "mismatch"],
		"an empty value": [{"matchLabels": {"tier": ""}}, "match"],
		"an empty value is no missing label": [{"matchLabels": {"team": ""}}, "mismatch"],
		"both labels": [{"matchLabels": {"app": "shop", "tier": ""}}, "match"],
		"one label of two": [{"matchLabels": {"app": "shop", "tier": "x"}}, "mismatch"],
		"In": [_expression("app", "In", ["bank", "shop"]), "match"],
		"In others": [_expression("app", "In", ["bank"]), "mismatch"],
		"In without the label": [_expression("team", "In", ["", "a"]), "mismatch"],
		"NotIn": [_expression("app", "NotIn", ["bank"]), "match"],
		"NotIn it": [_expression("app", "NotIn", ["bank", "shop"]), "mismatch"],
		"NotIn without the label": [_expression("team", "NotIn", ["a"]), "match"],
		"Exists": [_expression("tier", "Exists", []), "match"],
		"Exists without the label": [_expression("team", "Exists", null), "mismatch"],
		"DoesNotExist": [{"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, "match"],
		"DoesNotExist beside the label": [_expression("tier", "DoesNotExist", []), "mismatch"],
		"labels and expressions": [
			object.union(_expression("tier", "Exists", []), {"matchLabels": {"app": "shop"}}),
			"match",
		],
		"labels, not expressions": [
			object.union(_expression("team", "Exists", []), {"matchLabels": {"app": "shop"}}),
			"mismatch",
		],
	}
	selectors.verdict(selector, _labels, true) == answer
}

test_labels_beside_the_known_ones[name] if {
	some name, [selector, answer] in {
		"empty": [{}, "match"],
		"label": [{"matchLabels": {"app": "shop"}}, "match"],
		"another value": [{"matchLabels": {"app": "bank"}}, "mismatch"],
		"another label": [{"matchLabels": {"team": "a"}}, "unknown"],
		"a mismatch beside the unknown": [{"matchLabels": {"team": "a", "app": "bank"}}, "mismatch"],
		"a match beside the unknown": [{"matchLabels": {"team": "a", "app": "shop"}}, "unknown"],
		"In": [_expression("team", "In", ["a"]), "unknown"],
		"NotIn": [_expression("team", "NotIn", ["a"]), "unknown"],
		"Exists": [_expression("team", "Exists", []), "unknown"],
		"DoesNotExist": [_expression("team", "DoesNotExist", []), "unknown"],
		"NotIn it": [_expression("app", "NotIn", ["shop"]), "mismatch"],
		"Exists, known": [_expression("app", "Exists", []), "match"],
		"DoesNotExist beside the label": [_expression("app", "DoesNotExist", []), "mismatch"],
	}
	selectors.verdict(selector, _labels, false) == answer
}

test_wrong_types_are_unknown[name] if {
	some name, selector in {
		"null": null,
		"a string": "app=shop",
		"a list": [{"matchLabels": {"app": "shop"}}],
		"labels a string": {"matchLabels": "app=shop"},
		"labels a list": {"matchLabels": ["app"]},
		"a value that is a number": {"matchLabels": {"app": 7}},
		"a value that is null": {"matchLabels": {"app": null}},
		"expressions an object": {"matchExpressions": {"key": "app", "operator": "Exists"}},
		"expressions a string": {"matchExpressions": "app"},
		"an expression that is null": {"matchExpressions": [null]},
		"an expression that is a string": {"matchExpressions": ["app"]},
		"no key": {"matchExpressions": [{"operator": "Exists"}]},
		"a key that is a number": _expression(7, "Exists", []),
		"no operator": {"matchExpressions": [{"key": "app"}]},
		"an operator that does not exist": _expression("app", "Equals", ["shop"]),
		"an operator in another case": _expression("app", "in", ["shop"]),
		"In without values": {"matchExpressions": [{"key": "app", "operator": "In"}]},
		"In of nothing": _expression("app", "In", []),
		"NotIn of nothing": _expression("app", "NotIn", []),
		"In a string": _expression("app", "In", "shop"),
		"In numbers": _expression("app", "In", ["shop", 7]),
		"Exists with values": _expression("app", "Exists", ["shop"]),
		"beside a match": {"matchLabels": {"app": "shop"}, "matchExpressions": 7},
	}
	every complete in [true, false] {
		selectors.verdict(selector, _labels, complete) == "unknown"
	}
}
