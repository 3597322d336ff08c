package outage.registries_test

import data.outage.registries

_service(name, spec, status) := {"namespace": "infra", "name": name, "spec": spec, "status": status}

_registries := {
	"services": [
		_service("plain", {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"]}, {}),
		_service("headless", {"clusterIP": "None", "clusterIPs": ["None"]}, {}),
		_service("ports", {"ports": [{"port": 5000, "nodePort": 30500}, {"port": 5001}]}, {}),
		_service("outside", {"externalIPs": ["192.0.2.1"]}, {"loadBalancer": {"ingress": [
			{"ip": "192.0.2.2"},
			{"hostname": "lb.example.com"},
		]}}),
		_service("odd", {"clusterIPs": null, "externalIPs": [3], "ports": null}, {"loadBalancer": {"ingress": null}}),
	],
	"stated": [
		{"namespace": "infra", "name": "cache", "host": "registry-1.docker.io"},
		{"namespace": "infra", "name": "mirror", "host": "quay.io"},
		{"namespace": "infra", "name": "mirror", "host": "10.0.0.1:6000"},
	],
	"nodes": ["192.0.2.10", "node-a"],
}

test_services[registry] if {
	some registry, name in {
		"plain.infra.svc": "plain",
		"plain.infra.svc:5000": "plain",
		"plain.infra.svc.cluster.local:5000": "plain",
		"10.0.0.1:5000": "plain",
		"10.0.0.1:6000": "mirror",
		"[fd00::1]:5000": "plain",
		"headless.infra.svc:5000": "headless",
		"localhost:30500": "ports",
		"127.0.0.1:30500": "ports",
		"[::1]:30500": "ports",
		"192.0.2.10:30500": "ports",
		"node-a:30500": "ports",
		"192.0.2.1": "outside",
		"192.0.2.2:5000": "outside",
		"lb.example.com": "outside",
		"docker.io": "cache",
		"quay.io": "mirror",
		"odd.infra.svc": "odd",
	}
	found := registries.service(registries.known, registry) with input.registries as _registries
	found == {"namespace": "infra", "name": name}
}

test_what_is_no_service[registry] if {
	some registry in [
		"", "None", "plain", "plain.infra", "plain.other.svc", "plain.infra.svc.example.com", "10.0.0.2",
		"192.0.2.10", "192.0.2.10:5000", "192.0.2.11:30500", "localhost:5001", "quay.io:443", "3",
	]
	registries.service(registries.known, registry) == null with input.registries as _registries
}
