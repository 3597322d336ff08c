package lib.pods_test

import data.lib.pods

_pod_spec := {"containers": [{"name": "a", "image": "nginx"}]}

_templated := {"spec": {"template": {"spec": _pod_spec}}}

# Every built-in kind: its group, kind, an object of it, and where its pod spec is.
_kinds := {
	"Pod": ["", "Pod", {"spec": _pod_spec}, ["spec"]],
	"PodTemplate": ["", "PodTemplate", {"template": {"spec": _pod_spec}}, ["template", "spec"]],
	"ReplicationController": ["", "ReplicationController", _templated, ["spec", "template", "spec"]],
	"DaemonSet": ["apps", "DaemonSet", _templated, ["spec", "template", "spec"]],
	"Deployment": ["apps", "Deployment", _templated, ["spec", "template", "spec"]],
	"ReplicaSet": ["apps", "ReplicaSet", _templated, ["spec", "template", "spec"]],
	"StatefulSet": ["apps", "StatefulSet", _templated, ["spec", "template", "spec"]],
	"Job": ["batch", "Job", _templated, ["spec", "template", "spec"]],
	"CronJob": [
		"batch",
		"CronJob",
		{"spec": {"jobTemplate": {"spec": {"template": {"spec": _pod_spec}}}}},
		["spec", "jobTemplate", "spec", "template", "spec"],
	],
	"old DaemonSet": ["extensions", "DaemonSet", _templated, ["spec", "template", "spec"]],
	"old Deployment": ["extensions", "Deployment", _templated, ["spec", "template", "spec"]],
	"old Job": ["extensions", "Job", _templated, ["spec", "template", "spec"]],
	"old ReplicaSet": ["extensions", "ReplicaSet", _templated, ["spec", "template", "spec"]],
}

test_built_in_kinds[name] if {
	some name, [group, kind, resource, path] in _kinds
	pods.spec(resource, {"group": group, "kind": kind}) == _pod_spec
	pods.uses(resource, {"group": group, "kind": kind}, []) == [{
		"spec": path,
		"path": array.concat(path, ["containers", 0]),
		"policy_path": array.concat(path, ["containers", 0, "imagePullPolicy"]),
		"place": path,
		"list": "containers",
		"name": "a",
		"image": "nginx",
		"stated": null,
		"field": "imagePullPolicy",
	}]
}

test_other_kinds_have_no_pod_spec[name] if {
	some name, [group, kind] in {
		"Service": ["", "Service"],
		"Pod of another group": ["metrics.k8s.io", "Pod"],
		"Deployment of another group": ["example.com", "Deployment"],
		"CronJob of another group": ["example.com", "CronJob"],
		"PodTemplate of another group": ["example.com", "PodTemplate"],
		"Rollout of another group": ["example.com", "Rollout"],
	}
	every resource in [{"spec": _pod_spec}, _templated] {
		not pods.spec(resource, {"group": group, "kind": kind})
		pods.uses(resource, {"group": group, "kind": kind}, []) == []
	}
}

test_uses_in_every_list if {
	spec := {
		"ephemeralContainers": [{"name": "d", "image": "e:1", "imagePullPolicy": "Never"}],
		"initContainers": [{"name": "b", "image": "b:1", "imagePullPolicy": ""}],
		"containers": [{"name": "a"}, {"image": "c:1", "imagePullPolicy": 1}],
		"volumes": [
			{"name": "v"},
			{"name": "w", "image": {"reference": "v:1", "pullPolicy": "Always"}},
			{"name": "x", "image": {}},
		],
	}
	found := [use |
		some full in pods.uses({"spec": spec}, {"group": "", "kind": "Pod"}, [])
		full.spec == ["spec"]
		full.place == ["spec"]
		written := {"path": pods.formatted(full.path), "policy_path": pods.formatted(full.policy_path)}
		use := object.union(object.remove(full, ["spec", "place"]), written)
	]
	found == [
		{
			"path": "spec.containers[0]", "policy_path": "spec.containers[0].imagePullPolicy", "list": "containers",
			"name": "a", "image": null, "stated": null, "field": "imagePullPolicy",
		},
		{
			"path": "spec.containers[1]", "policy_path": "spec.containers[1].imagePullPolicy", "list": "containers",
			"name": null, "image": "c:1", "stated": 1, "field": "imagePullPolicy",
		},
		{
			"path": "spec.initContainers[0]", "policy_path": "spec.initContainers[0].imagePullPolicy",
			"list": "initContainers", "name": "b", "image": "b:1", "stated": "", "field": "imagePullPolicy",
		},
		{
			"path": "spec.ephemeralContainers[0]", "policy_path": "spec.ephemeralContainers[0].imagePullPolicy",
			"list": "ephemeralContainers", "name": "d", "image": "e:1", "stated": "Never", "field": "imagePullPolicy",
		},
		{
			"path": "spec.volumes[1]", "policy_path": "spec.volumes[1].image.pullPolicy", "list": "volumes",
			"name": "w", "image": "v:1", "stated": "Always", "field": "pullPolicy",
		},
		{
			"path": "spec.volumes[2]", "policy_path": "spec.volumes[2].image.pullPolicy", "list": "volumes",
			"name": "x", "image": null, "stated": null, "field": "pullPolicy",
		},
	]
}

test_sizes[name] if {
	widget := {
		"group": "example.com", "kind": "Widget", "paths": ["spec.pools.*"], "containers": ["spec.run", "spec.steps[]"],
		"images": [{"image": "spec.*.image", "policy": "spec.pull"}],
	}
	some name, [resource, group, kind, size] in {
		"every list": [
			{"spec": {
				"containers": [null, {}], "initContainers": [{}], "ephemeralContainers": "none", "volumes": [{}],
			}},
			"", "Pod", 4,
		],
		"no spec": [{}, "apps", "Deployment", 0],
		"a known kind": [_templated, "argoproj.io", "Rollout", count(pods.uses(
			_templated, {
				"group": "argoproj.io",
				"kind": "Rollout",
			},
			[],
		))],
		"a kind that nobody knows": [_templated, "example.com", "Gadget", 0],
		"a stated kind": [
			{"spec": {"pools": {"a": {"containers": [{}, {}]}, "b": {}}, "steps": [{}], "main": {"image": "x"}}},
			"example.com", "Widget", 5,
		],
	}
	pods.size(resource, {"group": group, "kind": kind}, [widget]) == size
}

test_wrong_types_have_no_uses[name] if {
	some name, resource in {
		"no spec": {},
		"spec null": {"spec": null},
		"spec a string": {"spec": "hello"},
		"spec a list": {"spec": [_pod_spec]},
		"lists missing": {"spec": {}},
		"lists null": {"spec": {"containers": null, "volumes": null}},
		"lists mappings": {
			"spec": {"containers": {"a": {"image": "nginx"}}, "volumes": {"a": {"image": {"reference": "nginx"}}}},
		},
		"lists strings": {"spec": {"containers": "nginx", "volumes": "nginx"}},
		"containers of other types": {"spec": {"containers": [null, "nginx", 7, ["nginx"], true]}},
		"volumes of other types": {"spec": {"volumes": [null, "nginx", 7, ["nginx"], {"image": "nginx"}, {"image": null}]}},
	}
	pods.uses(resource, {"group": "", "kind": "Pod"}, []) == []
}

_job_set := {"spec": {"replicatedJobs": [
	{"template": {"spec": {"template": {"spec": _pod_spec}}}},
	{"template": null},
	{"template": {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "b"}]}}}}},
]}}

test_custom_kinds[name] if {
	rollout := [{"group": "argoproj.io", "kind": "Rollout", "paths": ["spec.template.spec"]}]
	set := [{"group": "jobset.x-k8s.io", "kind": "JobSet", "paths": ["spec.replicatedJobs[].template.spec.template.spec"]}]
	leaders := [{"group": "lws", "kind": "LWS", "paths": ["spec.a.spec", "spec.b.spec", "spec.c[].spec"]}]
	some name, [group, kind, resource, custom_kinds, places] in {
		"one path": ["argoproj.io", "Rollout", _templated, rollout, ["spec.template.spec"]],
		"no template": ["argoproj.io", "Rollout", {"spec": {"workloadRef": {"name": "x"}}}, rollout, []],
		"known, and nothing else is said": ["argoproj.io", "Rollout", _templated, [], ["spec.template.spec"]],
		"known, and something else is said": [
			"argoproj.io", "Rollout", _templated,
			array.concat(set, [{"group": "argoproj.io", "kind": "Rollout", "paths": ["spec.template"]}]), [],
		],
		"another group": ["example.com", "Rollout", _templated, rollout, []],
		"another kind": ["argoproj.io", "Roll", _templated, rollout, []],
		"a list on the way": ["jobset.x-k8s.io", "JobSet", _job_set, set, [
			"spec.replicatedJobs[0].template.spec.template.spec",
			"spec.replicatedJobs[2].template.spec.template.spec",
		]],
		"a mapping is no list": ["lws", "LWS", {"spec": {"c": {"x": {"spec": _pod_spec}}}}, leaders, []],
		"several paths": [
			"lws", "LWS", {"spec": {"a": {"spec": _pod_spec}, "b": {"spec": _pod_spec}}}, leaders,
			["spec.a.spec", "spec.b.spec"],
		],
		"free keys on the way": [
			"kubeflow.org", "TFJob",
			{"spec": {"tfReplicaSpecs": {"Chief": {"template": {"spec": _pod_spec}}, "Worker": {}}, "x": [_templated]}},
			[{"group": "kubeflow.org", "kind": "TFJob", "paths": ["spec.tfReplicaSpecs.*.template.spec", "spec.*.template"]}],
			["spec.tfReplicaSpecs.Chief.template.spec"],
		],
		"a list has no free keys": [
			"lws", "LWS", {"spec": [_templated]}, [{"group": "lws", "kind": "LWS", "paths": ["spec.*.spec.template.spec"]}],
			[],
		],
		"lists of free keys": [
			"lws", "LWS", {"spec": {"a": [{"spec": _pod_spec}]}},
			[{"group": "lws", "kind": "LWS", "paths": ["spec.*[].spec"]}], ["spec.a[0].spec"],
		],
		"nowhere": ["argoproj.io", "Rollout", _templated, [object.union(rollout[0], {"paths": []})], []],
		"no paths": ["argoproj.io", "Rollout", _templated, [object.remove(rollout[0], ["paths"])], []],
		"a built-in kind keeps its place": [
			"apps", "Deployment", _templated, [{"group": "apps", "kind": "Deployment", "paths": ["spec"]}],
			["spec.template.spec"],
		],
	}
	uses := pods.uses(resource, {"group": group, "kind": kind}, custom_kinds)
	[place | some use in uses; place := pods.formatted(use.spec)] == places
}

_widget(spec, places) := [use |
	custom := object.union({"group": "example.com", "kind": "Widget"}, places)
	some full in pods.uses({"spec": spec}, {"group": "example.com", "kind": "Widget"}, [custom])
	written := {key: pods.formatted(full[key]) | some key in ["spec", "path", "policy_path"]}
	use := object.union(full, written)
]

_always := {"name": "a", "image": "x:1", "imagePullPolicy": "Always"}

test_containers_of_custom_kinds[name] if {
	found := {"name": "a", "image": "x:1", "stated": "Always", "field": "imagePullPolicy", "list": "containers"}
	some name, [spec, pattern, paths, place] in {
		"one": [{"run": _always}, "spec.run", ["spec", "spec.run"], ["spec", "run"]],
		"a list": [{"steps": [null, _always]}, "spec.steps[]", ["spec", "spec.steps[1]"], ["spec", "steps"]],
		"one in each entry of a list": [
			{"templates": [{}, {"name": "t", "run": _always}]}, "spec.templates[].run",
			["spec.templates[1]", "spec.templates[1].run"], ["spec", "templates", ["t"], "run"],
		],
		"lists in a list": [
			{"templates": [{"steps": [_always]}]}, "spec.templates[].steps[]",
			["spec.templates[0]", "spec.templates[0].steps[0]"], ["spec", "templates", [], "steps"],
		],
		"one of each key": [{"parts": {"b": _always, "c": 7}}, "spec.parts.*", ["spec.parts", "spec.parts.b"], [
			"spec", "parts",
			"b",
		]],
		"lists of each key": [{"b": [_always], "c": _always}, "spec.*[]", ["spec", "spec.b[0]"], ["spec", "b"]],
	}
	_widget(spec, {"containers": [pattern]}) == [object.union(found, {
		"spec": paths[0],
		"path": paths[1],
		"policy_path": concat("", [paths[1], ".imagePullPolicy"]),
		"place": place,
	})]
}

test_images_of_custom_kinds[name] if {
	beside := {"image": "spec.image", "policy": "spec.imagePullPolicy"}
	above := {"image": "spec.thanos.image", "policy": "spec.imagePullPolicy"}
	listed := {"image": "spec.pools[].main.image", "policy": "spec.pools[].pull"}
	keyed := {"image": "spec.*.image", "policy": "spec.*.pull"}
	some name, [spec, field, used] in {
		"both": [
			{"image": "x:1", "imagePullPolicy": "Always"}, beside,
			["spec", "spec.image", "spec.imagePullPolicy", "x:1", "Always"],
		],
		"no pull policy": [{"image": "x:1"}, beside, ["spec", "spec.image", "spec.imagePullPolicy", "x:1", null]],
		"no image": [
			{"imagePullPolicy": "Always"}, beside,
			["spec", "spec.image", "spec.imagePullPolicy", null, "Always"],
		],
		"a pull policy above": [
			{"thanos": {"image": "x:1"}, "imagePullPolicy": "Never"}, above,
			["spec.thanos", "spec.thanos.image", "spec.imagePullPolicy", "x:1", "Never"],
		],
		"in entries of a list": [
			{"pools": [{}, {"main": {"image": "x"}, "pull": "Never"}]}, listed,
			["spec.pools[1].main", "spec.pools[1].main.image", "spec.pools[1].pull", "x", "Never"],
		],
		"of each key": [
			{"a": {"image": "x", "pull": "Never"}, "b": "x"}, keyed,
			["spec.a", "spec.a.image", "spec.a.pull", "x", "Never"],
		],
	}
	[use] := _widget(spec, {"images": [field]})
	[use.spec, use.path, use.policy_path, use.image, use.stated] == used
	[use.name, use.list] == [field.image, "images"]
	endswith(field.policy, use.field)
}

test_no_images_of_custom_kinds[name] if {
	beside := {"image": "spec.image", "policy": "spec.imagePullPolicy"}
	above := {"image": "spec.thanos.image", "policy": "spec.imagePullPolicy"}
	some name, [spec, field] in {
		"nothing": [{}, beside],
		"neither": [{"image": "", "imagePullPolicy": null}, beside],
		"a pull policy of something else": [{"thanos": {}, "imagePullPolicy": "Always"}, above],
		"nothing that could have one": [{"imagePullPolicy": "Always"}, above],
		"no mapping": ["x", beside],
	}
	_widget(spec, {"images": [field]}) == []
}

test_the_place_of_an_image if {
	spec := {"pools": [{"name": "a", "image": "x"}, {"image": "x"}]}
	uses := _widget(spec, {"images": [{"image": "spec.pools[].image", "policy": "spec.pools[].pull"}]})
	[use.place | some use in uses] == [["spec", "pools", ["a"], "image"], ["spec", "pools", [], "image"]]
}

test_formatted if {
	pods.formatted(["spec", "jobs", 2, "containers", 0]) == "spec.jobs[2].containers[0]"
}

_owned(owner) := {"metadata": {"ownerReferences": [owner]}}

test_controlled[name] if {
	some name, owner in {
		"one of Kubernetes": {"apiVersion": "apps/v1", "kind": "Deployment", "controller": true},
		"any": {"apiVersion": "example.com/v1", "kind": "Database", "controller": true},
		"a pod": {"apiVersion": "v1", "kind": "Pod", "controller": true},
		"nothing but that": {"controller": true},
	}
	pods.is_controlled(_owned(owner))
}

test_not_controlled[name] if {
	some name, resource in {
		"bare": {"metadata": {"name": "p"}},
		"no metadata": {},
		"an owner that is no controller": _owned({"apiVersion": "apps/v1", "kind": "ReplicaSet"}),
		"controller no boolean": _owned({"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": "true"}),
		"owners of the wrong type": {"metadata": {"ownerReferences": "me"}},
	}
	not pods.is_controlled(resource)
}

_conditions(type, status) := {"status": {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {
	"type": type,
	"status": status,
}]}}

test_finished[name] if {
	some name, [group, kind, resource] in {
		"a pod that has succeeded": ["", "Pod", {"status": {"phase": "Succeeded"}}],
		"a pod that has failed": ["", "Pod", {"status": {"phase": "Failed"}}],
		"a Job that is complete": ["batch", "Job", _conditions("Complete", "True")],
		"a Job that has failed": ["batch", "Job", _conditions("Failed", "True")],
		"an old Job": ["extensions", "Job", _conditions("Failed", "True")],
	}
	pods.is_finished(resource, {"group": group, "kind": kind})
}

test_not_finished[name] if {
	some name, [group, kind, resource] in {
		"a pod that runs": ["", "Pod", {"status": {"phase": "Running"}}],
		"no status": ["", "Pod", {}],
		"a status of another type": ["", "Pod", {"status": "Succeeded"}],
		"a Job that runs": ["batch", "Job", _conditions("Complete", "False")],
		"a Job without conditions": ["batch", "Job", {"status": {}}],
		"another kind": ["example.com", "Pod", {"status": {"phase": "Failed"}}],
	}
	not pods.is_finished(resource, {"group": group, "kind": kind})
}

test_place[name] if {
	resource := {"spec": {"jobs": [{"name": "a"}, {"name": ""}, {"name": 7}, "x", {"x": [[{"name": "b"}]]}]}}
	some name, [path, place] in {
		"no list": [["spec", "template"], ["spec", "template"]],
		"a name": [["spec", "jobs", 0, "t"], ["spec", "jobs", ["a"], "t"]],
		"an empty name": [["spec", "jobs", 1], ["spec", "jobs", []]],
		"a name of another type": [["spec", "jobs", 2], ["spec", "jobs", []]],
		"no mapping": [["spec", "jobs", 3], ["spec", "jobs", []]],
		"lists in lists": [["spec", "jobs", 4, "x", 0, 0], ["spec", "jobs", [], "x", [], ["b"]]],
	}
	pods.place(resource, path) == place
}
