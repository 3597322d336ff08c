package gatekeeper.review_test

import data.gatekeeper.review

_absent := {
	"uid": "",
	"resource": {"group": "", "version": "", "resource": ""},
	"operation": "",
	"userInfo": {},
	"oldObject": null,
	"options": null,
	"namespaceObject": {},
}

_deployment := {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "web"}}

_placed_pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "web"}}

_node := {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}

_constraint := {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Any"}

_pod_kind := {"group": "", "version": "v1", "kind": "Pod"}

test_review_of_an_object[name] if {
	some name, [obj, namespace, expected] in {
		"named": [_deployment, "", {
			"object": _deployment,
			"kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
			"name": "shop",
			"namespace": "web",
		}],
		"nothing known": [{}, "", {"object": {}, "kind": {"group": "", "version": "", "kind": ""}}],
		"own namespace": [_deployment, "other", {
			"object": _deployment,
			"kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
			"name": "shop",
			"namespace": "web",
		}],
		"assumed namespace": [
			{"apiVersion": "v1", "kind": "Pod"}, "web",
			{"object": _placed_pod, "kind": _pod_kind, "namespace": "web"},
		],
		"assumed namespace instead of a number": [
			{"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": 5}}, "web",
			{"object": _placed_pod, "kind": _pod_kind, "namespace": "web"},
		],
		"cluster-scoped kind": [
			_node, "web",
			{"object": _node, "kind": {"group": "", "version": "v1", "kind": "Node"}, "name": "node-1"},
		],
		"cluster-scoped group": [_constraint, "web", {
			"object": _constraint,
			"kind": {"group": "constraints.gatekeeper.sh", "version": "v1beta1", "kind": "Any"},
		}],
		"wrong types": [
			{"apiVersion": 1, "kind": ["Pod"], "metadata": []}, "",
			{
				"object": {"apiVersion": 1, "kind": ["Pod"], "metadata": []},
				"kind": {"group": "", "version": "", "kind": ""},
			},
		],
		"two slashes": [
			{"apiVersion": "a/b/c", "kind": "Pod"}, "",
			{"object": {"apiVersion": "a/b/c", "kind": "Pod"}, "kind": {"group": "", "version": "", "kind": ""}},
		],
	}
	review.from_object(obj, namespace) == object.union(_absent, expected)
}

test_review_of_a_request[name] if {
	some name, [request, expected] in {
		"least": [{"object": _node}, {"object": _node, "kind": {"group": "", "version": "", "kind": ""}}],
		"null is absent": [
			{
				"uid": null, "kind": null, "resource": null, "name": null, "userInfo": null, "object": _node,
				"oldObject": null, "dryRun": null, "requestKind": null, "requestResource": null,
			},
			{"object": _node, "kind": {"group": "", "version": "", "kind": ""}},
		],
		"everything": [
			{
				"uid": "u",
				"kind": _pod_kind,
				"resource": {"version": "v1", "resource": "pods"},
				"subResource": "status",
				"requestKind": {"kind": "Pod"},
				"requestResource": {"resource": "pods"},
				"requestSubResource": "status",
				"name": "n",
				"namespace": "web",
				"operation": "UPDATE",
				"userInfo": {"username": "me", "groups": [], "extra": {}, "uid": ""},
				"object": _node,
				"oldObject": _deployment,
				"dryRun": false,
				"options": {"kind": "UpdateOptions"},
			},
			{
				"uid": "u",
				"kind": _pod_kind,
				"resource": {"group": "", "version": "v1", "resource": "pods"},
				"subResource": "status",
				"requestKind": {"group": "", "version": "", "kind": "Pod"},
				"requestResource": {"group": "", "version": "", "resource": "pods"},
				"requestSubResource": "status",
				"name": "n",
				"namespace": "web",
				"operation": "UPDATE",
				"userInfo": {"username": "me"},
				"object": _node,
				"oldObject": _deployment,
				"dryRun": false,
				"options": {"kind": "UpdateOptions"},
			},
		],
		"null among texts": [
			{"object": _node, "userInfo": {"groups": ["a", null], "extra": {"a": null, "b": ["c", null]}}},
			{
				"object": _node,
				"kind": {"group": "", "version": "", "kind": ""},
				"userInfo": {"groups": ["a", ""], "extra": {"a": null, "b": ["c", ""]}},
			},
		],
		"delete": [{"operation": "DELETE", "oldObject": _node}, {
			"operation": "DELETE",
			"kind": {"group": "", "version": "", "kind": ""},
			"object": _node,
			"oldObject": _node,
		}],
	}
	review.from_admission(request) == object.union(_absent, expected)
}

test_request if {
	made := review.from_object(_deployment, "")
	review.request(made, _node) == {
		"review": made,
		"object": _deployment,
		"oldObject": null,
		"namespace": "web",
		"namespaceObject": _node,
		"source": "Original",
	}
	review.request(review.from_object(_node, ""), null).namespace == ""
}

test_names_of_an_object if {
	obj := {"metadata": {"name": "n", "generateName": "g-", "namespace": "s"}}
	[review.name_of(obj), review.generate_name_of(obj), review.namespace_of(obj)] == ["n", "g-", "s"]
	[review.name_of({}), review.generate_name_of({}), review.namespace_of({})] == ["", "", ""]
}

test_namespace_is_one_of_the_core_group if {
	review.is_namespace({"apiVersion": "v1", "kind": "Namespace"})
	review.is_namespace({"kind": "Namespace"})
	not review.is_namespace({"apiVersion": "example.com/v1", "kind": "Namespace"})
	not review.is_namespace(_node)
}
