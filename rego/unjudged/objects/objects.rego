# METADATA
# title: What a policy could judge in objects of kinds that none covers
# description: |
#   A custom resource with Always must not look like one without. Nothing here is a violation: the report says that
#   something was not judged, and what to do about it.
# scope: package
package unjudged.objects

import data.lib.images
import data.lib.pods

# METADATA
# title: What the objects of input.objects hold, one entry an object
# description: |
#   An object has its apiVersion, kind and metadata, and `parts` of the rest, as unjudged.hints asks for them: each has
#   a `value`, and whether that `isText`: read from a string, or the string itself if it cannot be read. The entry is
#   null, or has `holds` and `remedy`, words for people.
found := [_entry(obj) | some obj in input.objects]

# Its controller is judged or noted itself.
_entry(obj) := null if {
	pods.is_controlled(obj)
} else := {"holds": holds, "remedy": remedy} if {
	[_, holds, remedy] := min({_holding(part, shape) |
		some part in obj.parts
		some shape in _shapes_in(part)
	})
} else := null

# The object's own fields come before those in strings.
_holding(part, shape) := [[part.isText, rank], _words(part, shape), _remedy(part, shape)] if {
	some rank, known in _shapes
	known == shape
}

# What counts most comes first.
_shapes := [
	"a pod spec that says Always",
	"a pod spec whose images mean Always",
	"a container that says Always",
	"a container whose image means Always",
	"a pull policy that says Always",
	"a pod spec",
]

_words(part, shape) := sprintf("%s, in a text", [shape]) if {
	part.isText
} else := shape

_remedy(part, shape) := "check that text by itself" if {
	part.isText
} else := "check what is made of it" if {
	shape == "a pull policy that says Always"
} else := "see customKinds"

_shapes_in(part) := {"a pull policy that says Always"} if {
	is_string(part.value)
	regex.match(`(?m)^[-\s]*["']?(?:imageP|p)ullPolicy["']?:\s*["']?Always\b`, part.value)
} else := {shape |
	walk(part.value, [_, value])
	is_object(value)
	some shape in _shapes
	_has(shape, value)
}

_has("a pod spec that says Always", value) if _says_always(_pod_spec(value))

_has("a pod spec whose images mean Always", value) if _means_always(_pod_spec(value))

_has("a container that says Always", value) if _says_always(_container(value))

_has("a container whose image means Always", value) if _means_always(_container(value))

_has("a pull policy that says Always", value) if {
	some field in ["imagePullPolicy", "pullPolicy"]
	value[field] == "Always"
}

# A parameter of a chart, as Argo CD has them.
_has("a pull policy that says Always", value) if {
	value.value == "Always"
	endswith(value.name, "ullPolicy")
}

_has("a pod spec", value) if _pod_spec(value)

_says_always(uses) if {
	some use in uses
	use.stated == "Always"
}

_means_always(uses) if {
	some use in uses
	images.effective_policy(use.stated, use.image) == "Always"
}

# The uses of images in what has the shape of a pod spec; undefined for anything else.
_pod_spec(value) := pods.uses({"spec": value}, {"group": "", "kind": "Pod"}, []) if {
	is_array(value.containers)
	some container in value.containers
	is_string(container.name)
	_is_image(container.image)
}

# That of what has the shape of a container, wherever it stands.
_container(value) := [{"image": value.image, "stated": object.get(value, "imagePullPolicy", null)}] if {
	_is_image(value.image)
	some field in _container_fields
	value[field]
}

# A container has one of these beside its image.
_container_fields := {
	"args",
	"command",
	"env",
	"envFrom",
	"imagePullPolicy",
	"lifecycle",
	"livenessProbe",
	"name",
	"ports",
	"readinessProbe",
	"resources",
	"script",
	"securityContext",
	"startupProbe",
	"volumeMounts",
	"workingDir",
}

# A reference, or what becomes one.
_is_image(image) if images.is_reference(image)

_is_image(image) if regex.match(`\$[({]|\{\{`, image)
