package images.references_test

import data.images.references

_digest := "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

test_full_names if {
	cases := {
		"nginx": "docker.io/library/nginx:latest",
		"nginx:1.27": "docker.io/library/nginx:1.27",
		"library/nginx": "docker.io/library/nginx:latest",
		"docker.io/nginx:1": "docker.io/library/nginx:1",
		"index.docker.io/a/b:1": "docker.io/a/b:1",
		"a/b": "docker.io/a/b:latest",
		"quay.io/a/b": "quay.io/a/b:latest",
		"localhost:5000/a:1": "localhost:5000/a:1",
		concat("", ["nginx:1", _digest]): concat("", ["docker.io/library/nginx", _digest]),
		concat("", ["quay.io/a/b", _digest]): concat("", ["quay.io/a/b", _digest]),
		"quay.io/A/b": null,
		"${IMAGE}": null,
		"": null,
	}
	actual := {image: object.get({"name": name | name := references.full_name(image)}, "name", null) |
		some image, _ in cases
	}
	actual == cases
}

test_names_registry if {
	images := {"quay.io/a:1", "localhost/a", "a:1", "a/b", "docker.io/a", "host:5000/a", "Always", "a b.c/d"}
	{image | some image in images; references.names_registry(image)} == {
		"quay.io/a:1", "localhost/a", "docker.io/a", "host:5000/a",
	}
}

test_distinct_and_full if {
	images := {
		"a", "a:1", "a/b", "q.io/a", "q.io/a:1", "github.com/a/b:1",
		concat("", ["a", _digest]), "q.io:443", "q.io/A:1", "1.2",
	}
	{image | some image in images; references.is_distinct(image)} == {
		"a:1", "q.io/a", "q.io/a:1", concat("", ["a", _digest]), "q.io:443", "github.com/a/b:1",
	}
	{image | some image in images; references.is_full(image)} == {"q.io/a:1"}
}
