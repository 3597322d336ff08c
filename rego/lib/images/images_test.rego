package lib.images_test

import data.lib.images

_sha256 := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_sha384 := concat("", [_sha256, substring(_sha256, 0, 32)])

_sha512 := concat("", [_sha256, _sha256])

test_implied_policy[image] if {
	some image, policy in {
		"nginx": "Always",
		"nginx:latest": "Always",
		"nginx:Latest": "IfNotPresent",
		"nginx:1": "IfNotPresent",
		"nginx:": "IfNotPresent",
		"library/nginx": "Always",
		"host:5000/nginx": "Always",
		"host:5000/nginx:latest": "Always",
		"host:5000/nginx:1": "IfNotPresent",
		"host:port/nginx": "IfNotPresent",
		"[::1]:5000/x": "Always",
		"localhost/x": "Always",
		"UPPER/x": "Always",
		"UPPER.io/x": "Always",
		"Nginx:latest": "IfNotPresent",
		"x/Nginx": "IfNotPresent",
		"my_host/x": "Always",
		"my_host.io/x": "Always",
		"my_host.io": "Always",
		"my_host:5000/x": "IfNotPresent",
		"-x": "IfNotPresent",
		"x-/y": "IfNotPresent",
		"a--b__c.d/e": "Always",
		"a--b__c/e": "Always",
		" nginx": "IfNotPresent",
		"nginx ": "IfNotPresent",
		"nginx\n": "IfNotPresent",
		"": "IfNotPresent",
		"/": "IfNotPresent",
		"x//y": "IfNotPresent",
		_sha256: "IfNotPresent",
		concat("", ["x/", _sha256]): "Always",
		concat("", ["nginx@sha256:", _sha256]): "IfNotPresent",
		concat("", ["nginx:1@sha256:", _sha256]): "IfNotPresent",
		concat("", ["nginx:latest@sha256:", _sha256]): "Always",
		concat("", ["nginx:latest@sha384:", _sha384]): "Always",
		concat("", ["nginx:latest@sha512:", _sha512]): "Always",
		concat("", ["nginx:latest@sha256:", upper(_sha256)]): "IfNotPresent",
		concat("", ["nginx:latest@sha512:", _sha256]): "IfNotPresent",
		concat("", ["nginx:latest@md5:", _sha256]): "IfNotPresent",
		"nginx:latest@sha256:abc": "IfNotPresent",
	}
	images.implied_policy(image) == policy
}

# The path of a repository has at most 255 characters, with the "library/" that Docker Hub implies and without a domain.
test_implied_policy_of_long_names[name] if {
	letters := concat("", [letter | some _ in numbers.range(1, 255); letter := "a"])
	some name, [image, policy] in {
		"247 and library/": [substring(letters, 0, 247), "Always"],
		"248 and library/": [substring(letters, 0, 248), "IfNotPresent"],
		"247 and library/ with a tag": [concat("", [substring(letters, 0, 247), ":latest"]), "Always"],
		"247 behind docker.io": [concat("", ["docker.io/", substring(letters, 0, 247)]), "Always"],
		"248 behind docker.io": [concat("", ["docker.io/", substring(letters, 0, 248)]), "IfNotPresent"],
		"248 behind index.docker.io": [concat("", ["index.docker.io/", substring(letters, 0, 248)]), "IfNotPresent"],
		"255 behind a domain": [concat("", ["quay.io/", letters]), "Always"],
		"255 behind a domain and a digest": [concat("", ["quay.io/", letters, ":latest@sha256:", _sha256]), "Always"],
		"256 behind a domain": [concat("", ["quay.io/a", letters]), "IfNotPresent"],
		"255 behind what is no domain": [concat("", ["a_b.c/", substring(letters, 0, 249)]), "Always"],
		"256 behind what is no domain": [concat("", ["a_b.c/", substring(letters, 0, 250)]), "IfNotPresent"],
		"255 with a slash and no domain": [concat("", ["a/", substring(letters, 0, 253)]), "Always"],
		"256 with a slash and no domain": [concat("", ["a/", substring(letters, 0, 254)]), "IfNotPresent"],
	}
	images.implied_policy(image) == policy
}

test_implied_policy_of_no_string[name] if {
	some name, image in {"null": null, "number": 7, "list": ["nginx"], "object": {"nginx": 1}, "boolean": true}
	images.implied_policy(image) == "IfNotPresent"
}

test_effective_policy[name] if {
	some name, [stated, image, policy] in {
		"stated": ["Always", "nginx:1", "Always"],
		"stated against the tag": ["Never", "nginx:latest", "Never"],
		"unknown policies stand": ["always", "nginx:1", "always"],
		"a number stands": [1, "nginx:1", 1],
		"false stands": [false, "nginx:1", false],
		"null is not stated": [null, "nginx", "Always"],
		"an empty string is not stated": ["", "nginx:1", "IfNotPresent"],
	}
	images.effective_policy(stated, image) == policy
}

test_pinned[image] if {
	some image in ["nginx:1", "nginx:v1.2-alpine", "nginx@sha256:abc", "nginx:latest@sha256:abc", "h:5000/nginx:1"]
	images.pinned(image)
}

test_not_pinned[image] if {
	some image in ["nginx", "nginx:", "nginx:latest", "nginx:Latest", "nginx:MAIN", "h:5000/nginx", "", null, 7]
	not images.pinned(image)
}

test_tag[image] if {
	some image, tag in {"nginx:1": "1", "h:5000/nginx:1": "1", "nginx:1@sha256:abc": "1", "a/b/c:d": "d"}
	images.tag(image) == tag
}

test_no_tag[image] if {
	some image in ["nginx", "nginx:", "h:5000/nginx", "nginx@sha256:abc", "", null]
	not images.tag(image)
}
