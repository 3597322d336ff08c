# METADATA
# title: Protected image pinning
# description: |
#   In protected namespaces every image has a fixed tag or a digest. If a name moves from one image to another, the copy
#   on a node may be outdated, or differ from node to node.
# scope: package
# custom:
#   kind: K8sProtectedImagePinning
#   version: 1.1.0
#   rules:
#     untagged:
#       id: image-tag-missing
#       severity: medium
#       title: The image has neither tag nor digest, so its name stands for whatever is latest
#     floating:
#       id: image-tag-floating
#       severity: medium
#       title: The tag of the image moves, and there is no digest
#     undigested:
#       id: image-digest-missing
#       severity: low
#       title: The image has a tag but no digest, where digests are required
#     invalid:
#       id: image-invalid
#       severity: medium
#       title: The image is not a reference that Kubernetes can parse, so no container can start from it
#     unjudged:
#       id: image-pinning-unjudged
#       severity: medium
#       title: There are more containers than can be judged in time
#   include: lib.uses
#   parameters:
#     type: object
#     properties:
#       require:
#         description: |
#           What every image needs: `tag` is a tag that is not floating, or a digest; `digest` is a digest, with or
#           without a tag.
#         type: string
#         enum: [tag, digest]
#         default: tag
#       floatingTags:
#         description: |
#           Tags that move from one image to another. Case does not matter. An asterisk at the start or the end of a tag
#           stands for anything, as in `*-snapshot`.
#         type: array
#         defaultFrom: lib.images.floating_tags
#         items:
#           type: string
#           minLength: 1
#           maxLength: 130
#           pattern: ^\*?[A-Za-z0-9_.-]*\*?$
package policies.protected_image_pinning

import data.lib.images
import data.lib.kinds
import data.lib.messages
import data.lib.pods
import data.lib.uses

# Most objects under review are pods, and nearly all of them pass: their images are pinned, in one of the usual forms.
# So the rule first tries one simple pattern, and judges a pod in full only if an image does not match, or if the
# parameters are not the defaults. The pattern matches only valid references, though not all of them: those with a
# digest, or with a version that no floating tag matches.

# METADATA
# title: A container or an image volume whose image is not pinned
violation contains found if {
	_is_suspect
	some found in _violations
}

_is_suspect if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in input.review.object.spec[list]

	# regal ignore:line-length
	not regex.match(`^(?:(?:[a-z0-9]+[.-])*[a-z0-9]+:[0-9]+/)?[a-z0-9]{1,30}(?:[._/-][a-z0-9]{1,17}){0,12}(?::v?[0-9][\w.]{0,50}(?:-[A-KM-RT-Za-km-rt-z0-9][\w.]{0,20}){0,3}|(?::\w[\w.-]{0,99})?@sha256:[a-f0-9]{64})$`, container.image)
}

_is_suspect if input.review.object.spec.volumes[_].image

_is_suspect if input.parameters.require != "tag"

# A copy of images.floating_tags, because looking them up there makes every review slower.
_is_suspect if input.parameters.floatingTags != [
	"*-latest", "*-snapshot", "alpha", "beta", "canary", "current", "dev", "devel", "develop", "development",
	"edge", "head", "latest", "latest-*", "lts", "lts-*", "main", "mainline", "mainline-*", "master", "next",
	"nightly", "prod", "production", "rc", "release", "rolling", "snapshot", "stable", "stable-*", "staging",
	"test", "testing", "tip", "trunk", "unstable",
]

_is_suspect if {
	input.review.kind != {"group": "", "version": "v1", "kind": "Pod"}
	_is_suspect_template
}

# The same checks for an object of any kind.
_is_suspect_template if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in _spec[list]

	# regal ignore:line-length
	not regex.match(`^(?:(?:[a-z0-9]+[.-])*[a-z0-9]+:[0-9]+/)?[a-z0-9]{1,30}(?:[._/-][a-z0-9]{1,17}){0,12}(?::v?[0-9][\w.]{0,50}(?:-[A-KM-RT-Za-km-rt-z0-9][\w.]{0,20}){0,3}|(?::\w[\w.-]{0,99})?@sha256:[a-f0-9]{64})$`, container.image)
}

_is_suspect_template if _spec.volumes[_].image

_is_suspect_template if {
	some custom in input.parameters.customKinds
	custom.kind == input.review.kind.kind
}

_is_suspect_template if kinds.known[input.review.kind.group][input.review.kind.kind]

_spec := pods.spec(input.review.object, input.review.kind)

default _required := "tag"

_required := "digest" if input.parameters.require == "digest"

_floating := pattern if {
	pattern := images.tags_pattern(input.parameters.floatingTags)
} else := images.tags_pattern(images.floating_tags)

_violations contains {"msg": _message(use, reason), "details": details} if {
	some use in uses.current(input)
	not use.image in {null, ""} # nothing to pin: the API server refuses it, unless something else fills it in before
	not uses.is_open(use, input.review.kind)
	reason := _reason(use.image)
	not uses.is_excused(use, input)
	not _is_kept(use)
	details := {
		"path": uses.path(use),
		"image": use.image,
		"tag": _tag(use.image, reason),
		"required": _required,
		"reason": reason,
		"pin": _pin(use, reason),
	}
}

_violations contains {"msg": msg, "details": {"reason": "unjudged"}} if msg := uses.unjudged(input)

_reason(image) := "invalid" if {
	not images.is_reference(image)
} else := "untagged" if {
	not contains(image, "@")
	not images.tag(image)
} else := "floating" if {
	regex.match(_floating, image)
} else := "undigested" if {
	_required == "digest"
	not contains(image, "@")
}

# Where tools may write a pinned image, and which pull policy they then have to state.
_pin(use, reason) := {"path": path, "stated": use.image, "then": _then(use)} if {
	reason != "invalid"
	path := concat("", [uses.path(use), _suffixes[use.list]])
} else := null

_suffixes := {
	"containers": ".image",
	"initContainers": ".image",
	"ephemeralContainers": ".image",
	"volumes": ".image.reference",
	"images": "",
}

_then(use) := null if {
	use.stated in {"IfNotPresent", "Never"}
} else := {"path": uses.policy_path(use), "stated": use.stated, "value": "IfNotPresent"}

_is_kept(use) if [uses.identity(use)] in _kept

_kept := uses.kept(
	[[uses.identity(use)] | some use in uses.current(input)],
	[[uses.identity(use)] | some use in uses.earlier(input)],
)

_tag(image, reason) := images.tag(image) if {
	reason != "invalid"
	images.tag(image)
} else := null

_message(use, reason) := uses.message(use, sprintf("%s; %s %s", [_problem(use.image, reason), _verb(reason), _remedy]))

_problem(_, "invalid") := "is not a reference that Kubernetes can parse"

_problem(_, "untagged") := "no tag means latest, which moves to other images"

_problem(image, "floating") := sprintf("tag %s moves to other images", [messages.shortened(images.tag(image), 40)])

_problem(_, "undigested") := "a tag can be moved to other images"

_verb(reason) := "write one with" if {
	reason == "invalid"
} else := "pin"

default _remedy := "a fixed tag or a digest"

_remedy := "a digest" if _required == "digest"
