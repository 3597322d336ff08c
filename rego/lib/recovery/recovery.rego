# METADATA
# title: Requests that pods need to come back
# description: |
#   The requests to the API server that start a pod and keep a node, in the form of lib.requests. Bindings, requests for
#   tokens, and leases have no labels. The labels of other objects are not known.
# scope: package
package lib.recovery

# METADATA
# title: Requests about the pods of a namespace
# description: |
#   An array of {what, request}. `what` is "creation", "binding" to a node, "status", "tokens" of service accounts, or
#   "endpoints" of Services; several requests may have the same. The namespace is a value of lib.namespaces.known().
of_pods(namespace) := [{"what": part[0], "request": object.union(request, {"namespace": namespace})} |
	some part in _parts_of_pods
	request := _request(part)
]

# METADATA
# title: Requests about nodes and leases
# description: |
#   An array as that of of_pods(), with "nodes", "node status", "node leases", and the "leases" of the control plane.
#   `of_namespace` has by name what is known of the namespaces kube-node-lease and kube-system.
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
