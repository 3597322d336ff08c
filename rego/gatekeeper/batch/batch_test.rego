# METADATA
# scope: package
package gatekeeper.batch_test

import rego.v1

import data.gatekeeper.batch

_entry(name, spec) := {
	"policy": "batch_echo",
	"constraint": {"kind": "Echo", "metadata": {"name": name}, "spec": spec},
}

_response(name, action, msg, details, assumed) := {
	"policy": "batch_echo",
	"constraint": {"kind": "Echo", "name": name},
	"enforcementAction": action,
	"msg": msg,
	"details": details,
	"namespaceAssumed": assumed,
}

_object(api_version, kind, metadata) := {"apiVersion": api_version, "kind": kind, "metadata": metadata}

_results(constraints, objects, namespace, namespaces) := answers if {
	answers := batch.results with data.pullguard.constraints as constraints
		with input as {"objects": objects, "namespace": namespace, "namespaces": namespaces}
	_agree(constraints, objects, namespace, namespaces, answers)
}

# Selecting constraints first and evaluating them later gives the same answers.
_agree(_, _, _, namespaces, _) if namespaces != {}

_agree(constraints, objects, namespace, {}, answers) if {
	selections := batch.selections with data.pullguard.constraints as constraints
		with input as {"objects": objects, "namespace": namespace}
	known := [place | some place, selection in selections; selection != null]
	selected := batch.selected_results with data.pullguard.constraints as constraints
		with input as {
			"objects": [objects[place] | some place in known],
			"namespace": namespace,
			"selections": [selections[place] | some place in known],
		}
	selected == [answers[place] | some place in known]
}

# The messages of one constraint for one object, and whether a namespace was assumed.
_says(match, resource, namespace, namespaces) := {
	"namespace": answer.namespace,
	"messages": [response.msg | some response in answer.responses],
	"assumed": [response.namespaceAssumed | some response in answer.responses],
} if {
	answer := _results([_entry("c", {"match": match})], [resource], namespace, namespaces)[0]
}

_found(namespace, msg, assumed) := {"namespace": namespace, "messages": [msg], "assumed": [assumed]}

_none(namespace) := {"namespace": namespace, "messages": [], "assumed": []}

_scoped(points) := {
	"enforcementAction": "scoped",
	"scopedEnforcementActions": [{"action": action, "enforcementPoints": [{"name": point}]} |
		some action, point in points
	],
}

test_one_answer_for_each_object_in_order if {
	constraints := [
		_entry("b", {"enforcementAction": "warn", "parameters": {"x": 1}}),
		_entry("a", {}),
	]
	objects := [
		_object("v1", "Pod", {"name": "bad", "namespace": "n"}),
		_object("v1", "Pod", {"name": "good", "labels": {"good": "yes"}}),
		_object("apps/v1", "Deployment", {"name": "bad"}),
	]
	_results(constraints, objects, "", {}) == [
		{"namespace": "n", "responses": [
			_response("b", "warn", "/v1/Pod", {"x": 1}, false),
			_response("a", "deny", "/v1/Pod", {}, false),
		]},
		{"namespace": "", "responses": []},
		{"namespace": "", "responses": [
			_response("b", "warn", "apps/v1/Deployment", {"x": 1}, false),
			_response("a", "deny", "apps/v1/Deployment", {}, false),
		]},
	]
}

test_results_are_undefined_without_constraints if {
	not batch.results with input as {"objects": [], "namespace": "", "namespaces": {}}
}

test_selections if {
	constraints := [
		_entry("pods", {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}),
		_entry("here", {"match": {"namespaces": ["n"]}}),
	]
	objects := [
		_object("v1", "Pod", {"namespace": "n"}),
		_object("v1", "Pod", {}),
		_object("v1", "Pod", {"namespace": "m"}),
		_object("v1", "Service", {"namespace": "m"}),
	]
	selections := batch.selections with data.pullguard.constraints as constraints
		with input as {"objects": objects, "namespace": ""}
	selections == [[0, 1], [0, 1], [0], "elsewhere"]
}

# Conditions other than the namespace still count.
test_selections_elsewhere if {
	pods := [{"apiGroups": [""], "kinds": ["Pod"]}]
	pod := _object("v1", "Pod", {"namespace": "m"})
	cases := {
		"by name": [{"kinds": pods, "namespaces": ["n"]}, pod, "elsewhere"],
		"excluded": [{"kinds": pods, "excludedNamespaces": ["m"]}, pod, "elsewhere"],
		"another kind": [{"kinds": pods, "namespaces": ["n"]}, _object("v1", "Service", {"namespace": "m"}), []],
		"other labels": [{"labelSelector": {"matchLabels": {"a": "b"}}, "namespaces": ["n"]}, pod, []],
		"another scope": [{"scope": "Cluster", "namespaces": ["n"]}, pod, []],
	}
	every name, case in cases {
		selections := batch.selections with data.pullguard.constraints as [_entry("c", {"match": case[0]})]
			with input as {"objects": [case[1]], "namespace": ""}
		[name, selections] == [name, [case[2]]]
	}
}

test_selections_of_kinds_that_no_match_states if {
	matches := {"absent": {}, "null": {"match": null}, "no kinds": {"match": {"kinds": null, "namespaces": ["n"]}}}
	every name, spec in matches {
		selections := batch.selections with data.pullguard.constraints as [_entry(name, spec)]
			with input as {"objects": [_object("v1", "Namespace", {"name": "n"})], "namespace": ""}
		selections == [[0]]
	}
}

test_a_kind_that_is_not_matched_cannot_fail if {
	match := {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "source": "Nowhere"}
	selections := batch.selections with data.pullguard.constraints as [_entry("a", {"match": match})]
		with input as {"objects": [_object("v1", "Namespace", {"name": "n"})], "namespace": ""}
	selections == [[]]
}

test_undecided_selections if {
	constraints := [_entry("a", {}), _entry("b", {"match": {"source": "Nowhere"}})]
	selections := batch.selections with data.pullguard.constraints as constraints
		with input as {"objects": [_object("v1", "Pod", {})], "namespace": ""}
	selections == [null]
}

test_selections_are_undefined_without_constraints if {
	not batch.selections with input as {"objects": [], "namespace": ""}
}

test_no_objects if {
	_results([_entry("a", {})], [], "", {}) == []
}

test_constraints_that_do_not_reach_the_point_are_not_active if {
	entries := [
		_entry("webhook", _scoped({"deny": "validation.gatekeeper.sh"})),
		_entry("gator", _scoped({"warn": "gator.gatekeeper.sh", "dryrun": "*"})),
	]
	active := batch.active with data.pullguard.constraints as entries
	active == [object.union(entries[1], {"enforcementAction": "warn"})]
	audited := batch.active with data.pullguard as {"constraints": entries, "enforcementPoint": "audit.gatekeeper.sh"}
	audited == [object.union(entries[1], {"enforcementAction": "dryrun"})]
}

test_strictest if {
	cases := {
		"deny first": [{"dryrun", "warn", "deny"}, "deny"],
		"warn before dryrun": [{"dryrun", "warn"}, "warn"],
		"dryrun": [{"dryrun"}, "dryrun"],
		"dryrun before an unknown one": [{"audit", "dryrun"}, "dryrun"],
		"unknown ones by name": [{"b", "a"}, "a"],
	}
	every name, case in cases {
		[name, batch.strictest(case[0])] == [name, case[1]]
	}
}

test_namespaces if {
	protected := {"metadata": {"name": "n", "labels": {"protected": "yes"}}, "apiVersion": "v1", "kind": "Namespace"}
	other := {"metadata": {"name": "n", "labels": {}}, "apiVersion": "v1", "kind": "Namespace"}
	by_name := {"namespaces": ["n"]}
	by_label := {"namespaceSelector": {"matchLabels": {"protected": "yes"}}}
	homeless := _object("v1", "Pod", {"name": "p"})
	at_home := _object("v1", "Pod", {"name": "p", "namespace": "n"})
	cluster := _object("rbac.authorization.k8s.io/v1", "ClusterRole", {"name": "r"})
	role := "rbac.authorization.k8s.io/v1/ClusterRole"
	cases := {
		"no match": [{}, homeless, "", {}, _found("", "/v1/Pod", false)],
		"empty lists": [{"namespaces": []}, homeless, "", {}, _found("", "/v1/Pod", false)],
		"by name, named": [by_name, at_home, "", {}, _found("n", "/v1/Pod", false)],
		"by name, not named": [{"namespaces": ["m"]}, at_home, "", {}, _none("n")],
		"by name, not known": [by_name, homeless, "", {}, _found("", "/v1/Pod", true)],
		"by name, given": [by_name, homeless, "n", {}, _found("n", "/v1/Pod", false)],
		"by name, given otherwise": [by_name, homeless, "m", {}, _none("m")],
		"by name, stated and given": [by_name, at_home, "m", {}, _found("n", "/v1/Pod", false)],
		"by name, cluster-scoped": [by_name, cluster, "", {}, _found("", role, false)],
		"excluded": [{"excludedNamespaces": ["n"]}, at_home, "", {}, _none("n")],
		"excluded, not known": [{"excludedNamespaces": ["n"]}, homeless, "", {}, _found("", "/v1/Pod", true)],
		"by label, not known": [by_label, homeless, "", {}, _found("", "/v1/Pod", true)],
		"by label, labels not known": [by_label, at_home, "", {}, _found("n", "/v1/Pod", true)],
		"by label, given, labels not known": [by_label, homeless, "n", {}, _found("n", "/v1/Pod", true)],
		"by label, selected": [by_label, at_home, "", {"n": protected}, _found("n", "/v1/Pod", false)],
		"by label, given and selected": [by_label, homeless, "n", {"n": protected}, _found("n", "/v1/Pod", false)],
		"by label, not selected": [by_label, at_home, "", {"n": other}, _none("n")],
		"by label, cluster-scoped": [by_label, cluster, "", {}, _found("", role, false)],
		"by label, a Namespace": [by_label, protected, "", {"n": other}, _found("", "/v1/Namespace", false)],
		"by label, another Namespace": [by_label, other, "", {"n": protected}, _none("")],
		"by scope, not known": [{"scope": "Namespaced"}, homeless, "", {}, _found("", "/v1/Pod", true)],
		"by scope, given": [{"scope": "Namespaced"}, homeless, "n", {}, _found("n", "/v1/Pod", false)],
		"by scope, cluster-scoped": [{"scope": "Namespaced"}, cluster, "", {}, _none("")],
	}
	every name, case in cases {
		[name, _says(case[0], case[1], case[2], case[3])] == [name, case[4]]
	}
}

test_objects_of_a_cluster_without_a_namespace if {
	homeless := _object("example.com/v1", "Any", {"name": "p"})
	entries := [_entry("c", {"match": {"scope": "Namespaced", "namespaces": ["n"]}})]
	answers := batch.results with data.pullguard as {"constraints": entries, "enforcementPoint": "audit.gatekeeper.sh"}
		with input as {"objects": [homeless], "namespace": "", "namespaces": {}}
	answers == [{"namespace": "", "responses": []}]
}

test_kinds_without_api_version if {
	cases := {
		"built in": [{"kind": "Deployment"}, "apps/v1/Deployment"],
		"core": [{"kind": "Pod"}, "/v1/Pod"],
		"empty": [{"kind": "CronJob", "apiVersion": ""}, "batch/v1/CronJob"],
		"null": [{"kind": "Job", "apiVersion": null}, "batch/v1/Job"],
		"wrong type": [{"kind": "DaemonSet", "apiVersion": 1}, "apps/v1/DaemonSet"],
		"stated": [{"kind": "Deployment", "apiVersion": "extensions/v1beta1"}, "extensions/v1beta1/Deployment"],
		"custom": [{"kind": "Rollout"}, "//Rollout"],
		"kind of the wrong type": [{"kind": 1}, "//"],
		"no kind": [{}, "//"],
	}
	every name, case in cases {
		[name, _says({}, case[0], "", {}).messages] == [name, [case[1]]]
	}
}

test_what_cannot_be_matched_is_a_violation if {
	answers := _results([_entry("c", {"match": {"source": "Nowhere"}})], [_object("v1", "Pod", {"name": "p"})], "", {})
	msg := concat("", [
		"unable to match constraints: error matching the requested object: p :",
		`failed to run Match criteria: invalid source field "Nowhere"`,
	])
	answers == [{"namespace": "", "responses": [_response("c", "deny", msg, {}, false)]}]
}
