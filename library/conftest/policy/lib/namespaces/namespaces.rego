# METADATA
# title: Namespaces
# description: Label selectors on namespaces, with or without their Namespace objects.
# scope: package
package lib.namespaces

import data.lib.selectors

# METADATA
# title: Whether a label selector selects a namespace
# description: |
#   "match", "mismatch" or "unknown", as in lib.selectors. The Namespace object is null if it is not known. Then only
#   the label that the API server puts on each Namespace is known: its name. If the name is null too, nothing is known.
verdict(selector, name, namespace) := selectors.verdict(selector, subject.labels, subject.labelsComplete) if {
	subject := known(name, namespace)
}

# METADATA
# title: What is known of the labels of a namespace
# description: |
#   {name, labels, labelsComplete}. The name and the Namespace object are as for verdict().
known(name, namespace) := {"name": name, "labels": labels, "labelsComplete": true} if {
	labels := object.union(_stated_labels(namespace), _implied_labels(name))
} else := {"name": name, "labels": _implied_labels(name), "labelsComplete": false}

_implied_labels(name) := {"kubernetes.io/metadata.name": name} if {
	is_string(name)
} else := {}

# Undefined if the API server would not accept them.
_stated_labels(namespace) := {key: _text(value) | some key, value in labels} if {
	is_object(namespace)
	labels := _mapping(object.get(namespace, ["metadata", "labels"], null))
	every value in labels {
		_text(value)
	}
}

_mapping(null) := {}

_mapping(value) := value if is_object(value)

_text(null) := ""

_text(value) := value if is_string(value)
