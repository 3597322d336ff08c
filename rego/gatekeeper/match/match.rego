# METADATA
# title: Gatekeeper's match
# description: >-
#   Whether a constraint's spec.match selects a request, as Gatekeeper 3.23 decides it. The match must be valid by
#   Gatekeeper's schema.
# scope: package
package gatekeeper.match

import rego.v1

import data.gatekeeper.review

# METADATA
# title: Whether a match selects a request
# description: >-
#   The result is {"matches": true or false}, or {"error": text} if Gatekeeper cannot decide and rejects the request.
#   The request has object and oldObject (null if absent; either may match), namespaceObject (the Namespace, or null if
#   not known) and source. With "unknownNamespace": "judge", a namespaceSelector selects objects whose Namespace is not
#   known. With "unstatedNamespace": "judge", the scope Namespaced selects objects that do not state a namespace but may
#   have one.
outcome(match, request) := {"matches": true} if {
	match in {null, {}}
} else := {"error": sprintf("%s: neither object nor old object are defined", [_invalid_request])} if {
	request.object == null
	request.oldObject == null
} else := first if {
	first := _judged(match, request.object, request)
	first != {"matches": false}
} else := _judged(match, request.oldObject, request)

# METADATA
# title: Whether a match is about objects of a kind
# description: The kind is that of review.kind_of. A match about other kinds selects no such object, and cannot fail.
# scope: document
about_kind(match, _) if match in {null, {}}

about_kind(match, kind) if _kinds_match(_optional(match, "kinds", []), kind)

_invalid_request := "error matching the requested object: invalid request object"

_judged(match, obj, request) := {"matches": false} if {
	obj == null
} else := {"matches": false} if {
	not _in_scope(match, obj, request)
} else := {"error": _failed(obj, error)} if {
	error := _selector_fault(_optional(match, "labelSelector", {}))
} else := {"matches": false} if {
	not _selects(_optional(match, "labelSelector", null), obj)
} else := answer if {
	answer := _by_namespace_selector(_optional(match, "namespaceSelector", null), obj, request)
	answer != {"matches": true}
} else := {"matches": false} if {
	not _name_matches(_optional(match, "name", ""), obj)
} else := _by_source(_optional(match, "source", "All"), obj, request)

# kinds, scope, namespaces and excludedNamespaces, which cannot fail.
_in_scope(match, obj, request) if {
	_kinds_match(_optional(match, "kinds", []), review.kind_of(obj))
	_scope_matches(_optional(match, "scope", "*"), obj, request)
	namespace := _namespace(obj, request)
	_namespaces_match(_optional(match, "namespaces", []), namespace)
	not _excluded(_optional(match, "excludedNamespaces", []), namespace)
}

_kinds_match([], _)

_kinds_match(entries, kind) if {
	some entry in entries
	_listed(_optional(entry, "kinds", []), kind.kind)
	_listed(_optional(entry, "apiGroups", []), kind.group)
}

_listed([], _)

_listed(names, name) if name in names

_listed(names, _) if "*" in names

_scope_matches("Cluster", obj, request) if not _has_namespace(obj, request)

_scope_matches("Cluster", obj, _) if review.is_namespace(obj)

_scope_matches("Namespaced", obj, request) if {
	_has_namespace(obj, request)
	not review.is_namespace(obj)
}

_scope_matches("Namespaced", obj, request) if {
	request.unstatedNamespace == "judge"
	not review.cluster_scoped(obj)
}

# Gatekeeper treats every other value, including misspelt ones, as "any scope".
_scope_matches(scope, _, _) if not scope in {"Cluster", "Namespaced"}

_has_namespace(obj, _) if review.namespace_of(obj) != ""

_has_namespace(_, request) if request.namespaceObject != null

# null if the object has no namespace: a list of namespaces then neither selects nor excludes it.
_namespace(obj, request) := review.name_of(obj) if {
	review.is_namespace(obj)
} else := review.name_of(request.namespaceObject) if {
	request.namespaceObject != null
} else := namespace if {
	namespace := review.namespace_of(obj)
	namespace != ""
} else := null

_namespaces_match([], _)

_namespaces_match(_, null)

_namespaces_match(patterns, namespace) if {
	namespace != null
	some pattern in patterns
	_glob(pattern, namespace)
}

_excluded(patterns, namespace) if {
	namespace != null
	some pattern in patterns
	_glob(pattern, namespace)
}

_name_matches("", _)

_name_matches(pattern, obj) if {
	pattern != ""
	_glob(pattern, review.name_of(obj))
}

# For a generated name, only the part before its random end is known.
_name_matches(pattern, obj) if {
	endswith(pattern, "*")
	_glob(pattern, review.generate_name_of(obj))
}

_glob(pattern, text) if pattern == text

_glob(pattern, text) if {
	startswith(pattern, "*")
	endswith(pattern, "*")
	contains(text, trim_suffix(trim_prefix(pattern, "*"), "*"))
}

_glob(pattern, text) if {
	startswith(pattern, "*")
	not endswith(pattern, "*")
	endswith(text, trim_prefix(pattern, "*"))
}

_glob(pattern, text) if {
	endswith(pattern, "*")
	not startswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}

_by_namespace_selector(null, _, _) := {"matches": true}

_by_namespace_selector(selector, obj, request) := {"matches": true} if {
	selector != null
	not review.is_namespace(obj)
	not _has_namespace(obj, request)
} else := {"error": _failed(obj, error)} if {
	selector != null
	error := _selector_fault(selector)
} else := _selected(selector, obj) if {
	selector != null
	review.is_namespace(obj)
} else := _selected(selector, request.namespaceObject) if {
	selector != null
	request.namespaceObject != null
} else := {"matches": true} if {
	selector != null
	request.unknownNamespace == "judge"
} else := {"error": _failed(obj, "namespace selector for namespace-scoped object but missing Namespace")} if {
	selector != null
}

_selected(selector, obj) := {"matches": true} if {
	_selects(selector, obj)
} else := {"matches": false}

_by_source("All", _, _) := {"matches": true}

_by_source(source, _, request) := {"matches": source == request.source} if source in {"Generated", "Original"}

_by_source(source, obj, _) := {"error": _failed(obj, sprintf("invalid source field %q", [source]))} if {
	not source in {"All", "Generated", "Original"}
}

# Gatekeeper rejects such a constraint when it is created. This error is for users who evaluate constraints without it.
_selector_fault(selector) := sprintf("%q is not a valid label selector operator", [operators[0]]) if {
	operators := [expression.operator |
		some expression in _optional(selector, "matchExpressions", [])
		not expression.operator in {"In", "NotIn", "Exists", "DoesNotExist"}
	]
	count(operators) > 0
}

_selects(null, _)

_selects(selector, obj) if {
	selector != null
	labels := _labels(obj)
	every key, value in _optional(selector, "matchLabels", {}) {
		labels[key] == value
	}
	every expression in _optional(selector, "matchExpressions", []) {
		_satisfied(expression.operator, expression.key, _optional(expression, "values", []), labels)
	}
}

_satisfied("In", key, values, labels) if _label_in(key, values, labels)

# This is not `not labels[key] in values`, which is undefined if the label does not exist.
_satisfied("NotIn", key, values, labels) if not _label_in(key, values, labels)

_satisfied("Exists", key, _, labels) if labels[key]

_satisfied("DoesNotExist", key, _, labels) if not labels[key]

_label_in(key, values, labels) if labels[key] in values

# If the value of any label is not a string, the object has no labels. null counts as "".
_labels(obj) := {key: _label(value) | some key, value in labels} if {
	labels := object.get(obj, ["metadata", "labels"], {})
	is_object(labels)
	every value in labels {
		_label(value)
	}
} else := {}

_label(null) := ""

_label(value) := value if is_string(value)

# As when Go reads JSON into a struct, null counts as absent.
_optional(value, field, default_value) := found if {
	found := object.get(value, field, null)
	found != null
} else := default_value

_failed(obj, reason) := sprintf("error matching the requested object: %s :failed to run Match criteria: %s", [
	review.name_of(obj), reason,
])
