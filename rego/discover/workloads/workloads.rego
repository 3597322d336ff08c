# METADATA
# title: What the workloads of a namespace do for the cluster
# description: |
#   input is {workloads, drivers}: [{namespace, kind, name, daemon (whether a DaemonSet makes the pods), labels (of the
#   pods), spec (of the pods; `env` has the values of variables alone)}], and the names of the CSIDrivers.
# scope: package
package discover.workloads

# METADATA
# title: The reasons to protect namespaces that workloads are
# description: As data.discover.servers.reasons.
# scope: document
reasons contains _reason(workload, "cni", path) if {
	some workload in input.workloads
	workload.daemon
	workload.spec.hostNetwork == true
	path := _paths(workload, _cni)[0]
}

# It adds to what sets up the network: the configuration that is on the node stays there.
reasons contains _reason(workload, "cni-chained", path) if {
	some workload in input.workloads
	workload.daemon
	not workload.spec.hostNetwork == true
	path := _paths(workload, _cni)[0]
}

reasons contains _reason(workload, "csi", path) if {
	some workload in input.workloads
	workload.daemon
	_is_csi(workload)
	path := _paths(workload, _plugins)[0]
}

# It makes the DaemonSet once it runs, as those of Longhorn and Rook do.
reasons contains _reason(workload, "csi", image) if {
	some workload in input.workloads
	workload.kind != "Pod"
	some list in ["containers", "initContainers"]
	some container in workload.spec[list]
	some image in container.env
	regex.match(_registrar, image)
}

reasons contains _reason(workload, "node-plugin", path) if {
	some workload in input.workloads
	workload.daemon
	not _is_csi(workload)
	path := _paths(workload, _plugins)[0]
}

# What nobody makes again, such as a pod for a test, is no installation.
reasons contains _reason(workload, reason, image) if {
	some workload in input.workloads
	workload.kind != "Pod"
	some reason, program in _programs
	some image in _images(workload)
	regex.match(program.images, image)
}

reasons contains _reason(workload, reason, sprintf("%s=%s", [_part_of, part])) if {
	some workload in input.workloads
	part := workload.labels[_part_of]
	some reason, program in _programs
	part in program.parts
}

reasons contains _reason(workload, "priority", workload.spec.priorityClassName) if {
	some workload in input.workloads
	workload.spec.priorityClassName in {"system-cluster-critical", "system-node-critical"}
}

_reason(workload, reason, detail) := {
	"namespace": workload.namespace,
	"reason": reason,
	"object": sprintf("%s/%s/%s", [workload.kind, workload.namespace, workload.name]),
	"detail": detail,
}

# -- what is installed on nodes

# The folders have other parents in some distributions, and backslashes on Windows.
_cni := `(^|[/\\])cni([/\\]|$)`

_plugins := `[/\\]kubelet[/\\](plugins|plugins_registry|device-plugins)([/\\]|$)`

# The paths of the host that match, and that a container may write to: who only reads there installs nothing.
_paths(workload, pattern) := [volume.hostPath.path |
	some volume in workload.spec.volumes
	regex.match(pattern, volume.hostPath.path)
	_is_written(workload.spec, volume.name)
]

_is_written(spec, name) if {
	some list in ["containers", "initContainers"]
	some container in spec[list]
	some mount in container.volumeMounts
	mount.name == name
	not mount.readOnly == true
}

_registrar := `^[^\s]*driver-registrar([:@][^\s]*)?$`

_is_csi(workload) if {
	some image in _images(workload)
	regex.match(_registrar, image)
}

_is_csi(workload) if {
	some path in _paths(workload, _plugins)
	some step in regex.split(`[/\\]`, path)
	step in input.drivers
}

# -- which programs run

_part_of := "app.kubernetes.io/part-of"

# Images keep the end of their repository in mirrors.
_programs := {
	"policy-engine": {
		"images": _ending([
			"openpolicyagent/gatekeeper",
			"kyverno/(kyverno|background-controller|cleanup-controller)",
			"kubewarden/(kubewarden-controller|policy-server)",
			"sigstore/policy-controller/policy-controller",
		]),
		"parts": {"kyverno", "kubewarden"},
	},
	"gitops": {
		"images": _ending([
			"fluxcd/(source|kustomize|helm|notification|image-automation|image-reflector)-controller",
			"argoproj/argocd",
			"rancher/(fleet|fleet-agent)",
		]),
		"parts": {"flux", "argocd"},
	},
}

_ending(repositories) := sprintf(`(^|/)(%s)(:|@|$)`, [concat("|", repositories)])

_images(workload) := [container.image |
	some list in ["containers", "initContainers"]
	some container in workload.spec[list]
	is_string(container.image)
]
