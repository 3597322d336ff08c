# METADATA
# title: Nodes
# description: |
#   Which nodes a pod can run on according to its spec, and which images they have.
# scope: package
package lib.nodes

import data.lib.selectors

# METADATA
# title: The number of names of an image that a node lists
# description: The kubelet leaves out the names after them.
max_names := 5

# METADATA
# title: The names of the nodes that a pod can run on
# description: |
#   A set. `nodes` are Nodes by name. `kind` is that of the object that holds the pod spec, because the controller of
#   DaemonSets adds tolerations. The rules are the scheduler's: nodeSelector, required node affinity, and taints with
#   the effects NoSchedule and NoExecute; an unschedulable node counts as tainted. They do not apply to a pod that names
#   its node. A pod that names its operating system runs on no node with another one. A field that the API server
#   refuses selects no node, taints no node and tolerates no taint.
fitting(nodes, pod_spec, kind) := {name | some name, _ in nodes; name == pod_spec.nodeName} if {
	not object.get(pod_spec, "nodeName", null) in {null, ""}
} else := {name |
	some name, node in nodes
	_is_selected(name, _labels(node), pod_spec)
	not _repels(node, tolerations)
	not _has_another_system(node, pod_spec)
} if {
	tolerations := array.concat(_items(pod_spec, ["tolerations"]), _added_tolerations(pod_spec, kind))
}

# METADATA
# title: What a pod spec says about the nodes that the pod can run on
# description: Two pod specs with the same value fit the same nodes.
placement(pod_spec) := {concat(".", path): object.get(pod_spec, path, null) |
	some path in [["nodeName"], ["nodeSelector"], _required_affinity, ["tolerations"], ["hostNetwork"], ["os", "name"]]
}

# METADATA
# title: The images that a node lists
# description: |
#   For state(), which looks up one image after the other. A node without a list of images may have any image.
listing(node) := {"images": _named_anywhere(images, node), "text": json.marshal(images)} if {
	object.get(node, ["status", "images"], null) != null
	images := node.status.images
} else := {"images": null, "text": ""}

# CRI-O looks for a name without a registry in the registries that its configuration lists, so it may come from any.
_named_anywhere(images, node) := [object.union(image, {"anywhere": anywhere}) |
	some image in images
	anywhere := [name |
		some full in image.names
		name := regex.replace(full, `^[^/]*/`, "*/")
		name != full
	]
] if {
	is_array(images)
	startswith(node.status.nodeInfo.containerRuntimeVersion, "cri-o://")
} else := images

# METADATA
# title: Whether a node has an image
# description: |
#   "present", "missing" or "unknown", according to its list. `names` are those under which the image can be listed. An
#   image that is not listed is "unknown" if there is no list, if the list is full (`max_images`; -1 stands for no
#   limit), or if the names of another image are cut off and one of them has the same last component.
state(listed, names, max_images) := "present" if {
	_mentions(listed, names)
	some image in listed.images
	_is_named(image, names)
} else := "unknown" if {
	_is_partial(listed, names, max_images)
} else := "missing"

_is_named(image, names) if {
	some name in image.names
	name in names
}

_is_named(image, names) if {
	some name in image.anywhere
	name in names
}

# This settles nearly every node. Searching the list as a text is much cheaper than iterating over it.
_mentions(listed, names) if {
	some name in names
	contains(listed.text, _last_component(name))
}

_is_partial(listed, _, _) if not is_array(listed.images)

_is_partial(listed, _, max_images) if {
	max_images >= 0
	count(listed.images) >= max_images
}

# An image with tags in several registries nearly always has the same last component in all of them.
_is_partial(listed, names, _) if {
	_mentions(listed, names)
	some image in listed.images
	count(image.names) >= max_names
	some name in image.names
	some wanted in names
	_last_component(name) == _last_component(wanted)
}

_last_component(reference) := split(segments[count(segments) - 1], ":")[0] if {
	segments := split(split(reference, "@")[0], "/")
}

_labels(node) := labels if {
	labels := object.get(node, ["metadata", "labels"], null)
	is_object(labels)
} else := {}

_is_selected(name, labels, pod_spec) if {
	selectors.verdict({"matchLabels": object.get(pod_spec, "nodeSelector", null)}, labels, true) == "match"
	_is_allowed(name, labels, object.get(pod_spec, _required_affinity, null))
}

_required_affinity := ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]

_is_allowed(_, _, null)

_is_allowed(name, labels, required) if {
	some term in required.nodeSelectorTerms
	expressions := _items(term, ["matchExpressions"])
	fields := _items(term, ["matchFields"])
	count(expressions) + count(fields) > 0 # an empty term selects nothing
	every expression in expressions {
		_holds(expression, labels)
	}
	every field in fields {
		_is_node(name, field)
	}
}

_holds(expression, labels) if selectors.verdict({"matchExpressions": [expression]}, labels, true) == "match"

_holds(expression, labels) if {
	[value] = expression.values
	_compares(expression.operator, _integer(labels[expression.key]), _integer(value))
}

_compares("Gt", label, value) if label > value

_compares("Lt", label, value) if label < value

# A 64-bit integer in Go's notation.
_integer(text) := number if {
	regex.match(`^[+-]?[0-9]+$`, text)
	number := to_number(regex.replace(text, `^\+?(-?)0*([0-9])`, "$1$2"))
	number >= -9223372036854775808
	number <= 9223372036854775807
}

_is_node(name, field) if {
	field.key == "metadata.name"
	[value] = field.values
	_agrees(field.operator, name, value)
}

_agrees("In", name, value) if name == value

_agrees("NotIn", name, value) if {
	is_string(value)
	name != value
}

# The kubelet rejects pods for another operating system. A node that does not state its system may have any: until its
# kubelet reports it, the API server stores an empty one.
_has_another_system(node, pod_spec) if {
	system := _system(node)
	system != ""
	pod_spec.os.name != system
}

_system(node) := system if {
	system := _labels(node)["kubernetes.io/os"]
} else := node.status.nodeInfo.operatingSystem

_repels(node, tolerations) if {
	some taint in _taints(node)
	taint.effect in {"NoExecute", "NoSchedule"}
	not _is_tolerated(taint, tolerations)
}

_taints(node) := array.concat(_items(node, ["spec", "taints"]), [taint |
	node.spec.unschedulable == true
	taint := {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
])

_is_tolerated(taint, tolerations) if {
	some toleration in tolerations
	_text(toleration, "effect") in {"", taint.effect}
	_tolerates(_text(toleration, "operator"), toleration, taint)
}

_tolerates("Exists", toleration, taint) if _text(toleration, "key") in {"", _text(taint, "key")}

# The default operator is Equal, which needs a key.
_tolerates(operator, toleration, taint) if {
	operator in {"", "Equal"}
	toleration.key != ""
	toleration.key == taint.key
	_text(toleration, "value") == _text(taint, "value")
}

_added_tolerations(pod_spec, kind) := [{"key": key, "effect": effect, "operator": "Exists"} |
	kind.kind == "DaemonSet"
	some [key, effect] in array.concat(_tolerated_by_daemons, _tolerated_on_host_network(pod_spec))
]

_tolerated_by_daemons := [
	["node.kubernetes.io/not-ready", "NoExecute"],
	["node.kubernetes.io/unreachable", "NoExecute"],
	["node.kubernetes.io/disk-pressure", "NoSchedule"],
	["node.kubernetes.io/memory-pressure", "NoSchedule"],
	["node.kubernetes.io/pid-pressure", "NoSchedule"],
	["node.kubernetes.io/unschedulable", "NoSchedule"],
]

_tolerated_on_host_network(pod_spec) := [["node.kubernetes.io/network-unavailable", "NoSchedule"] |
	pod_spec.hostNetwork == true
]

# null stands for a value that cannot be read.
_items(value, path) := [] if {
	object.get(value, path, null) == null
} else := items if {
	items := object.get(value, path, null)
	is_array(items)
} else := [null]

_text(value, field) := "" if {
	object.get(value, field, null) == null
} else := value[field]
