# METADATA
# title: What a policy could judge in objects of kinds that no constraint selects
# description: |
#   A report must distinguish a custom resource with Always from one without. These results are not violations: the
#   report says that something was not judged, and what to do about it.
# scope: package
package unjudged.objects

import data.lib.images
import data.lib.pods

# METADATA
# title: What the objects of input.objects hold, one entry for each object
# description: |
#   An object has its apiVersion, kind and metadata, and `parts` of the rest, as selected by unjudged.hints. A part has
#   a `value` and `isText`, which tells that it was read from a string, or that it is a string that cannot be read. An
#   entry is null, or has `holds` and `remedy`, texts for people.
found := [_entry(obj) | some obj in input.objects]

# The object's controller is judged or reported itself.
_entry(obj) := null if {
	pods.is_controlled(obj)
} else := {"holds": holds, "remedy": remedy} if {
	[_, holds, remedy] := min({[_importance(part, shape), _words(part, shape), _remedy(obj, part, shape)] |
		some part in obj.parts
		some shape in _shapes_in(part)
	})
} else := null

# The object's own fields take precedence over those in strings.
_importance(part, shape) := [part.isText, rank] if {
	some rank, known in _shapes
	known == shape
}

# The most important shapes come first.
_shapes := [
	"a pod spec that says Always",
	"a pod spec whose images imply Always",
	"a container that says Always",
	"a container whose image implies Always",
	"a pull policy that says Always",
	"a pod spec",
]

_words(part, shape) := sprintf("%s, in a string", [shape]) if {
	part.isText
} else := shape

_remedy(obj, part, shape) := "check its chart with these values: `pullguard check --values FILE CHART`" if {
	_has_values(obj)
} else := "check the string as a file of its own" if {
	part.isText
} else := "check the objects that are made from it" if {
	shape == "a pull policy that says Always"
} else := "see customKinds"

# Objects that hold values of a chart: of Flux, k3s and Argo CD.
_has_values(obj) if {
	concat("/", [split(obj.apiVersion, "/")[0], obj.kind]) in {
		"argoproj.io/Application",
		"helm.cattle.io/HelmChart",
		"helm.cattle.io/HelmChartConfig",
		"helm.toolkit.fluxcd.io/HelmRelease",
	}
}

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

_has("a pod spec whose images imply Always", value) if _means_always(_pod_spec(value))

_has("a container that says Always", value) if _says_always(_container(value))

_has("a container whose image implies Always", value) if _means_always(_container(value))

_has("a pull policy that says Always", value) if {
	some field in ["imagePullPolicy", "pullPolicy"]
	value[field] == "Always"
}

# A parameter of a chart in Argo CD's format.
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

# The images of a value with the shape of a pod spec; undefined for other values.
_pod_spec(value) := pods.uses({"spec": value}, {"group": "", "kind": "Pod"}, []) if {
	is_array(value.containers)
	some container in value.containers
	is_string(container.name)
	_is_image(container.image)
}

# The image of a value with the shape of a container, anywhere.
_container(value) := [{"image": value.image, "stated": object.get(value, "imagePullPolicy", null)}] if {
	_is_image(value.image)
	some field in _container_fields
	value[field]
}

# A container has at least one of these fields besides its image.
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

# A valid reference, or a template of one.
_is_image(image) if images.is_reference(image)

_is_image(image) if regex.match(`\$[({]|\{\{`, image)
