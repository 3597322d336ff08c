package pinning.digests_test

import data.pinning.digests

_digest(letter) := concat("", array.concat(["sha256:"], [letter | some _ in numbers.range(1, 64)]))

_a := _digest("a")

_b := _digest("b")

_at(repository, digest) := concat("@", [repository, digest])

_amd64 := {"os": "linux", "architecture": "amd64"}

_arm64 := {"os": "linux", "architecture": "arm64"}

# What the status of a container of the image quay.io/x:main has.
_state(more) := object.union(
	{
		"image": "quay.io/x:main", "imageID": _at("quay.io/x", _a), "phase": "Running", "running": true,
		"exitCode": null, "platform": _amd64, "count": 1,
	},
	more,
)

_entry(names) := {"names": names, "count": 1}

_found(image, states, entries, platforms) := found if {
	[found] := digests.found with input as {
		"images": [image],
		"containers": {"quay.io/x:main": states},
		"entries": entries,
		"listed": {name: indices |
			some entry in entries
			some name in entry.names
			indices := [index | some index, other in entries; name in other.names]
		},
		"platforms": platforms,
	}
}

_reason(states, entries, platforms) := _found("quay.io/x:main", states, entries, platforms).reason

test_an_image_that_is_reported if {
	entries := [object.union(_entry([_at("quay.io/x", _a), "quay.io/x:main"]), {"count": 3})]
	_found("quay.io/x:main", [_state({"count": 2})], entries, [_amd64]) == {
		"reason": "",
		"digest": _a,
		"isIndex": false,
		"ranOn": ["linux/amd64"],
		"forms": {"digest": _at("quay.io/x", _a), "tag@digest": _at("quay.io/x:main", _a)},
		"tag": "main",
		"reported": [{"digest": _a, "containers": 2, "nodes": 3}],
		"platforms": ["linux/amd64"],
	}
}

test_an_image_that_is_not_reported if {
	_found("quay.io/y:main", [_state({})], [], []) == {
		"reason": "unseen", "digest": null, "isIndex": false, "ranOn": [], "forms": {}, "tag": "main",
		"reported": [], "platforms": [],
	}
}

# As Kubernetes reads them, these are one image.
test_names_of_one_image[image] if {
	some image, forms in {
		"nginx": ["nginx", "nginx"],
		"nginx:latest": ["nginx", "nginx:latest"],
		"library/nginx": ["library/nginx", "library/nginx"],
		"docker.io/library/nginx:latest": ["docker.io/library/nginx", "docker.io/library/nginx:latest"],
	}
	found := _found(image, [], [_entry([_at("docker.io/library/nginx", _a), "docker.io/library/nginx:latest"])], [_amd64])
	[found.reason, found.forms] == ["", {"digest": _at(forms[0], _a), "tag@digest": _at(forms[1], _a)}]
}

test_a_port_is_not_a_tag if {
	entries := [_entry([_at("h:5000/x", _a), "h:5000/x:latest"])]
	found := _found("h:5000/x", [], entries, [_amd64])
	found.forms == {"digest": _at("h:5000/x", _a), "tag@digest": _at("h:5000/x", _a)}
}

# What the status of a container reports, and whether a digest can be taken from that.
test_forms_of_image_ids[id] if {
	some id, reason in {
		_at("quay.io/x", _a): "",
		concat("", ["docker-pullable://", _at("quay.io/x", _a)]): "",
		_at("quay.io/x:main", _a): "",
		_a: "idOnly",
		concat("", ["docker://", _a]): "idOnly",
		trim_prefix(_a, "sha256:"): "idOnly",
		_at("quay.io/y", _a): "idOnly",
		_at("mirror.example.com/x", _a): "idOnly",
		"quay.io/x@sha256:short": "idOnly",
		"quay.io/x:main": "idOnly",
		"@": "idOnly",
	}
	_reason([_state({"imageID": id})], [], [_amd64]) == reason
}

# What else the status says the image is called.
test_what_a_container_says_its_image_is[name] if {
	some name, [stated, reason] in {
		"the same": ["quay.io/x:main", ""],
		"its id: the tag is gone from the node": [_b, ""],
		"nothing": ["", ""],
		"null": [null, ""],
		"another tag": ["quay.io/x:v1", "otherTag"],
		"another image": ["quay.io/y:main", "otherTag"],
	}
	_reason([_state({"image": stated})], [], [_amd64]) == reason
}

test_another_tag_can_contradict if {
	_reason([_state({}), _state({"image": "quay.io/x:v1", "imageID": _at("quay.io/x", _b)})], [], [_amd64]) == "moved"
	_reason([_state({}), _state({"image": "quay.io/x:v1"})], [], [_amd64]) == ""
}

test_a_pod_that_is_done_says_nothing[phase] if {
	some phase in ["Failed", "Succeeded"]
	old := _state({"phase": phase, "imageID": _at("quay.io/x", _b)})
	_reason([old], [], [_amd64]) == "unseen"
	_reason([old, _state({})], [], [_amd64]) == ""
}

test_reports_that_do_not_agree[name] if {
	some name, [states, entries, reason] in {
		"containers": [[_state({}), _state({"imageID": _at("quay.io/x", _b)})], [], "moved"],
		"a node": [[_state({})], [_entry([_at("quay.io/x", _b), "quay.io/x:main"])], "moved"],
		"nodes": [
			[],
			[_entry([_at("quay.io/x", _a), "quay.io/x:main"]), _entry([_at("quay.io/x", _b), "quay.io/x:main"])],
			"moved",
		],
		"a node with several": [[], [_entry([_at("quay.io/x", _a), _at("quay.io/x", _b), "quay.io/x:main"])], "ambiguous"],
		"a node with several, and a container that tells": [
			[_state({})],
			[_entry([_at("quay.io/x", _a), _at("quay.io/x", _b), "quay.io/x:main"])],
			"",
		],
		"a node that lists the digest alone": [[_state({})], [_entry([_at("quay.io/x", _b)])], ""],
		"a node that lists the tag alone": [[_state({})], [_entry(["quay.io/x:main"])], ""],
		"a node that lists another repository's digest": [
			[_state({})],
			[_entry([_at("mirror.example.com/x", _b), "quay.io/x:main"])],
			"",
		],
		"a node that lists nothing but the tag": [[], [_entry(["quay.io/x:main"])], "idOnly"],
	}
	_reason(states, entries, [_amd64]) == reason
}

test_what_two_digests_are_reported_by if {
	entries := [_entry([_at("quay.io/x", _b), "quay.io/x:main"])]
	_found("quay.io/x:main", [_state({})], entries, [_amd64]).reported == [
		{"digest": _a, "containers": 1, "nodes": 0}, {"digest": _b, "containers": 0, "nodes": 1},
	]
}

test_architectures[name] if {
	some name, [states, platforms, reason, is_index] in {
		"one": [[_state({})], [_amd64], "", false],
		"none": [[_state({})], [], "noNodes", false],
		"several": [[_state({})], [_amd64, _arm64], "platforms", false],
		"several systems": [[_state({})], [_amd64, {"os": "windows", "architecture": "amd64"}], "platforms", false],
		"one that is not known": [[_state({})], [{"os": "linux", "architecture": ""}], "platforms", false],
		"a system that is not known": [[_state({})], [{"os": null, "architecture": "amd64"}], "platforms", false],
		"it runs on several": [[_state({}), _state({"platform": _arm64})], [_amd64, _arm64], "", true],
		"it has run on several": [
			[_state({}), _state({"platform": _arm64, "running": false, "exitCode": 0})],
			[_amd64, _arm64],
			"", true,
		],
		"it fails on one": [
			[_state({}), _state({"platform": _arm64, "running": false, "exitCode": 128})],
			[_amd64, _arm64],
			"platforms", false,
		],
		"it runs on one, and on what is not known": [
			[_state({}), _state({"platform": {"os": "", "architecture": ""}})],
			[_amd64, _arm64],
			"platforms", false,
		],
		"it runs on several, by another tag on one": [
			[_state({}), _state({"platform": _arm64, "image": "quay.io/x:v1"})],
			[_amd64, _arm64],
			"platforms", false,
		],
	}
	found := _found("quay.io/x:main", states, [], platforms)
	[found.reason, found.isIndex] == [reason, is_index]
}

# A runtime pulls the manifest of another architecture without complaint.
test_what_nodes_list_does_not_show_an_index if {
	entries := [object.union(_entry([_at("quay.io/x", _a), "quay.io/x:main"]), {"count": 2})]
	found := _found("quay.io/x:main", [], entries, [_amd64, _arm64])
	[found.reason, found.platforms] == ["platforms", ["linux/amd64", "linux/arm64"]]
}
