# METADATA
# title: Requests without which pods do not come back
# description: |
#   What the cluster asks of its API server to start a pod and to keep a node, as lib.requests has requests. Bindings,
#   requests for tokens, and leases have no labels; those of other objects are not known.
# scope: package
package lib.recovery

# METADATA
# title: Requests about the pods of a namespace
# description: |
#   An array of {what, request}; several requests may be one `what`: "creation", "binding" to a node, "status", "tokens"
#   of service accounts, "endpoints" of Services. The namespace is as lib.namespaces.known() has it.
of_pods(namespace) := [{"what": part[0], "request": object.union(request, {"namespace": namespace})} |
	some part in _parts_of_pods
	request := _request(part)
]

# METADATA
# title: Requests about nodes and leases
# description: |
#   As of_pods() has them: "nodes", "node status", "node leases", and the "leases" of the control plane. `of_namespace`
#   has what is known of the namespaces kube-node-lease and kube-system, by name.
of_nodes(of_namespace) := [{"what": part[0], "request": object.union(request, {"namespace": namespace})} |
	some [name, part] in _parts_of_nodes
	request := _request(part)
	namespace := object.get(of_namespace, name, null)
]

# METADATA
# title: The namespaces of the leases
lease_namespaces := {"kube-node-lease", "kube-system"}

_parts_of_pods := [
	["creation", "CREATE", "", "pods", "", "unknown labels"],
	["binding", "CREATE", "", "pods", "binding", "no labels"],
	["status", "UPDATE", "", "pods", "status", "unknown labels"],
	["tokens", "CREATE", "", "serviceaccounts", "token", "no labels"],
	["endpoints", "CREATE", "", "endpoints", "", "unknown labels"],
	["endpoints", "UPDATE", "", "endpoints", "", "unknown labels"],
	["endpoints", "CREATE", "discovery.k8s.io", "endpointslices", "", "unknown labels"],
	["endpoints", "UPDATE", "discovery.k8s.io", "endpointslices", "", "unknown labels"],
]

_parts_of_nodes := [
	["", ["nodes", "CREATE", "", "nodes", "", "unknown labels"]],
	["", ["nodes", "UPDATE", "", "nodes", "", "unknown labels"]],
	["", ["node status", "UPDATE", "", "nodes", "status", "unknown labels"]],
	["kube-node-lease", ["node leases", "CREATE", "coordination.k8s.io", "leases", "", "no labels"]],
	["kube-node-lease", ["node leases", "UPDATE", "coordination.k8s.io", "leases", "", "no labels"]],
	["kube-system", ["leases", "CREATE", "coordination.k8s.io", "leases", "", "no labels"]],
	["kube-system", ["leases", "UPDATE", "coordination.k8s.io", "leases", "", "no labels"]],
]

_request([_, operation, group, resource, subresource, labels]) := {
	"operation": operation,
	"group": group,
	"version": "v1",
	"resource": resource,
	"subresource": subresource,
	"labels": {},
	"labelsComplete": labels == "no labels",
}
