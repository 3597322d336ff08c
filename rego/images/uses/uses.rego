# METADATA
# title: The images that an object uses
# description: |
#   What counts as an image, and how sure that is: "certain" where an API says so, "likely" and "possible" as
#   images.texts has it. It has the form of a policy, whose violations are the uses, so that whatever reads and builds
#   manifests for policies finds them with their lines.
# scope: package
package images.uses

import data.images.known
import data.images.references
import data.images.texts
import data.lib.images
import data.lib.pods

# METADATA
# title: A use of an image
# description: |
#   msg is the image as it is written. details has `name`, its full name, or null if it is not a reference, such as a
#   placeholder; `sure`; `what` names it, for people; `steps` is its path, and `path` that of the mapping that
#   holds it, as much of that as can be written with dots: what decides the fields of a mapping is known.
violation contains {"msg": use.image, "details": details} if {
	not _kind.kind in object.get(known.skipped, _kind.group, set())
	some use in (_certain | _less_certain)
	details := {
		"name": _name(use.image),
		"path": pods.formatted(_plain(_owner(use.path))),
		"steps": use.path,
		"sure": use.sure,
		"what": use.what,
	}
}

# METADATA
# title: The images that values of a chart name
# description: |
#   input.values are the values. A set of {image, name, steps, sure, what}, as in the details of violation. What is
#   rendered may use them or not, so that none is sure.
in_values contains {"image": own.image, "name": name, "steps": own.path, "sure": "possible", "what": what} if {
	some own in _in_structure(input.values)
	name := references.full_name(own.image)
	what := sprintf("value %s", [pods.formatted(own.path)])
}

default _name(_) := null

_name(image) := references.full_name(image)

_kind := input.review.kind

_content := object.remove(input.review.object, ["apiVersion", "kind", "metadata", "status"])

# The mapping around a value, or around the list that it is in.
_owner(path) := array.slice(path, 0, max([index | some index, step in path; is_string(step)]))

# A key with a dot in it ends what can be written.
_plain(path) := array.slice(path, 0, first) if {
	first := min([index | some index, step in array.concat(path, [""]); _is_odd(step)])
}

_is_odd(step) if {
	is_string(step)
	regex.match(`^$|[.\[\]]`, step)
}

# -- where an API says that it is an image

_certain contains use if {
	some group in [_in_pod_specs, _in_known_fields, _in_image_streams]
	some use in group
}

_pod_uses := [use |
	some use in pods.uses(input.review.object, _kind, known.custom_kinds)
	is_string(use.image)
	use.image != ""
]

_in_pod_specs contains found if {
	some use in _pod_uses
	found := {"path": _image_path(use), "image": use.image, "sure": _sureness, "what": _words(use)}
}

_image_path(use) := array.concat(use.path, ["image", "reference"]) if {
	use.list == "volumes"
} else := use.path if {
	use.list == "images"
} else := array.concat(use.path, ["image"])

_words(use) := pods.formatted(use.path) if {
	use.list == "images"
} else := sprintf("%s %v", [_nouns[use.list], use.name]) if {
	use.name != null
} else := pods.formatted(use.path)

_nouns := {
	"containers": "container",
	"ephemeralContainers": "ephemeral container",
	"initContainers": "init container",
	"volumes": "image volume",
}

default _sureness := "certain"

# What a Deployment keeps for a rollback runs nowhere.
_sureness := "possible" if {
	_kind.kind == "ReplicaSet"
	pods.is_controlled(input.review.object)
	input.review.object.spec.replicas == 0
}

_in_known_fields contains found if {
	some pattern in known.kinds[_kind.group][_kind.kind].images
	wanted := split(replace(pattern, "[]", ".[]"), ".")
	walk(_content, [path, image])
	is_string(image)
	count(path) == count(wanted)
	every index, step in wanted {
		_fits(path[index], step)
	}
	found := {"path": path, "image": image, "sure": "certain", "what": pods.formatted(path)}
}

_fits(step, "[]") if is_number(step)

_fits(step, wanted) if step == wanted

# OpenShift's objects refer to images in this way.
_in_image_streams contains found if {
	endswith(_kind.group, "openshift.io")
	walk(_content, [path, source])
	source.kind == "DockerImage"
	is_string(source.name)
	own := array.concat(path, ["name"])
	found := {"path": own, "image": source.name, "sure": "certain", "what": pods.formatted(own)}
}

# -- where a name or a form says so

_less_certain contains use if {
	taken := {use.path | some use in _certain}
	some use in ((_in_settings | _in_fields) | _in_manifests)
	not use.path in taken
}

# The arguments and variables of containers.
_in_settings contains found if {
	some use in _pod_uses
	not use.list in {"images", "volumes"}
	settings := object.filter(object.get(input.review.object, use.path, {}), ["args", "command", "env"])
	some own in _in_structure(settings)
	what := sprintf("%s of %s", [_setting(settings, own.path), _words(use)])
	found := {"path": array.concat(use.path, own.path), "image": own.image, "sure": own.sure, "what": what}
}

_setting(settings, path) := sprintf("variable %v", [settings.env[path[1]].name]) if {
	path[0] == "env"
} else := "an argument" if {
	path[0] == "args"
} else := "the command"

# Other fields of objects that are not workloads.
_in_fields contains object.union(found, {"what": pods.formatted(found.path)}) if {
	not pods.spec_paths[_kind.group][_kind.kind]
	some found in _in_structure(_content)
	not found.path in _manifest_paths
}

# -- strings that hold YAML or JSON, such as files in a ConfigMap and values of charts

_in_manifests contains found if {
	some text in _manifests
	some document in text.documents
	some own in _in_structure(document)
	what := sprintf("%s, in its text at %s", [pods.formatted(text.path), pods.formatted(own.path)])
	found := {"path": text.path, "image": own.image, "sure": own.sure, "what": what}
}

_manifest_paths contains text.path if some text in _manifests

_manifests contains {"path": path, "documents": documents} if {
	not pods.spec_paths[_kind.group][_kind.kind]
	walk(_content, [path, text])
	_may_hold_images(text)
	parts := split(text, "\n---")
	every part in parts {
		yaml.is_valid(part)
	}
	documents := [document | some part in parts; document := yaml.unmarshal(part); _is_collection(document)]
	documents != []
}

_may_hold_images(text) if {
	texts.is_text(text)
	regex.match(`(?i)image|repository`, text)
}

_is_collection(value) if is_object(value)

_is_collection(value) if is_array(value)

# -- what stands in a value

_in_structure(value) := _composed(value) | {found |
	taken := {found.path | some found in _composed(value)}
	walk(value, [path, text])
	is_string(text)
	_is_candidate(value, path, text)
	not path in taken
	some own in texts.in_string(_called(value, path), text)
	found := {"path": path, "image": own.image, "sure": own.sure}
}

# Cheap, as most strings are no images: one that is has a slash or a colon, or is called an image.
_is_candidate(_, _, text) if regex.match(`[/:]|^-.*=`, text)

_is_candidate(_, path, _) if {
	some index in [count(path) - 1, count(path) - 2]
	regex.match(`(?i)image|img`, path[index])
}

_is_candidate(value, path, _) if regex.match(`(?i)image|img`, _name_beside(value, path))

# What a string is called: by the entry's name, by the flag before it, or by the key that it stands at.
_called(value, path) := name if {
	name := _name_beside(value, path)
} else := flag if {
	is_number(path[count(path) - 1])
	flag := object.get(value, array.concat(_parent(path), [path[count(path) - 1] - 1]), null)
	regex.match(`^--?[\w.-]+$`, flag)
} else := keys[count(keys) - 1] if {
	keys := array.concat([""], [step | some step in path; is_string(step)])
}

_name_beside(value, path) := name if {
	path[count(path) - 1] == "value"
	name := object.get(value, array.concat(_parent(path), ["name"]), null)
	is_string(name)
}

_parent(path) := array.slice(path, 0, count(path) - 1)

# An image in parts: registry, repository or image, and tag, version or digest.
_composed(value) := {found |
	walk(value, [path, parts])
	is_object(parts)
	found := {"path": array.concat(path, [_main_part(parts)]), "image": _joined(parts), "sure": "likely"}
}

_main_part(parts) := "image" if {
	_is_stated(parts.image)
} else := "repository"

_joined(parts) := image if {
	_is_stated(parts[_main_part(parts)])
	names := [name | some key in ["registry", "repository", "image"]; name := parts[key]; _is_stated(name)]
	version := _version(parts)
	image := concat("", [concat("/", names), version])
	images.is_reference(image)
	not references.is_git(image)
	every name in names {
		not contains(name, "@")
		not images.tag(name)
	}
}

_version(parts) := concat("", [_tag(parts), sprintf("@%s", [parts.digest])]) if {
	startswith(parts.digest, "sha")
} else := tag if {
	tag := _tag(parts)
	tag != ""
}

default _tag(_) := ""

_tag(parts) := sprintf(":%v", [parts.tag]) if {
	_is_stated(parts.tag)
} else := sprintf(":%v", [parts.version]) if {
	_is_stated(parts.repository)
	_is_stated(parts.version)
}

_is_stated(value) if {
	is_string(value)
	value != ""
}

_is_stated(value) if is_number(value)
