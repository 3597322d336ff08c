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
	some image in [
		"nginx:1",
		"nginx:v1.2-alpine",
		"nginx@sha256:abc",
		"nginx:latest@sha256:abc",
		"h:5000/nginx:1",
		"x:mainly",
	]
	images.pinned(image)
}

test_not_pinned[image] if {
	some image in [
		"nginx",
		"nginx:",
		"nginx:latest",
		"nginx:Latest",
		"nginx:MAIN",
		"x:stable-alpine",
		"h:5000/nginx",
		"",
		null,
		7,
	]
	not images.pinned(image)
}

test_tags_pattern[name] if {
	some name, [globs, image] in {
		"exact": [["main"], "x:main"],
		"prefix": [["main-*"], "x:main-1"],
		"suffix": [["*-dev"], "x:1-dev"],
		"part": [["*dev*"], "x:1-dev-2"],
		"everything": [["*"], "h:5000/x:1.2_3-4"],
		"a dot": [["1.*"], "x:1.2"],
		"another case": [["Main"], "h:5000/x:mAIN"],
		"one of several": [["a", "b", "main"], "x:main"],
		"a set": [{"a", "b", "main"}, "x:main"],
		"beside what is no glob": [["(", "main"], "x:main"],
	}
	regex.match(images.tags_pattern(globs), image)
}

test_tags_pattern_leaves_others[name] if {
	some name, [globs, image] in {
		"another": [["main"], "x:1"],
		"longer": [["main"], "x:main2"],
		"a longer name": [["main"], "main:xmain"],
		"no tag": [["*"], "x"],
		"no tag behind a port": [["*"], "h:5000/x"],
		"a digest": [["*"], sprintf("x@sha256:%s", [_sha256])],
		"a digest behind a tag": [["*", "latest"], sprintf("x:latest@sha256:%s", [_sha256])],
		"a dot is a dot": [["1.2"], "x:1-2"],
		"no globs": [[], "x:1"],
		"what is no glob": [["(", "ma(in)?", "[", "\\w+", "+"], "x:main"],
	}
	not regex.match(images.tags_pattern(globs), image)
}

test_tags_pattern_of_other_types[name] if {
	some name, globs in {"null": null, "a string": "main", "other types": [7, "main"], "an object": {"main": "main"}}
	not images.tags_pattern(input) with input as globs
}

test_reference[image] if {
	some image in [
		"nginx",
		"nginx:1",
		"nginx:Latest_1.2-x",
		"h:5000/nginx",
		"[::1]:5000/x/y__z:1",
		"UPPER/x:1",
		sprintf("nginx:%s", [substring(_sha512, 0, 128)]),
		sprintf("nginx@sha256:%s", [_sha256]),
		sprintf("nginx:1@sha512:%s", [_sha512]),
		sprintf("%s:1", [_sha256]),
	]
	images.is_reference(image)
}

test_no_reference[name] if {
	letters := concat("", [letter | some _ in numbers.range(1, 248); letter := "a"])
	some name, image in {
		"empty": "",
		"upper case": "Nginx:1",
		"upper case behind a domain": "quay.io/Nginx:1",
		"a tag of no characters": "nginx:",
		"a tag that begins with a dot": "nginx:.1",
		"a tag of 129 characters": sprintf("nginx:%s1", [_sha512]),
		"two tags": "nginx:1:2",
		"a digest of too few digits": "nginx@sha256:abc",
		"a digest of an unknown kind": "nginx@md5:0123456789abcdef0123456789abcdef",
		"a space in front": " nginx:1",
		"a line break behind": "nginx:1\n",
		"64 hexadecimal digits": _sha256,
		"a path of 256 characters": sprintf("%s:1", [letters]),
		"a path of 256 characters and a digest": sprintf("%s:1@sha256:%s", [letters, _sha256]),
		"a placeholder": "$(IMAGE)",
		"a template": "{{ .Values.image }}",
		"an address": "https://quay.io/nginx:1",
		"null": null,
		"a number": 7,
		"a list": ["nginx:1"],
	}
	not images.is_reference(image)
}

test_tag[image] if {
	some image, tag in {"nginx:1": "1", "h:5000/nginx:1": "1", "nginx:1@sha256:abc": "1", "a/b/c:d": "d"}
	images.tag(image) == tag
}

test_no_tag[image] if {
	some image in ["nginx", "nginx:", "h:5000/nginx", "nginx@sha256:abc", "", null]
	not images.tag(image)
}

test_names[name] if {
	digest := sprintf("@sha256:%s", [_sha256])
	official := {
		"x:1", "library/x:1", "docker.io/x:1", "docker.io/library/x:1",
		"index.docker.io/x:1", "index.docker.io/library/x:1",
	}
	some name, [image, names] in {
		"official": ["x:1", official],
		"official with its path": ["library/x:1", official],
		"official with a domain": ["docker.io/x:1", official],
		"official with domain and path": ["docker.io/library/x:1", official],
		"official with the old domain": ["index.docker.io/library/x:1", official],
		"of a user": ["a/x:1", {"a/x:1", "docker.io/a/x:1", "index.docker.io/a/x:1"}],
		"of a user, with a domain": ["docker.io/a/x:1", {"a/x:1", "docker.io/a/x:1", "index.docker.io/a/x:1"}],
		"below library": [
			"library/a/x:1",
			{"library/a/x:1", "docker.io/library/a/x:1", "index.docker.io/library/a/x:1"},
		],
		"a path like a domain": ["docker.io/localhost/x:1", {"docker.io/localhost/x:1", "index.docker.io/localhost/x:1"}],
		"elsewhere": ["quay.io/x:1", {"quay.io/x:1"}],
		"elsewhere, below library": ["quay.io/library/x:1", {"quay.io/library/x:1"}],
		"behind a port": ["h:5000/x:1", {"h:5000/x:1"}],
		"behind localhost": ["localhost/x:1", {"localhost/x:1"}],
		"behind upper case": ["H/x:1", {"H/x:1"}],
		"behind what is no domain": ["my_host.io/x:1", {"my_host.io/x:1"}],
		"a name like a domain": ["a.b:1", {
			"a.b:1", "library/a.b:1", "docker.io/a.b:1", "docker.io/library/a.b:1",
			"index.docker.io/a.b:1", "index.docker.io/library/a.b:1",
		}],
		"no tag": ["h:5000/x", {"h:5000/x", "h:5000/x:latest"}],
		"latest": ["h:5000/x:latest", {"h:5000/x", "h:5000/x:latest"}],
		"another case of latest": ["h:5000/x:Latest", {"h:5000/x:Latest"}],
		"a digest": [concat("", ["h:5000/x", digest]), {concat("", ["h:5000/x", digest])}],
		"a digest beside a tag": [
			concat("", ["h:5000/x:latest", digest]),
			{concat("", ["h:5000/x", digest]), concat("", ["h:5000/x:latest", digest])},
		],
	}
	images.names(image) == names
}

test_no_names[name] if {
	some name, image in {
		"empty": "", "upper case": "X:1", "a placeholder": "$(IMAGE)", "64 hexadecimal digits": _sha256,
		"null": null, "a number": 7, "a list": ["x:1"],
	}
	not images.names(image)
}

test_names_anywhere[name] if {
	some name, [image, names] in {
		"official": ["nginx", {"*/nginx", "*/nginx:latest"}],
		"a tag": ["ubi9/ubi:9.4", {"*/ubi9/ubi:9.4"}],
		"a registry": ["q.io/x:1", set()],
		"a registry by its port": ["q:5000/x:1", set()],
		"localhost": ["localhost/x:1", set()],
		"no reference": ["X:1", set()],
		"no text": [7, set()],
	}
	images.names_anywhere(image) == names
}
