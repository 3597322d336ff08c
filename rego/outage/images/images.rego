# METADATA
# title: The images in use
# description: |
#   What is known of each image that pods use. input is {images (names as pods state them), gone (globs of registries),
#   goneInside (those for registries that are Services of the cluster), registries (data.outage.registries), entries}:
#   what nodes list, each once, as {names, runtime}, the latter as a node states its containerRuntimeVersion.
# scope: package
package outage.images

import data.lib.globs
import data.lib.images
import data.lib.nodes
import data.outage.registries

# METADATA
# title: What is known of each of the images
# description: |
#   {valid, gone, registry, service, repository, full, listed, similar, aliases}: whether it is a reference, and whether
#   its registry is gone; the Service that its registry is, or null; the repository as it is written; the name that
#   runtimes have for it; the indices of the entries that are the image, and of those that may be it, as they leave out
#   names; and the indices of the images that may be the same one.
# entrypoint: true
found := [_known(index, image) | some index, image in input.images]

_known(index, image) := {
	"valid": true,
	"gone": _is_gone(registry, _globs(service)),
	"registry": registry,
	"service": service,
	"repository": trim_suffix(split(image, "@")[0], _stated_tag(image)),
	"full": _full(image, registry, _names[index]),
	"listed": _entries_of(index),
	"similar": [entry | some entry in _candidates[index]; _states[index][entry] == "unknown"],
	"aliases": _aliases[index],
} if {
	images.is_reference(image)
	registry := registries.of_names(_names[index])
	service := registries.service(registries.known, registry)
} else := {
	"valid": false, "gone": true, "registry": "", "service": null, "repository": "", "full": "",
	"listed": [], "similar": [], "aliases": [],
}

# Tables of thousands of entries are comprehensions: for each entry of a rule like _names[index], OPA goes through all
# that were there before.
_names := {index: names |
	some index, image in input.images
	names := images.names(image) | images.names_anywhere(image)
}

_stated_tag(image) := sprintf(":%s", [images.tag(image)]) if {
	images.tag(image)
} else := ""

# With its registry, Docker's library/, and a tag or a digest but not both: the longest of such names.
_full(image, registry, names) := [name | some name in forms; count(name) == longest][0] if {
	forms := [name |
		some name in names
		startswith(name, sprintf("%s/", [registry]))
		_is_whole(name, contains(image, "@"))
	]
	longest := max([count(name) | some name in forms])
}

_is_whole(name, true) if not images.tag(name)

_is_whole(name, false) if images.tag(name)

# -- its registry

# What is in the cluster goes down with its pods, unless it is named.
_globs(null) := input.gone

_globs(service) := input.goneInside if service != null

_is_gone(registry, gone) if {
	some name in _names_of(registry)
	globs.match_any(gone, name)
} else := false

_names_of(registry) := registries.docker_hub if {
	registry == "docker.io"
} else := {registry}

# -- what nodes list

# An entry alone is a node that has no other image.
_listings := [nodes.listing({"status": {
	"images": [{"names": entry.names}],
	"nodeInfo": {"containerRuntimeVersion": entry.runtime},
}}) |
	some entry in input.entries
]

# Only entries with the same last component can be the image: there are few of them.
_entries_by_component := {component: indices |
	some pair in _components_of_entries
	component := pair[0]
	indices := {index | some other in _components_of_entries; other[0] == component; index := other[1]}
}

_components_of_entries contains [_component(name), index] if {
	some index, entry in input.entries
	some name in entry.names
}

_candidates := {index: candidates |
	some index, names in _names
	candidates := _union_in(_entries_by_component, {_component(name) | some name in names})
}

# Handed over as a value, a table is made once; otherwise OPA would go through all that it is made of for each key.
_union_in(table, keys) := {value |
	some key in keys
	some value in table[key]
}

_component(name) := split(segments[count(segments) - 1], ":")[0] if {
	segments := split(split(name, "@")[0], "/")
}

_states := {index: states |
	some index, entries in _candidates
	states := {entry: nodes.state(_listings[entry], _names[index], -1) | some entry in entries}
}

_entries_of(index) := [entry | some entry, state in _states[index]; state == "present"]

# -- which of them are one

_aliases := {index: aliases |
	some index, names in _names
	aliases := _union_in(_images_by_name, names) | _union_in(_images_by_entry, _entries_of(index))
}

_images_by_name := {name: indices |
	some pair in _names_of_images
	name := pair[0]
	indices := {index | some other in _names_of_images; other[0] == name; index := other[1]}
}

_names_of_images contains [name, index] if {
	some index, names in _names
	some name in names
	not startswith(name, "*/")
}

_images_by_entry := {entry: indices |
	some pair in _entries_of_images
	entry := pair[0]
	indices := {index | some other in _entries_of_images; other[0] == entry; index := other[1]}
}

_entries_of_images contains [entry, index] if {
	some index, _ in _names
	some entry in _entries_of(index)
}
