# METADATA
# title: Pods
# description: |
#   Where objects hold pod specs, which images those use, and what stands between a workload and its next pod.
# scope: package
package lib.pods

# METADATA
# title: Where objects of built-in kinds hold their pod specs
# description: |
#   By group and kind, in every group that has served it: the place is the same in all versions. The generator reads
#   here which kinds the policies over pod specs match, and where their twins in CEL find the pod specs.
spec_paths := {
	"": {
		"Pod": ["spec"],
		"PodTemplate": ["template", "spec"],
		"ReplicationController": ["spec", "template", "spec"],
	},
	"apps": {
		"DaemonSet": ["spec", "template", "spec"],
		"Deployment": ["spec", "template", "spec"],
		"ReplicaSet": ["spec", "template", "spec"],
		"StatefulSet": ["spec", "template", "spec"],
	},
	"batch": {
		"CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
		"Job": ["spec", "template", "spec"],
	},
	"extensions": {
		"DaemonSet": ["spec", "template", "spec"],
		"Deployment": ["spec", "template", "spec"],
		"Job": ["spec", "template", "spec"],
		"ReplicaSet": ["spec", "template", "spec"],
	},
}

# METADATA
# title: The pod spec of an object of a built-in kind
# description: Undefined for other kinds; null where there is none.
spec(resource, kind) := object.get(resource, spec_paths[kind.group][kind.kind], null)

# METADATA
# title: The uses of images in an object
# description: |
#   Every container and image volume of its pod specs: `spec` (the path of the pod spec, keys and indices), `list`,
#   `index`, `name`, `image`, `stated` (the pull policy; null as the others where it is missing) and `field` (its name).
#   A list, container or image volume of the wrong type, which the API server refuses, has none. `custom_kinds` says
#   where kinds that are not built in hold pod specs: [{group, kind, paths}].
uses(resource, kind, custom_kinds) := [use |
	some path in _spec_paths(resource, kind, custom_kinds)
	pod_spec := object.get(resource, path, null)
	known_as := place(resource, path)
	some list in ["containers", "initContainers", "ephemeralContainers", "volumes"]
	is_array(pod_spec[list])
	some index, item in pod_spec[list]
	use := object.union({"spec": path, "place": known_as, "list": list, "index": index}, _use(list, item))
]

# METADATA
# title: A path as people write it
# description: Keys joined by dots, indices in brackets, such as spec.containers[0].
formatted(path) := trim_prefix(concat("", [_segment(step) | some step in path]), ".")

# METADATA
# title: Whether the object has a controller
# description: |
#   Kubernetes' own or anybody's: what made it, and would make it again. Undefined if not.
is_controlled(resource) if {
	some owner in resource.metadata.ownerReferences
	owner.controller == true
}

# METADATA
# title: Whether the object is done, so that nothing of it ever starts again
# description: A pod or a Job that has succeeded or failed. Undefined if not.
# scope: document
is_finished(resource, kind) if {
	kind.group == ""
	kind.kind == "Pod"
	resource.status.phase in {"Failed", "Succeeded"}
}

is_finished(resource, kind) if {
	kind.group in {"batch", "extensions"}
	kind.kind == "Job"
	some condition in resource.status.conditions
	condition.type in {"Complete", "Failed"}
	condition.status == "True"
}

# METADATA
# title: A path that stays the same when entries of a list move
# description: |
#   Indices give way to the names of the entries, each in a list of its own, which is empty where there is no name. A
#   place is something to compare with others of the same object.
place(resource, path) := [step |
	some position, key in path
	step := _named(resource, array.slice(path, 0, position + 1), key)
]

_named(_, _, key) := key if is_string(key)

_named(resource, path, key) := [name |
	name := object.get(resource, array.concat(path, ["name"]), null)
	is_string(name)
	name != ""
] if {
	is_number(key)
}

_use("volumes", item) := {
	"name": object.get(item, "name", null),
	"image": object.get(item.image, "reference", null),
	"stated": object.get(item.image, "pullPolicy", null),
	"field": "pullPolicy",
} if {
	is_object(item.image)
}

_use(list, item) := {
	"name": object.get(item, "name", null),
	"image": object.get(item, "image", null),
	"stated": object.get(item, "imagePullPolicy", null),
	"field": "imagePullPolicy",
} if {
	list != "volumes"
	is_object(item)
}

_spec_paths(_, kind, _) := [spec_paths[kind.group][kind.kind]]

_spec_paths(resource, kind, custom_kinds) := [path |
	some custom in custom_kinds
	custom.group == kind.group
	custom.kind == kind.kind
	some pattern in custom.paths
	some path in _matches(resource, pattern)
] if {
	not spec_paths[kind.group][kind.kind]
}

# The paths in an object that a pattern such as spec.replicatedJobs[].template.spec stands for.
_matches(resource, pattern) := {path |
	wanted := split(replace(pattern, "[]", ".[]"), ".")
	walk(resource, [path, _])
	count(path) == count(wanted)
	every position, step in path {
		_generalized(step) == wanted[position]
	}
}

_generalized(step) := "[]" if is_number(step)

_generalized(step) := step if is_string(step)

_segment(step) := sprintf("[%d]", [step]) if is_number(step)

_segment(step) := concat("", [".", step]) if is_string(step)
