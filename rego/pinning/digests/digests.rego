# METADATA
# title: Digests of tags
# description: |
#   To which digest an image can be pinned, by what the pods and nodes of a snapshot report of its tag. Only digests of
#   the image's own repository count: a copy elsewhere can have another one. input is {images (names as manifests state
#   them), containers (by the image that pods state, a list of {image, imageID, phase, running, exitCode, platform,
#   count}, the first two as the status of the container has them), entries (what nodes list, each once: {names,
#   count}), listed (the indices of entries, by name), platforms (those of all nodes)}. A platform is {os,
#   architecture}.
# scope: package
package pinning.digests

import data.lib.images

# METADATA
# title: What is known of each of the images
# description: |
#   {reason, digest, isIndex, ranOn, forms, tag, reported, platforms}: reason is "" if the image can be pinned, or why
#   it cannot; forms are the references that pin it, by the names of --pin-as; reported is what reports each digest, as
#   {digest, containers, nodes}, sorted; ranOn are the platforms on which the digest has run, and platforms all of them.
# entrypoint: true
found := [_found(image) | some image in input.images]

_found(image) := {
	"reason": reason,
	"digest": digest,
	"isIndex": count(_ran_on(reports, digest)) > 1,
	"ranOn": _written(_ran_on(reports, digest)),
	"forms": _forms(image, reason, digest),
	"tag": _tag(image),
	"reported": _reported(reports),
	"platforms": _written(_platforms),
} if {
	reports := _reports(image)
	digest := _agreed(reports)
	reason := _reason(image, reports)
}

_forms(image, "", digest) := {
	"digest": concat("@", [_repository(image), digest]),
	"tag@digest": concat("@", [image, digest]),
}

_forms(_, reason, _) := {} if reason != ""

# -- whether it can be pinned

_reason(image, reports) := "idOnly" if {
	count(reports) == 0
	_is_mentioned(image)
} else := "unseen" if {
	count(reports) == 0
} else := "ambiguous" if {
	count(_common(reports)) > 1
} else := "moved" if {
	count(_common(reports)) == 0
} else := "otherTag" if {
	every report in reports {
		not report.certain
	}
} else := _reason_of_platforms(reports, _agreed(reports))

# The digest of an index serves every architecture, that of a manifest only one. A runtime pulls the manifest of another
# architecture without complaint, so only a container that runs shows that a digest is one of an index.
_reason_of_platforms(reports, digest) := "" if {
	count(_ran_on(reports, digest)) > 1
} else := "noNodes" if {
	count(_platforms) == 0
} else := "" if {
	count(_platforms) == 1
	every platform in _platforms {
		_is_known(platform)
	}
} else := "platforms"

_ran_on(reports, digest) := {report.platform |
	some report in reports
	digest in report.digests
	report.certain
	report.ran
	_is_known(report.platform)
}

_platforms := {platform | some platform in input.platforms}

_written(platforms) := sort([concat("/", [_name(platform.os), _name(platform.architecture)]) |
	some platform in platforms
])

_name(text) := text if {
	is_string(text)
	text != ""
} else := "unknown"

_is_known(platform) if {
	every field in ["os", "architecture"] {
		is_string(platform[field])
		platform[field] != ""
	}
}

default _agreed(_) := null

_agreed(reports) := digest if {
	[digest] = [each | some each in _common(reports)]
}

# What every report allows. One that lists several digests allows each of them.
_common(reports) := intersection({report.digests | some report in reports})

_reported(reports) := [{"digest": digest, "containers": containers, "nodes": nodes} |
	some digest in sort({each | some report in reports; some each in report.digests})
	containers := sum([report.count | some report in reports; report.from == "container"; digest in report.digests])
	nodes := sum([report.count | some report in reports; report.from == "node"; digest in report.digests])
]

# -- what reports it

_reports(image) := array.concat(
	[report |
		some state in _states(image)
		digest := _own_digest(state.imageID, image)
		report := {
			"from": "container",
			"digests": {digest},
			"certain": _is_called(state.image, image),
			"ran": _has_run(state),
			"platform": state.platform,
			"count": state.count,
		}
	],
	[report |
		some index in _entries(image)
		digests := {digest | some name in input.entries[index].names; digest := _own_digest(name, image)}
		count(digests) > 0
		report := {
			"from": "node", "digests": digests, "certain": true, "ran": false, "platform": null,
			"count": input.entries[index].count,
		}
	],
)

# A pod that is done says what the tag was when it ran.
_states(image) := [state |
	some name in images.names(image)
	some state in input.containers[name]
	not state.phase in {"Failed", "Succeeded"}
]

_entries(image) := {index |
	some name in images.names(image)
	some index in input.listed[name]
}

_is_mentioned(image) if count(_states(image)) > 0

_is_mentioned(image) if count(_entries(image)) > 0

default _has_run(_) := false

_has_run(state) if state.running == true

_has_run(state) if state.exitCode == 0

# An image that has several tags on a node is reported by any of them, and so is one whose pod was given another image
# that the kubelet has not started yet: which of the two it is cannot be told. The id alone means that the tag is gone.
default _is_called(_, _) := false

_is_called(reported, _) if not is_string(reported)

_is_called(reported, _) if regex.match(`^(?:sha256:[a-f0-9]{64})?$`, reported)

_is_called(reported, image) if reported in images.names(image)

# The digest of a reference to the repository of an image, with the name of a runtime in front of it or not. Undefined
# if it is something else, such as the id of an image, which is the digest of its configuration.
_own_digest(reported, image) := digest if {
	reference := regex.replace(reported, `^[a-z][a-z-]*://`, "")
	[_, digest] = split(reference, "@")
	some name in images.names(reference)
	name in images.names(concat("@", [_repository(image), digest]))
}

# -- names

_repository(image) := trim_suffix(image, concat("", [":", _tag(image)]))

default _tag(_) := ""

_tag(image) := images.tag(image)
