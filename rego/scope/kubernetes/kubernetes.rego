# METADATA
# title: What the API server asks about a request
# description: |
#   Rules and selectors of webhooks and admission policies. A verdict is "match", "mismatch" or "unknown". A request is
#   {operation, group, version, resource, labels, labelsComplete, namespace}; its namespace is {name, labels,
#   labelsComplete}. matchConditions are CEL, which is not evaluated here: they are unknown.
# scope: package
package scope.kubernetes

import data.lib.selectors

# METADATA
# title: Several verdicts as one
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
#   {"verdict", "by"}: `by` is the field that says no, or that leaves it open; "" where the answer is yes.
webhook(entry, request) := _first([
	["rules", rules(_list(entry, "rules"), request, _match_policy(entry))],
	["namespaceSelector", selected(object.get(entry, "namespaceSelector", null), request.namespace)],
	["objectSelector", selected(object.get(entry, "objectSelector", null), request)],
	["matchConditions", _conditions(entry)],
])

# METADATA
# title: Whether an admission policy's matchConstraints, or its binding's matchResources, let it judge a request
# description: |
#   As for webhooks. An object without resourceRules, as bindings mostly are, matches every resource; so does null.
#   A value that is not an object, which the API server refuses, is unknown.
resources(criteria, request) := {"verdict": "match", "by": ""} if {
	criteria == null
} else := {"verdict": "unknown", "by": "resourceRules"} if {
	not is_object(criteria)
} else := _first([
	["resourceRules", _resource_rules(criteria, request)],
	["excludeResourceRules", _negated(rules(_list(criteria, "excludeResourceRules"), request, _match_policy(criteria)))],
	["namespaceSelector", selected(object.get(criteria, "namespaceSelector", null), request.namespace)],
	["objectSelector", selected(object.get(criteria, "objectSelector", null), request)],
])

# METADATA
# title: Whether a label selector selects what has labels
selected(selector, subject) := "match" if {
	selector == null
} else := selectors.verdict(selector, subject.labels, subject.labelsComplete)

# METADATA
# title: Whether one of several rules is about a request
# description: Another version of the same API is unknown unless the match is to be exact - it may be an equivalent one.
rules(entries, request, match_policy) := any_of({verdict |
	some entry in entries
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

_rule(entry, request, match_policy) := together({
	_listed(entry, "operations", request.operation),
	_listed(entry, "apiGroups", request.group),
	_version(_listed(entry, "apiVersions", request.version), match_policy),
	_resource(entry, request.resource),
	_scope(object.get(entry, "scope", "*")),
	_names(entry),
})

_version("mismatch", match_policy) := "unknown" if match_policy != "Exact"

_version("mismatch", "Exact") := "mismatch"

_version("match", _) := "match"

_listed(entry, field, value) := "match" if {
	some listed in _list(entry, field)
	listed in {value, "*"}
} else := "mismatch"

_resource(entry, resource) := "match" if {
	some listed in _list(entry, "resources")
	listed in {"*", "*/*", resource, concat("", [resource, "/*"])}
} else := "mismatch"

# All requests here are about objects that have a namespace.
_scope("Cluster") := "mismatch"

_scope(scope) := "match" if scope != "Cluster"

# The names of objects that do not exist yet are not known.
_names(entry) := "unknown" if {
	not object.get(entry, "resourceNames", null) in {null, []}
} else := "match"

_match_policy(entry) := object.get(entry, "matchPolicy", "Equivalent")

_list(value, field) := found if {
	found := object.get(value, field, [])
	is_array(found)
} else := []
