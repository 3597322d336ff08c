# METADATA
# title: Registries that are Services of the cluster
# description: |
#   input.registries is {services, stated, nodes}: [{namespace, name, spec, status}] of Services; [{namespace, name,
#   host}], that the images of a host come from a Service; and the addresses of nodes. A registry is called what images
#   call it: its host, with its port if they state one. Docker Hub is docker.io under all its names.
# scope: package
package outage.registries

# METADATA
# title: The names of Docker Hub
docker_hub := {"docker.io", "index.docker.io", "registry-1.docker.io"}

# METADATA
# title: The registry that an image comes from
# description: By the names of the image, as data.lib.images has them.
of_names(names) := "docker.io" if {
	some name in names
	startswith(name, "docker.io/")
} else := hosts[0] if {
	hosts := [host | some name in names; host := split(name, "/")[0]; host != "*"]
}

# METADATA
# title: The Service that a registry is
# description: |
#   {namespace, name}: as it is stated; else the one that has its host as its name in the cluster's DNS, whose domain is
#   taken to be cluster.local, or as its address; else the one that has its port on a node. null for others. `known` is
#   the rule of that name.
service(known, registry) := [found | some found in candidates][0] if {
	candidates := _candidates(known, registry)
	count(candidates) > 0
} else := null

# METADATA
# title: What is known of Services as registries
# description: "{stated, hosts, ports}: Services by what they are called, and by port for each address of a node."
known := {"stated": _stated, "hosts": _by_host, "ports": _by_port, "nodes": _addresses_of_nodes}

_candidates(known, registry) := known.stated[registry] if {
	registry in object.keys(known.stated)
} else := object.get(known.hosts, host, object.get(_on_nodes(known, host), port, set())) if {
	[host, port] := _parts(registry)
}

_on_nodes(known, host) := known.ports if {
	host in known.nodes
} else := {}

# An IPv6 address is in brackets where a port may follow.
_parts(registry) := [trim(host, "[]"), port] if {
	[[_, host, port]] := regex.find_all_string_submatch_n(`^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$`, registry, 1)
}

_stated[_name(entry.host)] contains _reference(entry) if some entry in input.registries.stated

_name(host) := "docker.io" if {
	host in docker_hub
} else := host

_by_host[host] contains _reference(entry) if {
	some entry in input.registries.services
	some host in _hosts(entry)
}

_hosts(entry) := {host |
	some host in array.flatten([
		[sprintf("%s.%s.svc%s", [entry.name, entry.namespace, domain]) | some domain in ["", ".cluster.local"]],
		object.get(entry.spec, "clusterIP", null),
		object.get(entry.spec, "clusterIPs", []),
		object.get(entry.spec, "externalIPs", []),
		[address |
			some point in object.get(entry.status, ["loadBalancer", "ingress"], [])
			some field in ["ip", "hostname"]
			address := point[field]
		],
	])
	is_string(host)
	not host in {"", "None"}
}

_by_port[port] contains _reference(entry) if {
	some entry in input.registries.services
	some listed in entry.spec.ports
	port := format_int(listed.nodePort, 10)
}

_addresses_of_nodes := {"localhost", "127.0.0.1", "::1"} | {address | some address in input.registries.nodes}

_reference(entry) := {"namespace": entry.namespace, "name": entry.name}
