package gatekeeper.match_test

import data.gatekeeper.match

_pod := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": {"name": "shop-1", "namespace": "web", "labels": {"app": "shop"}},
}

_homeless := {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "shop-"}}

_namespace := {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "labels": {"team": "a"}}}

_node := {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": {"app": null}}}

_bad_labels := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"app": "shop", "n": 1}}}

_of(obj) := {"object": obj, "oldObject": null, "namespaceObject": null, "source": "Original"}

_in(obj, namespace_object) := object.union(_of(obj), {"namespaceObject": namespace_object})

_missing_namespace := concat("", [
	"error matching the requested object: shop-1 :failed to run Match criteria: ",
	"namespace selector for namespace-scoped object but missing Namespace",
])

_unknown_operator := concat("", [
	"error matching the requested object: shop-1 :failed to run Match criteria: ",
	"\"Is\" is not a valid label selector operator",
])

_cases := {
	"no match": [null, _of(_pod), true],
	"empty match": [{}, _of(_pod), true],
	"kind": [{"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, _of(_pod), true],
	"any kind": [{"kinds": [{"apiGroups": ["apps"]}, {"apiGroups": ["*"], "kinds": ["*"]}]}, _of(_pod), true],
	"other kind": [{"kinds": [{"apiGroups": [""], "kinds": ["Node"]}]}, _of(_pod), false],
	"other group": [{"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}, _of(_pod), false],
	"namespace": [{"namespaces": ["web"]}, _of(_pod), true],
	"start of a namespace": [{"namespaces": ["we*"]}, _of(_pod), true],
	"end of a namespace": [{"namespaces": ["*eb"]}, _of(_pod), true],
	"inside of a namespace": [{"namespaces": ["*e*"]}, _of(_pod), true],
	"other namespace": [{"namespaces": ["e*", "*e", "*x*", "we"]}, _of(_pod), false],
	"namespaces, no namespace": [{"namespaces": ["web"]}, _of(_homeless), true],
	"namespace of a Namespace": [{"namespaces": ["web"]}, _of(_namespace), true],
	"namespace by the Namespace": [{"namespaces": ["web"]}, _in(_homeless, _namespace), true],
	"excluded": [{"excludedNamespaces": ["w*"]}, _of(_pod), false],
	"not excluded": [{"excludedNamespaces": ["x*"]}, _of(_pod), true],
	"excluded namespaces, no namespace": [{"excludedNamespaces": ["*"]}, _of(_homeless), true],
	"cluster": [{"scope": "Cluster"}, _of(_node), true],
	"cluster, a Namespace": [{"scope": "Cluster"}, _in(_namespace, _namespace), true],
	"not cluster": [{"scope": "Cluster"}, _of(_pod), false],
	"not cluster by the Namespace": [{"scope": "Cluster"}, _in(_homeless, _namespace), false],
	"namespaced": [{"scope": "Namespaced"}, _of(_pod), true],
	"not namespaced": [{"scope": "Namespaced"}, _in(_namespace, _namespace), false],
	"misspelt scope": [{"scope": "cluster"}, _of(_pod), true],
	"label": [{"labelSelector": {"matchLabels": {"app": "shop"}}}, _of(_pod), true],
	"other label": [{"labelSelector": {"matchLabels": {"app": "x"}}}, _of(_pod), false],
	"null is an empty label": [{"labelSelector": {"matchLabels": {"app": ""}}}, _of(_node), true],
	"a number leaves no labels": [{"labelSelector": {"matchLabels": {"app": "shop"}}}, _of(_bad_labels), false],
	"in": [_expressed("app", "In", ["shop"]), _of(_pod), true],
	"not in, there": [_expressed("app", "NotIn", ["shop"]), _of(_pod), false],
	"not in, without the label": [_expressed("tier", "NotIn", ["shop"]), _of(_pod), true],
	"exists": [_expressed("app", "Exists", null), _of(_pod), true],
	"does not exist, with the label": [_expressed("app", "DoesNotExist", null), _of(_pod), false],
	"does not exist, without the label": [_expressed("tier", "DoesNotExist", null), _of(_pod), true],
	"namespace label": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}, _in(_pod, _namespace), true],
	"other namespace label": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, _in(_pod, _namespace), false],
	"own label of a Namespace": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, _of(_namespace), false],
	"namespace label, no namespace": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, _of(_homeless), true],
	"name": [{"name": "shop-1"}, _of(_pod), true],
	"other name": [{"name": "shop"}, _of(_pod), false],
	"generated name": [{"name": "shop*"}, _of(_homeless), true],
	"end of a generated name": [{"name": "*-"}, _of(_homeless), false],
	"original": [{"source": "Original"}, _of(_pod), true],
	"generated": [{"source": "Generated"}, _of(_pod), false],
	"neither object": [
		{"kinds": [{"kinds": ["Pod"]}]}, {"object": _node, "oldObject": _namespace, "namespaceObject": null},
		false,
	],
	"old object": [
		{"kinds": [{"kinds": ["Pod"]}]}, {"object": _node, "oldObject": _pod, "namespaceObject": null, "source": "Original"},
		true,
	],
	"only the old object": [
		{"kinds": [{"kinds": ["Pod"]}]}, {"object": null, "oldObject": _pod, "namespaceObject": null, "source": "Original"},
		true,
	],
}

_expressed(key, operator, values) := {"labelSelector": {"matchExpressions": [{
	"key": key,
	"operator": operator,
	"values": values,
}]}}

test_outcome[name] if {
	some name, [criteria, request, expected] in _cases
	match.outcome(criteria, request) == {"matches": expected}
}

_errors := {
	"no object": [
		{"name": "x"}, {"object": null, "oldObject": null, "namespaceObject": null, "source": "Original"},
		"error matching the requested object: invalid request object: neither object nor old object are defined",
	],
	"no Namespace": [{"namespaceSelector": {}}, _of(_pod), _missing_namespace],
	"operator": [_expressed("app", "Is", null), _of(_pod), _unknown_operator],
	"operator for namespaces": [
		{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}, _in(_pod, _namespace),
		_unknown_operator,
	],
	"source": [
		{"source": "Other"}, _of(_pod),
		"error matching the requested object: shop-1 :failed to run Match criteria: invalid source field \"Other\"",
	],
}

test_error[name] if {
	some name, [criteria, request, expected] in _errors
	match.outcome(criteria, request) == {"error": expected}
}

test_unknown_namespace_can_be_judged if {
	request := object.union(_of(_pod), {"unknownNamespace": "judge"})
	match.outcome({"namespaceSelector": {"matchLabels": {"team": "b"}}}, request) == {"matches": true}
	match.outcome({"namespaceSelector": {}, "name": "x"}, request) == {"matches": false}
}

test_unstated_namespace_can_be_judged if {
	judged := {"unstatedNamespace": "judge"}
	namespaced := {"scope": "Namespaced"}
	match.outcome(namespaced, _of(_homeless)) == {"matches": false}
	match.outcome(namespaced, object.union(_of(_homeless), judged)) == {"matches": true}
	match.outcome(namespaced, object.union(_of(_node), judged)) == {"matches": false}
	match.outcome(namespaced, object.union(_of(_namespace), judged)) == {"matches": false}
}
