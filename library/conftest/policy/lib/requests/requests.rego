# METADATA
# title: Whom the API server asks about a request
# description: |
#   Rules and selectors of webhooks and admission policies. A verdict is "match", "mismatch" or "unknown". A request is
#   {operation, group, version, resource, labels, labelsComplete, namespace}, with `subresource` and `name` if it has
#   them. Its namespace is {name, labels, labelsComplete}, a value of lib.namespaces.known(), or null for cluster-scoped
#   objects. The namespace of a Namespace is the Namespace itself. matchConditions are unknown, because CEL is not
#   evaluated here.
# scope: package
package lib.requests

import data.lib.selectors

# METADATA
# title: The worst of several verdicts
together(verdicts) := "mismatch" if {
	"mismatch" in verdicts
} else := "unknown" if {
	"unknown" in verdicts
} else := "match"

# METADATA
# title: The best of several verdicts
any_of(verdicts) := "match" if {
	"match" in verdicts
} else := "unknown" if {
	"unknown" in verdicts
} else := "mismatch"

# METADATA
# title: Whether a webhook is asked about a request
# description: |
#   {"verdict", "by"}. `by` is the field that excludes the request, or leaves it open; it is "" for a match.
webhook(entry, request) := _first(webhook_fields(entry, request))

# METADATA
# title: The verdict of each field of a webhook about a request
# description: An array of [field, verdict].
webhook_fields(entry, request) := [
	["rules", webhook_rules(entry, request)],
	["namespaceSelector", namespace_selected(_field(entry, "namespaceSelector"), request)],
	["objectSelector", selected(_field(entry, "objectSelector"), request)],
	["matchConditions", _conditions(entry)],
]

# METADATA
# title: Whether the rules of a webhook match a request
webhook_rules(entry, request) := "mismatch" if {
	_is_exempt(request)
} else := rules(_list(entry, "rules"), request, _match_policy(entry))

# METADATA
# title: Whether an admission policy's matchConstraints, or its binding's matchResources, let it judge a request
# description: |
#   As for webhooks. null and an object without resourceRules, as most bindings have, match every resource. A value that
#   is not an object, which the API server refuses, is unknown.
resources(criteria, request) := {"verdict": "mismatch", "by": "resourceRules"} if {
	_is_exempt(request)
} else := {"verdict": "match", "by": ""} if {
	criteria == null
} else := {"verdict": "unknown", "by": "resourceRules"} if {
	not is_object(criteria)
} else := _first([
	["resourceRules", _resource_rules(criteria, request)],
	["excludeResourceRules", _negated(rules(_list(criteria, "excludeResourceRules"), request, _match_policy(criteria)))],
	["namespaceSelector", namespace_selected(_field(criteria, "namespaceSelector"), request)],
	["objectSelector", selected(_field(criteria, "objectSelector"), request)],
])

# METADATA
# title: Whether one of its bindings lets an admission policy judge a request
# description: As for webhooks.
bound(policy, binding, request) := {"verdict": verdict, "by": by} if {
	answers := [
		resources(object.get(policy, ["spec", "matchConstraints"], null), request),
		resources(object.get(binding, ["spec", "matchResources"], null), request),
		_first([["matchConditions", _conditions(object.get(policy, "spec", {}))]]),
	]
	verdict := together({answer.verdict | some answer in answers})
	by := [answer.by | some answer in answers; answer.verdict == verdict][0]
}

# METADATA
# title: Whether a label selector selects an object by its labels
selected(selector, subject) := "match" if {
	selector == null
} else := selectors.verdict(selector, subject.labels, subject.labelsComplete)

# METADATA
# title: Whether a namespaceSelector selects the namespace of a request
# description: Cluster-scoped objects are always selected.
namespace_selected(selector, request) := "match" if {
	request.namespace == null
} else := selected(selector, request.namespace)

# METADATA
# title: Whether one of several rules matches a request
# description: |
#   Another version of the same group is unknown unless the match must be exact, because it may be equivalent. The core
#   group has one version only. A rule of the wrong type, which the API server refuses, matches nothing.
rules(entries, request, match_policy) := any_of({verdict |
	some entry in entries
	is_object(entry)
	verdict := _rule(entry, request, match_policy)
})

_negated("match") := "mismatch"

_negated("mismatch") := "match"

_negated("unknown") := "unknown"

_first(answers) := {"verdict": verdict, "by": by} if {
	verdict := together({answer[1] | some answer in answers})
	verdict != "match"
	by := [answer[0] | some answer in answers; answer[1] == verdict][0]
} else := {"verdict": "match", "by": ""}

_conditions(entry) := "unknown" if {
	not object.get(entry, "matchConditions", null) in {null, []}
} else := "match"

_resource_rules(criteria, request) := "match" if {
	object.get(criteria, "resourceRules", null) in {null, []}
} else := rules(_list(criteria, "resourceRules"), request, _match_policy(criteria))

# Otherwise administrators could lock themselves out.
_is_exempt(request) if {
	request.group == "admissionregistration.k8s.io"
	request.resource in {
		"mutatingadmissionpolicies",
		"mutatingadmissionpolicybindings",
		"mutatingwebhookconfigurations",
		"validatingadmissionpolicies",
		"validatingadmissionpolicybindings",
		"validatingwebhookconfigurations",
	}
}

_rule(entry, request, match_policy) := together({
	_listed(entry, "operations", request.operation),
	_listed(entry, "apiGroups", request.group),
	_version(_listed(entry, "apiVersions", request.version), request.group, match_policy),
	_resource(entry, request.resource, object.get(request, "subresource", "")),
	_scope(object.get(entry, "scope", null), request),
	_names(object.get(entry, "resourceNames", null), object.get(request, "name", null)),
})

_listed(entry, field, value) := "match" if {
	some listed in _list(entry, field)
	listed in {value, "*"}
} else := "mismatch"

_version(verdict, group, match_policy) := "unknown" if {
	verdict == "mismatch"
	group != ""
	match_policy != "Exact"
} else := verdict

# An asterisk for the subresource also matches the resource itself.
_resource(entry, resource, subresource) := "match" if {
	some listed in _list(entry, "resources")
	[of_resource, of_subresource] := _split(listed)
	of_resource in {resource, "*"}
	of_subresource in {subresource, "*"}
} else := "mismatch"

_split(listed) := [substring(listed, 0, slash), substring(listed, slash + 1, -1)] if {
	slash := indexof(listed, "/")
	slash >= 0
} else := [listed, ""] if is_string(listed)

_scope(scope, request) := "match" if {
	scope in {null, "*"}
} else := "match" if {
	scope == "Namespaced"
	_has_namespace(request)
} else := "match" if {
	scope == "Cluster"
	not _has_namespace(request)
} else := "mismatch"

# A Namespace is cluster-scoped, though its requests name a namespace.
_has_namespace(request) if {
	request.namespace != null
	[request.group, request.resource] != ["", "namespaces"]
}

_names(listed, name) := "match" if {
	listed in {null, []}
} else := "unknown" if {
	name == null
} else := "match" if {
	name in listed
} else := "mismatch"

_match_policy(entry) := object.get(entry, "matchPolicy", "Equivalent")

_field(entry, field) := object.get(entry, field, null)

_list(value, field) := found if {
	found := object.get(value, field, [])
	is_array(found)
} else := []
