# METADATA
# title: The namespaces that should be protected
# description: |
#   input is that of data.discover.servers and data.discover.workloads, and {severities, configured, constrained,
#   namespaces}: those of the policy protected_webhook_host by its reasons; protectedNamespaces of the configuration, or
#   null; the namespaces that constraints protect ([{name, assumed}], `assumed` being whether labels that are not known
#   decide); and Namespaces by their names.
# scope: package
package discover.namespaces

import data.discover.servers
import data.discover.workloads
import data.lib.protection

# METADATA
# title: All that is found
# description: "{found, others}."
# entrypoint: true
contents := {"found": found, "others": sort(others)}

# METADATA
# title: Each namespace with its reasons
# description: |
#   [{name, severity, protected, assumed, reasons}]: `protected` says by what it is protected, "configuration" and
#   "constraints"; `assumed` by what it may be, as the labels decide and are not known. A reason is {reason, severity,
#   title, shown}, with what shows it as [{object, detail}]. The severity of a namespace is the highest of its reasons.
# entrypoint: true
found := [{
	"name": name,
	"severity": [severity | some severity in _severities; some reason in reasons; reason.severity == severity][0],
	"protected": [by | some by in _ways; _protection(by, name) == "match"],
	"assumed": [by | some by in _ways; _protection(by, name) == "unknown"],
	"reasons": reasons,
} |
	some name, by_reason in _shown
	reasons := [{"reason": id, "severity": severity, "title": _titles[id], "shown": sort(shown)} |
		some severity in _severities
		some id, shown in by_reason
		_severity(id) == severity
	]
]

_shown[reason.namespace][reason.reason] contains object.filter(reason, ["object", "detail"]) if {
	some reason in _reasons
	_is_name(reason.namespace)
}

# METADATA
# title: What stands where a namespace does, and is not the name of one
# description: Placeholders of templates, and what no API server accepts.
# entrypoint: true
others contains reason.namespace if {
	some reason in _reasons
	not _is_name(reason.namespace)
}

_is_name(namespace) if regex.match(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, namespace)

_reasons := servers.reasons | workloads.reasons

_severities := ["high", "medium", "low"]

# Of what the API server calls, the policy says how severe it is. High is what others need to come back, and medium what
# they do without for a while. Pods come back without custom resources being written.
_severity("fail-webhook") := input.severities.fail

_severity("custom-webhook") := "low"

_severity("ignore-webhook") := input.severities.ignore

_severity("conversion-webhook") := input.severities.conversion

_severity("aggregated-api") := input.severities.aggregated

_severity(id) := "high" if id in {"cni", "csi", "dns", "policy-engine", "registry"}

_severity(id) := "medium" if id in {"cni-chained", "gitops", "node-plugin", "priority"}

_severity("dns-port") := "low"

_titles := {
	"aggregated-api": "serves an aggregated API",
	"cni": "sets up the network of pods (CNI)",
	"cni-chained": "adds to the network of pods (a chained CNI plugin)",
	"conversion-webhook": "converts custom resources between versions",
	"csi": "provides volumes (CSI)",
	"custom-webhook": "has a webhook with failurePolicy Fail, for custom resources only",
	"dns": "serves the cluster's DNS",
	"dns-port": "serves DNS, perhaps not that of the cluster",
	"fail-webhook": "has a webhook with failurePolicy Fail",
	"gitops": "applies what Git says",
	"ignore-webhook": "has a webhook with failurePolicy Ignore",
	"node-plugin": "runs a plugin of the kubelet, such as one for devices",
	"policy-engine": "runs a policy engine",
	"priority": "has pods of a system priority class",
	"registry": "is a registry from which pods pull",
}

_ways := ["configuration", "constraints"]

_protection("configuration", name) := protection.verdict(
	{"protectedNamespaces": object.get(input, "configured", null)},
	name,
	object.get(input.namespaces, name, null),
)

_protection("constraints", name) := {true: "unknown", false: "match"}[constraint.assumed] if {
	some constraint in input.constrained
	constraint.name == name
}
