# METADATA
# title: Pods
# description: |
#   Where objects hold pod specs, which images these use, and whether an object has a controller or is done.
# scope: package
package lib.pods

import data.lib.kinds

# METADATA
# title: Where objects of built-in kinds hold their pod specs
# description: |
#   By group and kind, in every group that has served the kind. The path is the same in all versions. From here the
#   generator takes the kinds that policies about pod specs match, and the paths for their twins in CEL.
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
# description: Undefined for other kinds. null if the object has no pod spec.
spec(resource, kind) := object.get(resource, spec_paths[kind.group][kind.kind], null)

# METADATA
# title: The uses of images in an object
# description: |
#   Every container and image volume of its pod specs, and other fields of custom resources that use an image. `spec` is
#   the path of the pod spec or of the mapping in its place, `path` that of the use, and `policy_path` that of its pull
#   policy, which may be missing there. Paths are arrays of keys and indices. `list` is the kind of use. `name`, `image`
#   and `stated` (the pull policy) are null if they are missing. `field` is the name of the pull policy's field. Values
#   of the wrong type, which the API server refuses, are left out. `custom_kinds` says where other kinds than the
#   built-in ones hold pod specs, containers and images: [{group, kind, paths, containers, images}]. It overrides
#   lib.kinds.
uses(resource, kind, custom_kinds) := [use |
	places := _places(kind, custom_kinds)
	some group in [
		_in_pod_specs(resource, _spec_paths(resource, kind, places)),
		_in_containers(resource, places),
		_in_fields(resource, places),
	]
	some use in group
]

# METADATA
# title: The highest number of uses of images that an object can have
# description: |
#   All volumes count, and so do null and other invalid entries. Much cheaper than `uses`, and with the same arguments.
size(resource, kind, custom_kinds) := sum([number |
	places := _places(kind, custom_kinds)
	some number in array.concat(
		[count(pod_spec[list]) |
			some path in _spec_paths(resource, kind, places)
			pod_spec := object.get(resource, path, null)
			some list in _lists
			is_array(pod_spec[list])
		],
		[count(_matches(resource, _steps(pattern))) |
			some custom in places
			some pattern in array.concat(
				object.get(custom, "containers", []),
				[field.image | some field in custom.images],
			)
		],
	)
])

_lists := ["containers", "initContainers", "ephemeralContainers", "volumes"]

_in_pod_specs(resource, paths) := [use |
	some path in paths
	pod_spec := object.get(resource, path, null)
	known_as := place(resource, path)
	some list in _lists
	is_array(pod_spec[list])
	some index, item in pod_spec[list]
	use := object.union(
		{"spec": path, "place": known_as, "list": list},
		_use(list, item, array.concat(path, [list, index])),
	)
]

# METADATA
# title: A path as people write it
# description: Keys are joined by dots, indices are in brackets, as in spec.containers[0].
formatted(path) := trim_prefix(concat("", [_segment(step) | some step in path]), ".")

# METADATA
# title: Whether the object has a controller
# description: |
#   A controller of Kubernetes or any other: it made the object, and would make it again. Undefined if there is none.
is_controlled(resource) if {
	some owner in resource.metadata.ownerReferences
	owner.controller == true
}

# METADATA
# title: Whether the object is done, so that none of its containers ever starts again
# description: A pod or a Job that has succeeded or failed. Undefined if the object is not done.
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
#   Each index is replaced by an array with the name of the entry, which is empty if there is no name. Compare it with
#   others of the same object only.
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

# A container outside of pod specs is identified by its list, or by its own path.
_in_containers(resource, places) := [use |
	some custom in places
	some pattern in custom.containers
	some path in _matches(resource, _steps(pattern))
	owner := _owner(path)
	use := object.union(
		{"spec": _parent(owner), "place": place(resource, owner), "list": "containers"},
		_use("containers", object.get(resource, path, null), path),
	)
]

# Fields outside of containers. The name is the path of the image as customKinds states it. If there is no image, a
# stated pull policy is that of the default image.
_in_fields(resource, places) := [use |
	some custom in places
	some field in custom.images
	wanted := _steps(field.image)
	some owner in _matches(resource, _parent(wanted))
	is_object(object.get(resource, owner, null))
	path := array.concat(owner, [wanted[count(wanted) - 1]])
	policy_path := _bound(_steps(field.policy), path)
	image := object.get(resource, path, null)
	stated := object.get(resource, policy_path, null)
	_is_used(image, stated, _parent(policy_path) == owner)
	use := {
		"spec": owner, "path": path, "policy_path": policy_path, "place": place(resource, path), "list": "images",
		"name": field.image, "image": image, "stated": stated, "field": policy_path[count(policy_path) - 1],
	}
]

_use("volumes", item, path) := {
	"path": path,
	"policy_path": array.concat(path, ["image", "pullPolicy"]),
	"name": object.get(item, "name", null),
	"image": object.get(item.image, "reference", null),
	"stated": object.get(item.image, "pullPolicy", null),
	"field": "pullPolicy",
} if {
	is_object(item.image)
}

_use(list, item, path) := {
	"path": path,
	"policy_path": array.concat(path, ["imagePullPolicy"]),
	"name": object.get(item, "name", null),
	"image": object.get(item, "image", null),
	"stated": object.get(item, "imagePullPolicy", null),
	"field": "imagePullPolicy",
} if {
	list != "volumes"
	is_object(item)
}

_is_used(image, _, _) if not image in {null, ""}

_is_used(image, stated, true) if {
	image in {null, ""}
	not stated in {null, ""}
}

_spec_paths(_, kind, _) := [spec_paths[kind.group][kind.kind]]

_spec_paths(resource, kind, places) := [path |
	some custom in places
	some pattern in custom.paths
	some path in _matches(resource, _steps(pattern))
] if {
	not spec_paths[kind.group][kind.kind]
}

# The entry of customKinds for a kind, or else that of lib.kinds.
default _places(_, _) := []

_places(kind, custom_kinds) := stated if {
	stated := [custom |
		some custom in custom_kinds
		custom.group == kind.group
		custom.kind == kind.kind
		not spec_paths[kind.group][kind.kind]
	]
	stated != []
} else := [kinds.known[kind.group][kind.kind]]

_steps(pattern) := split(replace(pattern, "[]", ".[]"), ".")

# The paths in an object that match a pattern such as spec.replicatedJobs[].template.spec, given by its steps.
_matches(resource, wanted) := {wanted} if {
	_first_open(wanted) == count(wanted)
} else := {array.concat(known, path) |
	first := _first_open(wanted)
	known := array.slice(wanted, 0, first)
	walk(object.get(resource, known, null), [path, _])
	count(path) == count(wanted) - first
	every position, step in path {
		_fits(step, wanted[first + position])
	}
}

# The position of the first step that matches every entry of a list, or every key of a mapping.
_first_open(wanted) := min([position | some position, step in array.concat(wanted, ["*"]); step in {"[]", "*"}])

_fits(step, "[]") if is_number(step)

_fits(step, "*") if is_string(step)

_fits(step, wanted) if step == wanted

# The steps of a pattern, with the keys and indices of a path in the place of its lists and free keys.
_bound(wanted, path) := [step |
	some position, own in wanted
	step := _chosen(own, path, position)
]

_chosen(own, path, position) := path[position] if own in {"[]", "*"}

_chosen(own, _, _) := own if not own in {"[]", "*"}

_parent(path) := array.slice(path, 0, count(path) - 1)

# The path of the list that holds the last entry of a path, or else the path itself.
_owner(path) := _parent(path) if {
	is_number(path[count(path) - 1])
} else := path

_segment(step) := sprintf("[%d]", [step]) if is_number(step)

_segment(step) := concat("", [".", step]) if is_string(step)
