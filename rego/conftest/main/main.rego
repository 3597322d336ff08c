# METADATA
# title: Gatekeeper's policies for conftest
# description: >-
#   Evaluates the constraints in data.pullguard.constraints for what conftest reads. Violations of constraints with the
#   action deny are failures; those with warn and dryrun are warnings. A message begins with the object and ends with
#   the constraint; the result's metadata holds the violation itself. data.pullguard.namespace,
#   data.pullguard.namespaces and data.pullguard.inventory are optional, as in gatekeeper.batch.
# scope: package
package main

import rego.v1

import data.gatekeeper.batch

# METADATA
# title: Violations of constraints that deny, and errors that prevent constraints from being evaluated
# scope: document
deny contains result if {
	some result in _judged([entry | some entry in batch.active; entry.enforcementAction == "deny"])
}

# conftest merges the files of -d into data. Without them, every manifest would pass.
deny contains {"msg": "no constraints were loaded, so nothing was judged: pass their folder to conftest with -d"} if {
	not _has_constraints
}

deny contains {"msg": msg} if {
	some entry in batch.active
	not data.policies[entry.policy]
	msg := sprintf("the policy %s of the constraint %s was not loaded: pass its folder to conftest with -p", [
		entry.policy,
		entry.constraint.metadata.name,
	])
}

deny contains {"msg": _too_deep} if {
	some obj in _innermost(input)
	_is_list(obj)
}

# METADATA
# title: Violations of all other constraints
warn contains result if {
	some result in _judged([entry | some entry in batch.active; entry.enforcementAction != "deny"])
}

_too_deep := concat("", [
	"lists are nested more than five levels deep, so their items were not judged: ",
	"use `pullguard check`",
])

_has_constraints if count(data.pullguard.constraints) > 0

_judged([]) := []

_judged(entries) := [result |
	some obj in _objects(input)
	answer := batch.judge(entries, obj, _known)
	some response in answer.responses
	not _is_doubtful(response)
	result := object.union(response, {
		"msg": sprintf("%s: %s (%s)", [_name(obj, answer.namespace), response.msg, response.constraint.name]),
		"violation": response.msg,
		"namespace": answer.namespace,
	})
] if {
	entries != []
}

# Violations that are not reported unless it is certain that the constraint selects the object's namespace.
_is_doubtful(response) if {
	response.namespaceAssumed
	response.details.onlyIfCertain
}

_known[field] := object.get(data.pullguard, field, without) if {
	some field, without in {"namespace": "", "namespaces": {}, "inventory": {}}
}

# The objects that kubectl would send: everything with an array of items is a list, whatever its kind. Rego has no
# recursion, so the levels are written out.
_objects(document) := [_placed(obj) | some obj in _innermost(document); not _is_list(obj)]

# A namespace that is not a valid name is a placeholder: the real namespace is not known.
_placed(obj) := json.remove(obj, ["metadata/namespace"]) if {
	_is_text(obj.metadata.namespace)
	not regex.match(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, obj.metadata.namespace)
} else := obj

_innermost(document) := [obj |
	some first in _unpacked(document)
	some second in _unpacked(first)
	some third in _unpacked(second)
	some fourth in _unpacked(third)
	some obj in _unpacked(fourth)
	_is_text(obj.kind)
]

_unpacked(list) := [object.union(item, _implied_type(list, item)) |
	some item in list.items
	is_object(item)
] if {
	_is_list(list)
} else := [list] if {
	is_object(list)
} else := []

_is_list(document) if {
	_is_text(document.kind)
	is_array(document.items)
}

# Items of a typed list may lack a kind and an apiVersion.
_implied_type(list, item) := {field: value |
	some field, value in {"apiVersion": object.get(list, "apiVersion", null), "kind": kind}
	is_string(value)
	not _is_text(object.get(item, field, null))
} if {
	kind := trim_suffix(list.kind, "List")
	kind != ""
	_says_nothing_else(item, kind)
} else := {}

_says_nothing_else(item, _) if not _is_text(object.get(item, "kind", null))

_says_nothing_else(item, kind) if item.kind == kind

_is_text(value) if {
	is_string(value)
	value != ""
}

_name(obj, "") := sprintf("%s %s", [obj.kind, _own_name(obj)])

_name(obj, namespace) := sprintf("%s %s/%s", [obj.kind, namespace, _own_name(obj)]) if namespace != ""

_own_name(obj) := array.concat(
	[name |
		some field in ["name", "generateName"]
		name := object.get(obj, ["metadata", field], "")
		is_string(name)
		name != ""
	],
	["(no name)"],
)[0]
