# METADATA
# title: What a namespace serves to the cluster
# description: |
#   Services that the API server, nodes or pods depend on. input is {hosts (data.discover.hosts.found), webhooks
#   (configurations), services ([{namespace, name, labels, ports}]), workloads (data.discover.workloads), registries
#   (data.outage.registries)}.
# scope: package
package discover.servers

import data.lib.images
import data.lib.namespaces
import data.lib.recovery
import data.lib.requests
import data.lib.webhooks
import data.outage.registries

# METADATA
# title: The reasons to protect namespaces that Services are
# description: "{namespace, reason, object (what shows it), detail (a text, or an empty one)}."
# scope: document
reasons contains {
	"namespace": host.namespace,
	"reason": _names[host.reason],
	"object": sprintf("%s/%s", [host.kind, host.name]),
	"detail": _detail(host),
} if {
	some host in input.hosts
}

reasons contains {
	"namespace": service.namespace,
	"reason": reason,
	"object": sprintf("Service/%s/%s", [service.namespace, service.name]),
	"detail": "",
} if {
	some service in input.services
	reason := _dns(service)
}

# The Service may lack in files.
reasons contains {
	"namespace": workload.namespace,
	"reason": "dns",
	"object": sprintf("%s/%s/%s", [workload.kind, workload.namespace, workload.name]),
	"detail": "",
} if {
	some workload in input.workloads
	workload.labels["k8s-app"] == "kube-dns"
}

reasons contains {
	"namespace": service.namespace,
	"reason": "registry",
	"object": sprintf("Service/%s/%s", [service.namespace, service.name]),
	"detail": registry,
} if {
	some registry in _registries
	service := registries.service(registries.known, registry)
	service != null
}

# By the reasons of the policy.
_names := {
	"fail": "fail-webhook",
	"custom": "custom-webhook",
	"ignore": "ignore-webhook",
	"conversion": "conversion-webhook",
	"aggregated": "aggregated-api",
}

_detail(host) := "" if {
	host.webhook == null
} else := sprintf("%v%s", [host.webhook, _refuses(host)])

# What pods and nodes need to come back, and this webhook may refuse while it is down.
_refuses(host) := sprintf("; may refuse what brings back pods or nodes: %s", [concat(", ", whats)]) if {
	host.reason == "fail"
	whats := [what |
		some what in _whats
		what in {part.what | some part in _asked_about(host)}
	]
	count(whats) > 0
} else := ""

_asked_about(host) := [part |
	some configuration in input.webhooks
	[configuration.kind, configuration.metadata.name] == [host.kind, host.name]
	[group, version] := split(configuration.apiVersion, "/")
	some entry in webhooks.entries(configuration, {"group": group, "version": version, "kind": host.kind})
	startswith(host.path, sprintf("webhooks[%d].", [entry.index]))
	some part in _parts
	requests.webhook(entry.webhook, part.request).verdict != "mismatch"
]

_parts := array.concat(
	recovery.of_pods(namespaces.known(null, null)),
	recovery.of_nodes({name: namespaces.known(name, null) | some name in recovery.lease_namespaces}),
)

_whats := ["creation", "binding", "status", "tokens", "endpoints", "nodes", "node status", "node leases", "leases"]

_dns(service) := "dns" if {
	service.name == "kube-dns"
} else := "dns" if {
	service.labels["k8s-app"] == "kube-dns"
} else := "dns-port" if {
	some port in service.ports
	port.port == 53
}

_registries contains registries.of_names(images.names(image) | images.names_anywhere(image)) if some image in _images

_images contains container.image if {
	some workload in input.workloads
	some list in ["containers", "initContainers"]
	some container in workload.spec[list]
}
