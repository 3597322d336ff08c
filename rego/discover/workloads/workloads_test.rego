package discover.workloads_test

import data.discover.workloads

_workload(more) := object.union(
	{
		"namespace": "n",
		"kind": "DaemonSet",
		"name": "w",
		"daemon": true,
		"labels": {},
		"spec": {"containers": [{"image": "example.org/a:1"}]},
	},
	more,
)

_found(workload, drivers) := {[reason.reason, reason.detail] | some reason in reasons} if {
	reasons := workloads.reasons with input as {"workloads": [workload], "drivers": drivers}
}

_mounting(path, read_only, more) := {"spec": object.union(
	{
		"volumes": [{"name": "v", "hostPath": {"path": path}}, {"name": "unused", "hostPath": {"path": path}}],
		"initContainers": [{"image": "example.org/a:1", "volumeMounts": [{"name": "v", "readOnly": read_only}]}],
	},
	more,
)}

test_what_is_installed_on_nodes[name] if {
	some name, case in {
		"cni": {
			"workload": _mounting("/etc/cni/net.d", false, {"hostNetwork": true}),
			"reasons": {["cni", "/etc/cni/net.d"]},
		},
		"cni of another distribution": {
			"workload": _mounting("/var/lib/rancher/k3s/agent/etc/cni/net.d", false, {"hostNetwork": true}),
			"reasons": {["cni", "/var/lib/rancher/k3s/agent/etc/cni/net.d"]},
		},
		"cni on Windows": {
			"workload": _mounting(`C:\etc\cni`, false, {"hostNetwork": true}),
			"reasons": {["cni", `C:\etc\cni`]},
		},
		"cni without the network of the host": {
			"workload": _mounting("/opt/cni/bin", false, {}),
			"reasons": {["cni-chained", "/opt/cni/bin"]},
		},
		"only reads": {"workload": _mounting("/opt/cni/bin", true, {"hostNetwork": true}), "reasons": set()},
		"another path": {"workload": _mounting("/opt/cnibin", false, {"hostNetwork": true}), "reasons": set()},
		"no DaemonSet": {
			"workload": object.union(_mounting("/opt/cni/bin", false, {"hostNetwork": true}), {"daemon": false}),
			"reasons": set(),
		},
		"csi by the registrar": {
			"workload": _mounting("/var/lib/kubelet/plugins_registry", false, {"containers": [
				{"image": "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2"},
			]}),
			"reasons": {["csi", "/var/lib/kubelet/plugins_registry"]},
		},
		"csi by its driver": {
			"workload": _mounting("/var/lib/kubelet/plugins/driver.example.com", false, {}),
			"drivers": ["driver.example.com"],
			"reasons": {["csi", "/var/lib/kubelet/plugins/driver.example.com"]},
		},
		"csi that it makes": {
			"workload": {"daemon": false, "kind": "Deployment", "spec": {"containers": [{
				"image": "example.org/a:1",
				"env": ["yes", "example.org/csi-node-driver-registrar:v2"],
			}]}},
			"reasons": {["csi", "example.org/csi-node-driver-registrar:v2"]},
		},
		"another variable": {
			"workload": {"daemon": false, "spec": {"containers": [{"env": ["see driver-registrar"]}]}},
			"reasons": set(),
		},
		"another plugin": {
			"workload": _mounting("/var/lib/kubelet/plugins/other.example.com", false, {}),
			"drivers": ["driver.example.com"],
			"reasons": {["node-plugin", "/var/lib/kubelet/plugins/other.example.com"]},
		},
		"devices": {
			"workload": _mounting("/var/lib/kubelet/device-plugins", false, {}),
			"reasons": {["node-plugin", "/var/lib/kubelet/device-plugins"]},
		},
		"pods of the kubelet": {"workload": _mounting("/var/lib/kubelet/pods", false, {}), "reasons": set()},
	}
	_found(_workload(case.workload), object.get(case, "drivers", [])) == case.reasons
}

test_programs[name] if {
	some name, case in {
		"gatekeeper": {"image": "openpolicyagent/gatekeeper:v3.23.1", "reason": "policy-engine"},
		"in a mirror": {"image": "mirror.example.com/hub/openpolicyagent/gatekeeper@sha256:0", "reason": "policy-engine"},
		"kyverno": {"image": "ghcr.io/kyverno/background-controller:v1", "reason": "policy-engine"},
		"flux": {"image": "ghcr.io/fluxcd/source-controller:v1", "reason": "gitops"},
		"argo": {"image": "quay.io/argoproj/argocd", "reason": "gitops"},
		"what only reports": {"image": "ghcr.io/kyverno/policy-reporter:v1", "reason": null},
		"an end of another name": {"image": "example.org/notopenpolicyagent/gatekeeper:1", "reason": null},
		"not a string": {"image": 3, "reason": null},
	}
	expected := {[case.reason, case.image] | case.reason != null}
	_found(_workload({"spec": {"containers": [{"image": case.image}]}}), []) == expected
}

test_a_pod_alone_is_no_installation if {
	spec := {"containers": [{"image": "openpolicyagent/gatekeeper:v3.23.1"}]}
	_found(_workload({"kind": "Pod", "daemon": false, "spec": spec}), []) == set()
}

test_labels[part] if {
	some part, reasons in {
		"kyverno": {["policy-engine", "app.kubernetes.io/part-of=kyverno"]},
		"argocd": {["gitops", "app.kubernetes.io/part-of=argocd"]},
		"shop": set(),
	}
	_found(_workload({"labels": {"app.kubernetes.io/part-of": part}}), []) == reasons
}

test_priority[class] if {
	some class, reasons in {
		"system-cluster-critical": {["priority", "system-cluster-critical"]},
		"system-node-critical": {["priority", "system-node-critical"]},
		"high": set(),
	}
	_found(_workload({"spec": {"priorityClassName": class}}), []) == reasons
}

test_nothing_of_the_right_type if {
	spec := {"volumes": null, "containers": [null, {"image": null, "volumeMounts": null}], "hostNetwork": "yes"}
	_found(_workload({"labels": null, "spec": spec}), []) == set()
}

test_whose_it_is if {
	reasons := workloads.reasons with input as {
		"workloads": [_workload({"spec": {"priorityClassName": "system-node-critical"}})],
		"drivers": [],
	}
	reasons == {{"namespace": "n", "reason": "priority", "object": "DaemonSet/n/w", "detail": "system-node-critical"}}
}
