# METADATA
# title: Namespaces
# description: Label selectors on namespaces, with or without their Namespace objects.
# scope: package
package lib.namespaces

import data.lib.selectors

# METADATA
# title: What a label selector says of a namespace
# description: |
#   "match", "mismatch" or "unknown", as in lib.selectors. The Namespace object is null where it is not known: what is
#   left is the label that the API server puts on each Namespace, its name. Where that is null, nothing is known.
verdict(selector, name, namespace) := selectors.verdict(selector, subject.labels, subject.labelsComplete) if {
	subject := known(name, namespace)
}

# METADATA
# title: What is known of the labels of a namespace
# description: |
#   {name, labels, labelsComplete}, by the name and the Namespace object as verdict() has them.
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
