# METADATA
# title: Probes
# description: |
#   The objects whose way through the API server scope follows, a pod and a Deployment with Always, and the requests
#   that create them, as data.lib.requests has requests.
# scope: package
package scope.probes

# METADATA
# title: Whether the probes violate a policy
offend("protected_pull_policy")

# METADATA
# title: The resources of the probes in the API
resources := {
	"pod": {"group": "", "version": "v1", "kind": "Pod", "resource": "pods"},
	"deployment": {"group": "apps", "version": "v1", "kind": "Deployment", "resource": "deployments"},
}

# METADATA
# title: The probes in a namespace
objects(namespace) := {
	"pod": {
		"apiVersion": "v1",
		"kind": "Pod",
		"metadata": _metadata(namespace),
		"spec": _spec,
	},
	"deployment": {
		"apiVersion": "apps/v1",
		"kind": "Deployment",
		"metadata": _metadata(namespace),
		"spec": {
			"replicas": 1,
			"selector": {"matchLabels": {}},
			"template": {"metadata": {"labels": {}}, "spec": _spec},
		},
	},
}

# METADATA
# title: The request that creates a probe
# description: "namespace is {name, labels, labelsComplete}."
request(namespace, probe) := object.union(object.remove(resources[probe], ["kind"]), {
	"operation": "CREATE",
	"labels": {},
	"labelsComplete": true,
	"namespace": namespace,
})

# METADATA
# title: The request that creates a pod of a workload
# description: Only the namespace of the pod is known.
next_pod_request(namespace) := object.union(request(namespace, "pod"), {"labelsComplete": false})

_metadata(namespace) := {"name": "pullguard-probe", "namespace": namespace}

_spec := {"containers": [{"name": "probe", "image": "registry.invalid/probe:1.0.0", "imagePullPolicy": "Always"}]}
