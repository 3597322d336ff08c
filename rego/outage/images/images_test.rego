package outage.images_test

import data.outage.images

_found(stated, more) := found if {
	base := {
		"images": stated, "gone": ["*"], "goneInside": [], "entries": [],
		"registries": {"services": [], "stated": [], "nodes": []},
	}
	found := images.found with input as object.union(base, more)
}

test_registries[image] if {
	some image, case in {
		"nginx": {"gone": ["docker.io"], "registry": "docker.io", "is_gone": true},
		"index.docker.io/library/nginx:1": {"gone": ["registry-1.docker.io"], "registry": "docker.io", "is_gone": true},
		"docker.io/a/b:1": {"gone": ["quay.io"], "registry": "docker.io", "is_gone": false},
		"quay.io/a/b:1": {"gone": ["quay.*"], "registry": "quay.io", "is_gone": true},
		"host:5000/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": {
			"gone": ["host"], "registry": "host:5000", "is_gone": false,
		},
	}
	found := _found([image], {"gone": case.gone})[0]
	[found.registry, found.gone] == [case.registry, case.is_gone]
}

_service := {"namespace": "infra", "name": "r"}

test_registries_that_are_services[name] if {
	some name, [image, gone, gone_inside] in {
		"inside": ["r.infra.svc:5000/a:1", false, []],
		"inside, and named": ["r.infra.svc:5000/a:1", true, ["r.infra.svc*"]],
		"inside, as is stated": ["nginx:1", false, []],
		"inside, as is stated, and named": ["nginx:1", true, ["index.docker.io"]],
	}
	found := _found([image], {"goneInside": gone_inside, "registries": {
		"services": [object.union(_service, {"spec": {}, "status": {}})],
		"stated": [object.union(_service, {"host": "docker.io"})],
		"nodes": [],
	}})[0]
	[found.service, found.gone] == [_service, gone]
}

test_repositories if {
	digest := "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	stated := ["nginx", "host:5000/b:1", concat("", ["a/b:1", digest]), concat("", ["quay.io/c", digest])]
	[found.repository | some found in _found(stated, {})] == ["nginx", "host:5000/b", "a/b", "quay.io/c"]
}

test_full_names if {
	digest := "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	every stated, full in {
		"nginx": "docker.io/library/nginx:latest",
		"index.docker.io/nginx:1": "docker.io/library/nginx:1",
		"a/b:1": "docker.io/a/b:1",
		"localhost/b": "localhost/b:latest",
		concat("", ["nginx:1", digest]): concat("", ["docker.io/library/nginx", digest]),
		concat("", ["quay.io:443/c", digest]): concat("", ["quay.io:443/c", digest]),
		"my_host.io/x:1": "my_host.io/x:1",
		"UPPER/x:1": "UPPER/x:1",
	} {
		[found.full | some found in _found([stated], {})] == [full]
	}
}

test_what_is_no_reference if {
	every found in _found(["Nginx:", null, "", 3], {}) {
		found == {
			"valid": false, "gone": true, "registry": "", "service": null, "repository": "", "full": "",
			"listed": [], "similar": [], "aliases": [],
		}
	}
}

_entries := [
	{"names": ["docker.io/library/nginx:1", "mirror.example/nginx:1"], "runtime": ""},
	{"names": ["quay.io/a/b:1"], "runtime": "cri-o://"},
	{"names": ["r1/x:1", "r2/x:1", "r3/x:1", "r4/x:1", "r5/x:1"], "runtime": ""},
	{"names": [], "runtime": ""},
]

test_entries if {
	stated := ["nginx:1", "mirror.example/nginx:1", "a/b:1", "r6.example/x:1", "quay.io/other:1", "docker.io/nginx:1"]
	[[found.listed, found.similar, found.aliases] | some found in _found(stated, {"entries": _entries})] == [
		[[0], [], {0, 1, 5}],
		[[0], [], {0, 1, 5}],
		[[1], [], {2}],
		[[], [2], {3}],
		[[], [], {4}],
		[[0], [], {0, 1, 5}],
	]
}
