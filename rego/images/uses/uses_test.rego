package images.uses_test

import data.images.uses

_digest := "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

# The uses in an object: how sure each image is, by what it is; "what: image" where there are several.
_found(group, kind, fields) := {found |
	obj := object.union({"apiVersion": "v1", "kind": kind, "metadata": {"name": "n", "image": "never:1"}}, fields)
	review := {"object": obj, "kind": {"group": group, "version": "v1", "kind": kind}}
	some violation in uses.violation with input as {"review": review, "parameters": {}}
	found := [violation.details.what, violation.msg, violation.details.sure]
}

_details(group, kind, fields) := {violation.details |
	obj := object.union({"apiVersion": "v1", "kind": kind, "metadata": {"name": "n"}}, fields)
	review := {"object": obj, "kind": {"group": group, "version": "v1", "kind": kind}}
	some violation in uses.violation with input as {"review": review, "parameters": {}}
}

test_pods if {
	spec := {
		"initContainers": [{"name": "i", "image": "i:1"}],
		"containers": [
			{
				"name": "c", "image": "c:1",
				"command": ["run", "--x-image", "d:1"],
				"args": ["--reloader=quay.io/e:1", "--verbose", "echo quay.io/f:1"],
				"env": [
					{"name": "RELATED_IMAGE_A", "value": concat("", ["quay.io/g", _digest])},
					{"name": "HOST", "value": "example.com:80"},
					{"name": "BASE_IMAGE", "value": "h"},
					{"name": "IMAGE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
				],
			},
			{"name": "placeholder", "image": "${IMAGE}"},
			{"image": "nameless:1"},
			{"name": "none"},
			{"name": "empty", "image": ""},
			{"name": "wrong", "image": ["a:1"]},
		],
		"ephemeralContainers": [{"name": "e", "image": "eph:1"}],
		"volumes": [{"name": "v", "image": {"reference": "v:1"}}, {"name": "d", "emptyDir": {}}],
	}
	_found("", "Pod", {"spec": spec, "status": {"containerStatuses": [{"image": "never:1"}]}}) == {
		["init container i", "i:1", "certain"],
		["container c", "c:1", "certain"],
		["the command of container c", "d:1", "likely"],
		["an argument of container c", "quay.io/e:1", "likely"],
		["an argument of container c", "quay.io/f:1", "possible"],
		["variable RELATED_IMAGE_A of container c", concat("", ["quay.io/g", _digest]), "likely"],
		["variable BASE_IMAGE of container c", "h", "possible"],
		["container placeholder", "${IMAGE}", "certain"],
		["spec.containers[2]", "nameless:1", "certain"],
		["ephemeral container e", "eph:1", "certain"],
		["image volume v", "v:1", "certain"],
	}
}

test_details if {
	_details("", "Pod", {"spec": {
		"containers": [{"name": "c", "image": "c"}],
		"volumes": [{"name": "v", "image": {"reference": "$(V)"}}],
	}}) == {
		{
			"name": "docker.io/library/c:latest", "path": "spec.containers[0]",
			"steps": ["spec", "containers", 0, "image"], "sure": "certain", "what": "container c",
		},
		{
			"name": null, "path": "spec.volumes[0].image",
			"steps": ["spec", "volumes", 0, "image", "reference"], "sure": "certain", "what": "image volume v",
		},
	}
}

test_a_key_with_a_dot_ends_the_path if {
	_details("example.com", "W", {"spec": {"a.b": {"c": {"image": "q.io/a:1"}}}}) == {{
		"name": "q.io/a:1", "path": "spec", "steps": ["spec", "a.b", "c", "image"],
		"sure": "likely", "what": "spec.a.b.c.image",
	}}
	_details("", "ConfigMap", {"data": {"my.image": "q.io/a:1", "": "q.io/b:1", "z[0]": "q.io/c:1"}}) == {
		{
			"name": "q.io/a:1", "path": "data", "steps": ["data", "my.image"],
			"sure": "likely", "what": "data.my.image",
		},
		{"name": "q.io/b:1", "path": "data", "steps": ["data", ""], "sure": "likely", "what": "data."},
		{"name": "q.io/c:1", "path": "data", "steps": ["data", "z[0]"], "sure": "likely", "what": "data.z[0]"},
	}
}

test_old_replica_sets_are_kept_for_rollbacks if {
	spec := {"replicas": 0, "template": {"spec": {"containers": [{"name": "c", "image": "c:1"}]}}}
	owned := {"metadata": {"ownerReferences": [{"kind": "Deployment", "controller": true}]}}
	_found("apps", "ReplicaSet", object.union(owned, {"spec": spec})) == {["container c", "c:1", "possible"]}
	_found("apps", "ReplicaSet", {"spec": spec}) == {["container c", "c:1", "certain"]}
	running := object.union(spec, {"replicas": 1})
	_found("apps", "ReplicaSet", object.union(owned, {"spec": running})) == {["container c", "c:1", "certain"]}
}

test_known_custom_resources if {
	containers := {"template": {"spec": {"containers": [{"name": "c", "image": "c:1"}]}}}
	_found("argoproj.io", "Rollout", {"spec": containers}) == {["container c", "c:1", "certain"]}
	_found("monitoring.coreos.com", "Prometheus", {"spec": {"image": "q.io/p:1", "thanos": {"image": "q.io/t:1"}}}) == {
		["spec.image", "q.io/p:1", "certain"],
		["spec.thanos.image", "q.io/t:1", "certain"],
	}
	_found("operators.coreos.com", "ClusterServiceVersion", {"spec": {
		"install": {"spec": {"deployments": [{"spec": containers}]}},
		"relatedImages": [{"name": "r", "image": "r:1"}, {"name": "x", "image": 1}],
	}}) == {
		["container c", "c:1", "certain"],
		["spec.relatedImages[0].image", "r:1", "certain"],
	}
	_found("", "ZarfPackageConfig", {"components": [{"name": "a", "images": ["z:1", "z"]}]}) == {
		["components[0].images[0]", "z:1", "certain"],
		["components[0].images[1]", "z", "certain"],
	}
}

test_image_streams if {
	spec := {"tags": [
		{"from": {"kind": "DockerImage", "name": "q.io/a:1"}},
		{"from": {"kind": "ImageStreamTag", "name": "a:1"}},
	]}
	_found("image.openshift.io", "ImageStream", {"spec": spec}) == {["spec.tags[0].from.name", "q.io/a:1", "certain"]}
	_found("example.com", "ImageStream", {"spec": {"from": {"kind": "DockerImage", "name": "a:1"}}}) == set()
}

test_custom_resources if {
	_found("example.com", "Widget", {
		"spec": {
			"image": "a:1",
			"sidecars": [{"baseImage": "b"}],
			"parameters": [{"name": "init.image", "value": "c:1"}, {"name": "level", "value": "d:1"}],
			"images": ["e:1"],
			"parts": {"repository": "q.io/f", "tag": "1"},
			"registry": {"registry": "q.io", "repository": "g", "tag": 2, "image": ""},
			"nvidia": {"repository": "nvcr.io/nvidia", "image": "driver", "version": "550"},
			"digest": {"image": "q.io/h", "tag": "1", "digest": substring(_digest, 1, -1)},
			"untagged": {"repository": "q.io/i"},
			"whole": {"image": "j:1", "tag": "1"},
			"git": {"repository": "https://git.example.com/a.git", "tag": "v1"},
			"github": {"repository": "github.com/a/b", "version": "v1"},
			"version": {"image": "k", "version": "1"},
		},
		"status": {"image": "never:1"},
	}) == {
		["spec.image", "a:1", "likely"],
		["spec.sidecars[0].baseImage", "b", "possible"],
		["spec.parameters[0].value", "c:1", "likely"],
		["spec.images[0]", "e:1", "likely"],
		["spec.parts.repository", "q.io/f:1", "likely"],
		["spec.registry.repository", "q.io/g:2", "likely"],
		["spec.nvidia.image", "nvcr.io/nvidia/driver:550", "likely"],
		["spec.digest.image", concat("", ["q.io/h:1", _digest]), "likely"],
		["spec.whole.image", "j:1", "likely"],
		["spec.version.image", "k", "possible"],
	}
}

test_texts_with_manifests if {
	values := concat("\n", ["image:", "  repository: q.io/a", "  tag: v1", "---", "[{image: b:1}]", "---", "# nothing"])
	files := {
		"values.yaml": values,
		"a.json": `{"image": "q.io/c:1", "level": "info"}`,
		"template.yaml": "{{ if x }}\nimage: d:1\n{{ end }}",
		"image.txt": "just some words",
		"nginx.conf": "server { listen 80; }",
		"list.yaml": "- q.io/e:1 # an image\n",
	}
	_found("", "ConfigMap", {"data": files}) == {
		["data.values.yaml, in its text at image.repository", "q.io/a:v1", "likely"],
		["data.values.yaml, in its text at [0].image", "b:1", "likely"],
		["data.a.json, in its text at image", "q.io/c:1", "likely"],
		["data.template.yaml", "d:1", "possible"],
		["data.list.yaml, in its text at [0]", "q.io/e:1", "likely"],
	}
	_found("helm.cattle.io", "HelmChart", {"spec": {"valuesContent": values}}) == {
		["spec.valuesContent, in its text at image.repository", "q.io/a:v1", "likely"],
		["spec.valuesContent, in its text at [0].image", "b:1", "likely"],
	}
}

test_some_kinds_name_no_image if {
	_found("", "Secret", {"stringData": {"image": "a:1"}}) == set()
	_found("apiextensions.k8s.io", "CustomResourceDefinition", {"spec": {"image": "a:1"}}) == set()
}

test_values_of_wrong_types if {
	_found("", "Pod", {"spec": "image: a:1"}) == set()
	_found("", "Pod", {"spec": {"containers": [{"name": 1, "image": "a:1", "env": "x", "args": {"image": "b:1"}}]}}) == {
		["container 1", "a:1", "certain"],
		["an argument of container 1", "b:1", "likely"],
	}
	_found("example.com", "Widget", {"spec": {"repository": 1, "tag": null}, "list": [[["q.io/a:1"]]]}) == {
		["list[0][0][0]", "q.io/a:1", "likely"],
	}
}

test_values_of_charts if {
	values := {
		"image": {"registry": "q.io", "repository": "a", "tag": "1"},
		"sidecar": {"image": "b"},
		"template": {"image": "{{ .Values.x }}:1"},
		"replicas": 1,
	}
	found := uses.in_values with input as {"values": values}
	found == {
		{
			"image": "q.io/a:1", "name": "q.io/a:1", "steps": ["image", "repository"],
			"sure": "possible", "what": "value image.repository",
		},
		{
			"image": "b", "name": "docker.io/library/b:latest", "steps": ["sidecar", "image"],
			"sure": "possible", "what": "value sidecar.image",
		},
	}
}
