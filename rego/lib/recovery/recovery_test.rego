package lib.recovery_test

import data.lib.recovery

_shop := {"name": "shop", "labels": {"a": "b"}, "labelsComplete": true}

_said(parts) := [[part.what, text] |
	some part in parts
	request := part.request
	namespace := object.get(request, ["namespace", "name"], "-")
	text := sprintf("%s %s/%s %s/%s in %s, labels known: %v", [
		request.operation, request.group, request.version, request.resource, request.subresource, namespace,
		request.labelsComplete,
	])
]

test_of_pods if {
	_said(recovery.of_pods(_shop)) == [
		["creation", "CREATE /v1 pods/ in shop, labels known: false"],
		["binding", "CREATE /v1 pods/binding in shop, labels known: true"],
		["status", "UPDATE /v1 pods/status in shop, labels known: false"],
		["tokens", "CREATE /v1 serviceaccounts/token in shop, labels known: true"],
		["endpoints", "CREATE /v1 endpoints/ in shop, labels known: false"],
		["endpoints", "UPDATE /v1 endpoints/ in shop, labels known: false"],
		["endpoints", "CREATE discovery.k8s.io/v1 endpointslices/ in shop, labels known: false"],
		["endpoints", "UPDATE discovery.k8s.io/v1 endpointslices/ in shop, labels known: false"],
	]
	every part in recovery.of_pods(_shop) {
		part.request.namespace == _shop
		part.request.labels == {}
	}
}

test_of_nodes if {
	namespaces := {name: object.union(_shop, {"name": name}) | some name in recovery.lease_namespaces}
	_said(recovery.of_nodes(namespaces)) == [
		["nodes", "CREATE /v1 nodes/ in -, labels known: false"],
		["nodes", "UPDATE /v1 nodes/ in -, labels known: false"],
		["node status", "UPDATE /v1 nodes/status in -, labels known: false"],
		["node leases", "CREATE coordination.k8s.io/v1 leases/ in kube-node-lease, labels known: true"],
		["node leases", "UPDATE coordination.k8s.io/v1 leases/ in kube-node-lease, labels known: true"],
		["leases", "CREATE coordination.k8s.io/v1 leases/ in kube-system, labels known: true"],
		["leases", "UPDATE coordination.k8s.io/v1 leases/ in kube-system, labels known: true"],
	]
	[part.request.namespace | some part in recovery.of_nodes(namespaces); part.what == "node status"] == [null]
}
