# METADATA
# title: Uses of images under review
# description: |
#   What the policies about containers and image volumes share: which uses of images (see lib.pods) they judge, and how
#   their messages name these. A policy with `include: lib.uses` has the match, operations and parameters below. A
#   request is the whole input of a policy: {review, parameters}.
# scope: package
# custom:
#   match:
#     kindsFrom: lib.pods.spec_paths
#     customKindsFrom: lib.kinds.known
#     kindsFromParameter: customKinds
#   operations: [CREATE, UPDATE]
#   parameters:
#     type: object
#     properties:
#       exemptImages:
#         description: |
#           Images that are not judged: each exactly as in the manifest, or a prefix that ends in `*`.
#         type: array
#         default: []
#         items:
#           type: string
#           minLength: 1
#           pattern: ^[^*]*\*?$
#           doubts:
#             - pattern: "[^*/:@]\\*$"
#               because: "it also exempts images whose names only begin like it: let the prefix end in /, : or @"
#       customKinds:
#         description: |
#           Custom resources besides the known ones (docs/kinds.md): where they hold pod specs (`paths`), containers
#           outside of pod specs (`containers`), and images in fields of their own (`images`). An entry for a known kind
#           replaces what is known of it; an entry without paths leaves the kind out. A path is a list of keys joined by
#           dots. `[]` after a key stands for every entry of its list, and an asterisk instead of a key for every key of
#           a mapping.
#         type: array
#         default: []
#         example:
#           - {group: example.com, kind: Widget, paths: [spec.template.spec, "spec.pools[].template.spec"]}
#           - {group: example.com, kind: Gadget, images: [{image: spec.image, policy: spec.imagePullPolicy}]}
#           - {group: argoproj.io, kind: Workflow, paths: []}
#         items:
#           type: object
#           required: [group, kind]
#           properties:
#             group:
#               description: The API group, such as argoproj.io.
#               type: string
#               refuses:
#                 - {pattern: /, because: "an API group has neither a slash nor a version: argoproj.io"}
#                 - {pattern: "[^-a-z0-9./]", because: "an API group has lower-case letters, digits, hyphens and dots"}
#             kind:
#               description: The kind, such as Rollout.
#               type: string
#               minLength: 1
#               refuses:
#                 - {pattern: "[^A-Za-z0-9]", because: "a kind has letters and digits only; each has its own entry"}
#                 - {pattern: "^[a-z]", because: "a kind is no resource, and begins with a capital letter: Rollout"}
#                 - pattern: (Cluster|Config|Deployment|Job|Pod|Rollout|Runtime|Service|Set|Task|Template|Workflow)s$
#                   because: "a kind is singular: Rollout"
#             paths:
#               description: |
#                 Paths of pod specs, such as spec.replicatedJobs[].template.spec.template.spec.
#               type: array
#               items:
#                 type: string
#                 pattern: ^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$
#                 refuses:
#                   - pattern: '[/\s]|[^.]\*|\*[^.\[]'
#                     because: "keys are joined by dots, and an asterisk stands for a whole key"
#                   - pattern: (^|\.)(containers|initContainers|ephemeralContainers|volumes)(\[\])?$
#                     because: "the path must end at a pod spec, not at its containers: spec.template.spec"
#             containers:
#               description: |
#                 Paths of containers outside of pod specs, each a single one or every entry of a list, such as
#                 spec.templates[].container and spec.steps[].
#               type: array
#               items:
#                 type: string
#                 pattern: ^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$
#                 refuses:
#                   - pattern: '[/\s]|[^.]\*|\*[^.\[]'
#                     because: "keys are joined by dots, and an asterisk stands for a whole key"
#                   - pattern: (^|\.)(containers|initContainers|ephemeralContainers|sidecars|steps)$
#                     because: "a list of containers has [] behind it: spec.steps[]"
#             images:
#               description: Images in fields outside of containers.
#               type: array
#               items:
#                 type: object
#                 required: [image, policy]
#                 properties:
#                   image:
#                     description: The field of the image, such as spec.image.
#                     type: string
#                     pattern: ^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$
#                     refuses:
#                       - pattern: '[/\s]|[^.]\*|\*[^.\[]'
#                         because: "keys are joined by dots, and an asterisk stands for a whole key"
#                       - {pattern: '[\]*]$', because: "an image is a field that has a name: spec.image"}
#                   policy:
#                     description: |
#                       The field of its pull policy, such as spec.imagePullPolicy. Each list or asterisk in it must
#                       also be in the path of the image.
#                     type: string
#                     pattern: ^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$
#                     refuses:
#                       - pattern: '[/\s]|[^.]\*|\*[^.\[]'
#                         because: "keys are joined by dots, and an asterisk stands for a whole key"
#                       - {pattern: '[\]*]$', because: "a pull policy is a field that has a name: spec.imagePullPolicy"}
#       controlledPods:
#         description: |
#           Whether admission judges objects that have a controller, of Kubernetes or any other. `audit` leaves them to
#           audit, so that a deny never keeps an existing workload from replacing its pods. `trusted` leaves them to
#           audit only if a controller makes the request: kube-controller-manager, a node, or one of trustedUsers.
#           `deny` judges them.
#         type: string
#         enum: [audit, trusted, deny]
#         default: audit
#       trustedUsers:
#         description: |
#           With `controlledPods: trusted`, the users of other controllers, such as
#           system:serviceaccount:argo-rollouts:argo-rollouts: each exactly, or a prefix that ends in `*`.
#         type: array
#         default: []
#         items:
#           type: string
#           minLength: 1
#           pattern: ^[^*]*\*?$
#           doubts:
#             - pattern: "[^*:]\\*$"
#               because: "it also trusts users whose names only begin like it: let the prefix end in :"
package lib.uses

import data.lib.globs
import data.lib.messages
import data.lib.pods

# METADATA
# title: The uses of images in the object under review
# description: |
#   Undefined for operations that are not judged, such as a deletion; audit has no operation. Also undefined if there
#   are more uses than can be judged in time, which `unjudged` reports.
current(request) := pods.uses(request.review.object, request.review.kind, _custom_kinds(request)) if {
	not object.get(request.review, "operation", "") in {"DELETE", "CONNECT"}
	not _is_too_large(request)
}

# METADATA
# title: Why the uses of images are not judged
# description: |
#   A message. If a webhook with failurePolicy Ignore does not answer in time, the object is let in, so an object may be
#   this large on purpose, and is refused. Undefined if the uses are judged, if none of them was edited, and if the
#   object has a controller and is left to audit.
unjudged(request) := sprintf("%d containers and volumes are too many to judge in time; use at most %d", [
	_size(request),
	_most_judged,
]) if {
	_is_too_large(request)
	not is_excused({"list": "containers", "image": null}, request)
	not _is_unchanged(request)
}

_most_judged := 1000

_is_too_large(request) if {
	is_admission(request)
	_size(request) > _most_judged
}

_size(request) := pods.size(request.review.object, request.review.kind, _custom_kinds(request))

_is_unchanged(request) if _content(request.review.object) == _content(request.review.oldObject)

_content(resource) := object.remove(resource, ["metadata", "status"])

# METADATA
# title: The uses of images that an UPDATE does not change
# description: Undefined for other operations. They must not block an unrelated edit.
earlier(request) := pods.uses(request.review.oldObject, request.review.kind, _custom_kinds(request)) if {
	request.review.operation == "UPDATE"
}

# METADATA
# title: Whether a use of an image is not to be judged
# description: It is exempt, or left to audit. Undefined if it is judged.
# scope: document
is_excused(use, request) if globs.match_any(request.parameters.exemptImages, use.image)

# A deny must not keep a workload from replacing its pods. Ephemeral containers come from people, never from a
# controller.
is_excused(use, request) if {
	use.list != "ephemeralContainers"
	request.review.operation in {"CREATE", "UPDATE"}
	pods.is_controlled(request.review.object)
	_is_left_to_audit(object.get(request, ["parameters", "controlledPods"], "audit"), request)
}

_is_left_to_audit(stated, _) if not stated in {"deny", "trusted"}

# Who writes an object can name a controller that has nothing to do with it; who asks cannot pretend to be one.
_is_left_to_audit("trusted", request) if _is_controller(request.review.userInfo)

_is_left_to_audit("trusted", request) if {
	globs.match_any(request.parameters.trustedUsers, request.review.userInfo.username)
}

_is_controller(user) if user.username in _controllers

_is_controller(user) if {
	startswith(user.username, "system:node:")
	"system:nodes" in user.groups
}

# kube-controller-manager, as one user, or as one for each of its controllers that make pods or what makes them.
_controllers := {
	"system:kube-controller-manager",
	"system:serviceaccount:kube-system:cronjob-controller",
	"system:serviceaccount:kube-system:daemon-set-controller",
	"system:serviceaccount:kube-system:deployment-controller",
	"system:serviceaccount:kube-system:job-controller",
	"system:serviceaccount:kube-system:replicaset-controller",
	"system:serviceaccount:kube-system:replication-controller",
	"system:serviceaccount:kube-system:statefulset-controller",
}

# METADATA
# title: Whether an image is filled in later
# description: |
#   In custom resources, as {{inputs.parameters.image}}, $(params.image), ${IMAGE} or a blank say it. Undefined if not.
is_open(use, kind) if {
	regex.match(`\$[({]|\{\{|^\s+$`, use.image)
	not pods.spec_paths[kind.group][kind.kind]
}

# METADATA
# title: Whether admission asks, rather than audit, CI or a person
is_admission(request) if request.review.operation in {"CREATE", "UPDATE"}

# METADATA
# title: What makes a use of an image the same one before and after an edit
# description: |
#   Neither its index in a list nor its pull policy matters; the names of entries on its way do.
identity(use) := {
	"place": use.place,
	"list": use.list,
	"name": use.name,
	"image": use.image,
}

# METADATA
# title: What an UPDATE brings that was there already
# description: |
#   The keys of `now` that `before` has as well, a set. Both are arrays of keys, which are arrays and begin with an
#   identity. Where entries of a list have no names, nothing tells one from another: there must not be more of the same
#   than before.
kept(now, before) := {key |
	known := {key | some key in before}
	some key in now
	key in known
	not [] in key[0].place
} | {key |
	some key in {key | some key in now; [] in key[0].place}
	count([1 | some other in now; other == key]) <= count([1 | some other in before; other == key])
}

# METADATA
# title: Where a use of an image stands in its object
path(use) := pods.formatted(use.path)

# METADATA
# title: Where the pull policy of a use of an image stands, or would stand, in its object
policy_path(use) := pods.formatted(use.policy_path)

# METADATA
# title: What of an object the pull policy of a use of an image is about
# description: As path; the stated pull policy itself where it stands beside the field of an image, no container's.
pulled_path(use) := policy_path(use) if {
	use.list == "images"
	not use.stated in {null, ""}
	array.concat(use.spec, [use.field]) == use.policy_path
} else := path(use)

# METADATA
# title: A message about a use of an image
# description: The container (or image volume) and the image come first; the image gives way to the rest.
message(use, rest) := messages.fitted(head, use.image, sprintf("\": %s", [rest])) if {
	name := messages.shortened(messages.printable(use.name), 40)
	head := sprintf("%s \"%s\" image \"", [nouns[use.list], name])
}

# METADATA
# title: The noun for the uses of each list
nouns := {
	"containers": "container",
	"initContainers": "init container",
	"ephemeralContainers": "ephemeral container",
	"volumes": "image volume",
	"images": "field",
}

_custom_kinds(request) := object.get(request, ["parameters", "customKinds"], [])
