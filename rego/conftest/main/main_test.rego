# METADATA
# scope: package
package main_test

import rego.v1

import data.main

_entry(name, action) := {
	"policy": "main_echo",
	"constraint": {
		"kind": "Echo",
		"metadata": {"name": name},
		"spec": {"enforcementAction": action, "match": {"namespaces": ["n"]}},
	},
}

_pod(name) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}

_list(items) := {"apiVersion": "v1", "kind": "List", "items": items}

# An object inside the given number of nested lists.
_nested(obj, depth) := json.unmarshal(sprintf("%s%s%s", [
	concat("", [`{"kind":"List","items":[` | some _ in numbers.range(1, depth)]),
	json.marshal(obj),
	concat("", ["]}" | some _ in numbers.range(1, depth)]),
]))

_typed_list(items) := {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items}

_result(msg, name, action, namespace, assumed) := {
	"msg": sprintf("%s: not good (%s)", [msg, name]),
	"violation": "not good",
	"policy": "main_echo",
	"constraint": {"kind": "Echo", "name": name},
	"enforcementAction": action,
	"details": {"group": ""},
	"namespace": namespace,
	"namespaceAssumed": assumed,
}

# The messages of deny for a document, with one constraint that denies.
_denied(document) := {result.msg | some result in results} if {
	results := main.deny with input as document with data.pullguard.constraints as [_entry("c", "deny")]
}

test_deny_fails_and_all_else_warns if {
	constraints := [_entry("a", "deny"), _entry("b", "warn"), _entry("c", "dryrun"), _entry("d", "else")]
	denied := main.deny with input as _pod("p") with data.pullguard.constraints as constraints
	denied == {_result("Pod p", "a", "deny", "", true)}
	warned := main.warn with input as _pod("p") with data.pullguard.constraints as constraints
	warned == {
		_result("Pod p", "b", "warn", "", true),
		_result("Pod p", "c", "dryrun", "", true),
		_result("Pod p", "d", "else", "", true),
	}
}

test_the_namespace_of_objects_that_state_none if {
	pullguard := {"constraints": [_entry("a", "deny")], "namespace": "n"}
	denied := main.deny with input as _pod("p") with data.pullguard as pullguard
	denied == {_result("Pod n/p", "a", "deny", "n", false)}
}

test_only_if_certain if {
	pod := object.union(_pod("p"), {"metadata": {"labels": {"perhaps": "yes"}}})
	pullguard := {"constraints": [_entry("a", "deny")]}
	doubtful := main.deny with input as pod with data.pullguard as pullguard
	{result.violation | some result in doubtful} == {"not good"}
	certain := main.deny with input as pod with data.pullguard as object.union(pullguard, {"namespace": "n"})
	{result.violation | some result in certain} == {"not good", "perhaps not good"}
}

test_known_namespaces if {
	namespace := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"x": "y"}}}
	entry := json.patch(_entry("a", "deny"), [{
		"op": "replace",
		"path": "/constraint/spec/match",
		"value": {"namespaceSelector": {"matchLabels": {"x": "z"}}},
	}])
	pullguard := {"constraints": [entry], "namespace": "n"}
	assumed := main.deny with input as _pod("p") with data.pullguard as pullguard
	assumed == {_result("Pod n/p", "a", "deny", "n", true)}
	known := main.deny with input as _pod("p")
		with data.pullguard as object.union(pullguard, {"namespaces": {"n": namespace}})
	known == set()
}

test_missing_constraints_fail if {
	msg := "no constraints were loaded, so nothing was judged: pass their folder to conftest with -d"
	main.deny == {{"msg": msg}} with input as _pod("p")
	main.deny == {{"msg": msg}} with input as null
	main.deny == {{"msg": msg}} with input as _pod("p") with data.pullguard.constraints as []
	main.warn == set() with input as _pod("p")
}

test_a_missing_policy_fails if {
	entry := object.union(_entry("c", "dryrun"), {"policy": "nowhere"})
	msg := "the policy nowhere of the constraint c was not loaded: pass its folder to conftest with -p"
	main.deny == {{"msg": msg}} with input as _pod("p") with data.pullguard.constraints as [entry]
}

test_documents if {
	untyped := {"metadata": {"name": "p"}}
	cases := {
		"an object": [_pod("p"), {"Pod p"}],
		"with a namespace": [object.union(_pod("p"), {"metadata": {"namespace": "n"}}), {"Pod n/p"}],
		"with a placeholder for its namespace": [
			object.union(_pod("p"), {"metadata": {"namespace": "${NAMESPACE}"}}),
			{"Pod p"},
		],
		"with a namespace of the wrong type": [object.union(_pod("p"), {"metadata": {"namespace": 1}}), {"Pod p"}],
		"with a generated name": [{"kind": "Pod", "metadata": {"generateName": "p-"}}, {"Pod p-"}],
		"with an empty name": [{"kind": "Pod", "metadata": {"name": "", "generateName": "p-"}}, {"Pod p-"}],
		"without a name": [{"kind": "Pod"}, {"Pod (no name)"}],
		"with names of the wrong type": [{"kind": "Pod", "metadata": {"name": 1, "generateName": 2}}, {"Pod (no name)"}],
		"with metadata of the wrong type": [{"kind": "Pod", "metadata": []}, {"Pod (no name)"}],
		"with an empty kind": [{"kind": ""}, set()],
		"without a kind": [{"metadata": {"name": "p"}}, set()],
		"with a kind of the wrong type": [{"kind": 1}, set()],
		"null": [null, set()],
		"a string": ["Pod", set()],
		"an array": [[_pod("p")], set()],
		"a list": [_list([_pod("p"), _pod("q")]), {"Pod p", "Pod q"}],
		"a list in a list": [_list([_list([_pod("p")]), _pod("q")]), {"Pod p", "Pod q"}],
		"a typed list": [{"apiVersion": "v1", "kind": "PodList", "items": [untyped]}, {"Pod p"}],
		"a typed list of typed items": [{"apiVersion": "v1", "kind": "PodList", "items": [_pod("p")]}, {"Pod p"}],
		"a typed list without apiVersion": [{"kind": "PodList", "items": [_pod("p"), untyped]}, {"Pod p"}],
		"a list of other things": [_list([null, "p", 1, [], untyped, _pod("p")]), {"Pod p"}],
		"an empty list": [_list([]), set()],
		"a list of null": [_list(null), {"List (no name)"}],
		"a typed list of other kinds": [
			{"apiVersion": "v1", "kind": "PodList", "items": [{"kind": "Deployment", "metadata": {"name": "d"}}]},
			{"Deployment d"},
		],
		"lists five levels deep": [_nested(_pod("p"), 5), {"Pod p"}],
		"an untyped item of a typed list in a list": [_list([{"kind": "PodList", "items": [untyped]}]), {"Pod p"}],
		"a typed list without a kind in a list": [_list([{"items": [_pod("p")]}]), set()],
		"an item with an empty kind": [{"kind": "PodList", "items": [object.union(_pod("p"), {"kind": ""})]}, {"Pod p"}],
		"an object that has items": [object.union(_pod("p"), {"items": [_pod("q")]}), {"Pod q"}],
		"items without a kind": [{"items": [_pod("p")]}, set()],
		"a custom kind named like a list": [{"kind": "AllowList"}, {"AllowList (no name)"}],
	}
	every name, case in cases {
		[name, _denied(case[0])] == [name, {sprintf("%s: not good (c)", [subject]) | some subject in case[1]}]
	}
}

test_lists_that_are_nested_too_deep_fail if {
	msg := "lists are nested more than five levels deep, so their items were not judged: use `pullguard check`"
	main.deny == {{"msg": msg}} with input as _nested(_pod("p"), 6)
		with data.pullguard.constraints as [_entry("c", "deny")]
}

test_the_types_of_items if {
	cases := {
		"implied": [{}, "apps"],
		"empty": [{"apiVersion": "", "kind": ""}, "apps"],
		"null": [{"apiVersion": null, "kind": null}, "apps"],
		"kind stated": [{"kind": "Deployment"}, "apps"],
		"group stated": [{"apiVersion": "extensions/v1beta1"}, "extensions"],
		"another kind": [{"kind": "CronJob"}, "batch"],
	}
	every name, case in cases {
		results := main.deny with input as _typed_list([case[0]]) with data.pullguard.constraints as [_entry("c", "deny")]
		[name, {result.details.group | some result in results}] == [name, {case[1]}]
	}
}
