# METADATA
# title: Which nodes pods can run on
# description: "input is {nodes (by name), pods: [{spec, kind (of their controller)}]}."
# scope: package
package outage.eligible

import data.lib.nodes

# METADATA
# title: The names of the nodes that each of the pods can run on
# entrypoint: true
found := [nodes.fitting(input.nodes, pod.spec, {"kind": pod.kind}) | some pod in input.pods]

# METADATA
# title: What each of the pods asks of nodes
# description: "{labels, byName}: the keys of the labels that it asks for, and whether it asks for names."
# entrypoint: true
asked := [{"labels": _label_keys(pod.spec), "byName": _asks_for_names(pod.spec)} | some pod in input.pods]

# METADATA
# title: The nodes whose kubelet asks for the credentials with which an image was pulled
# description: Since Kubernetes 1.35; a kubelet that does not say its version may.
# entrypoint: true
verifying := [name | some name, node in input.nodes; not _is_older(node)]

_is_older(node) if {
	found_version := regex.find_all_string_submatch_n(`^v1\.(\d+)\.`, node.status.nodeInfo.kubeletVersion, 1)[0]
	to_number(found_version[1]) < 35
}

_label_keys(pod_spec) := object.keys(_selector(pod_spec)) | {expression.key |
	some term in _terms(pod_spec)
	some expression in term.matchExpressions
}

_selector(pod_spec) := selector if {
	selector := pod_spec.nodeSelector
	is_object(selector)
} else := {}

_asks_for_names(pod_spec) if {
	pod_spec.nodeName != ""
} else if {
	some term in _terms(pod_spec)
	count(term.matchFields) > 0
} else := false

_terms(pod_spec) := object.get(pod_spec, array.concat(_required, ["nodeSelectorTerms"]), [])

_required := ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
