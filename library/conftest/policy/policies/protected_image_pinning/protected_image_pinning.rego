# METADATA
# title: Protected image pinning
# description: |
#   In protected namespaces every image has a fixed tag or a digest. A copy on a node is only as good as its name: where
#   the name moves from one image to another, the copy may be an old one, or another one on each node.
# scope: package
# custom:
#   kind: K8sProtectedImagePinning
#   version: 1.0.0
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
#           Tags that are moved from one image to another, in whatever case. An asterisk at the start or the end of a
#           tag stands for anything, as in `*-snapshot`.
#         type: array
#         defaultFrom: lib.images.floating_tags
#         items:
#           type: string
#           minLength: 1
#           maxLength: 130
#           pattern: ^\*?[A-Za-z0-9_.-]*\*?$
package policies.protected_image_pinning

import data.lib.images
import data.lib.messages
import data.lib.pods
import data.lib.uses

# METADATA
# title: A container or an image volume whose image is not pinned
violation contains {"msg": _message(use, reason), "details": details} if {
	_is_suspect
	some use in uses.current(input)
	not use.image in {null, ""} # nothing to pin: the API server refuses it, unless something else fills it in before
	reason := _reason(use.image)
	not uses.is_excused(use, input)
	not uses.identity(use) in _unchanged
	details := {
		"path": uses.path(use),
		"image": use.image,
		"tag": _tag(use.image, reason),
		"required": _required,
		"reason": reason,
	}
}

# Most objects pass here at little cost: all their images are pinned, and written in the usual way.
_is_suspect if not _are_pinned_plainly

_is_suspect if {
	some volume in _spec.volumes
	volume.image
}

_is_suspect if {
	some custom in input.parameters.customKinds
	custom.kind == input.review.kind.kind
}

_spec := pods.spec(input.review.object, input.review.kind)

# All images at once, as that costs an admission review about as much as one image does. The first pattern takes valid
# references only, though not all of them: the rest is judged in full.
_are_pinned_plainly if {
	written := json.marshal([container.image |
		some list in ["containers", "initContainers", "ephemeralContainers"]
		some container in _spec[list]
	])
	regex.match(_plain, written)
	floating := replace(concat("|", input.parameters.floatingTags), "*", ".*")
	regex.match(sprintf(`(?i):(?:%s)"|%s`, [floating, _unpinned[input.parameters.require]]), written) == false
}

_plain := concat("", [
	`^\[(?:"(?:(?:[a-z0-9]+[.-])*[a-z0-9]+:[0-9]+/)?[a-z0-9]{1,30}(?:[._/-][a-z0-9]{1,17}){0,12}`,
	`(?::\w[\w.-]{0,99})?(?:@sha256:[a-f0-9]{64})?",?)*\]$`,
])

_unpinned := {"tag": `"(?:[^",]*/)?[^",/:@]+"`, "digest": `"[^",@]+"`}

default _required := "tag"

_required := "digest" if input.parameters.require == "digest"

_floating := pattern if {
	pattern := images.tags_pattern(input.parameters.floatingTags)
} else := images.tags_pattern(images.floating_tags)

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

_unchanged contains uses.identity(use) if some use in uses.earlier(input)

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
