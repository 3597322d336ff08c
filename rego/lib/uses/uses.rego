# METADATA
# title: Uses of images under review
# description: |
#   What the policies about containers and image volumes have in common: which uses of images (see lib.pods) they judge,
#   and how they speak of them. A policy with `include: lib.uses` has the match, operations and parameters below. A
#   request is all that Gatekeeper hands to a policy: {review, parameters}.
# scope: package
# custom:
#   match:
#     kindsFrom: lib.pods.spec_paths
#     kindsFromParameter: customKinds
#   operations: [CREATE, UPDATE]
#   parameters:
#     type: object
#     properties:
#       exemptImages:
#         description: |
#           Images that are not judged: exactly as the manifest writes them, or a prefix that ends in `*`.
#         type: array
#         default: []
#         items:
#           type: string
#           minLength: 1
#           pattern: ^[^*]*\*?$
#       customKinds:
#         description: Custom resources that hold pod specs.
#         type: array
#         default: []
#         example:
#           - {group: argoproj.io, kind: Rollout, paths: [spec.template.spec]}
#           - {group: serving.knative.dev, kind: Service, paths: [spec.template.spec]}
#           - {group: apps.kruise.io, kind: CloneSet, paths: [spec.template.spec]}
#           - {group: apps.openshift.io, kind: DeploymentConfig, paths: [spec.template.spec]}
#           - {group: jobset.x-k8s.io, kind: JobSet, paths: ["spec.replicatedJobs[].template.spec.template.spec"]}
#           - group: leaderworkerset.x-k8s.io
#             kind: LeaderWorkerSet
#             paths:
#               - spec.leaderWorkerTemplate.leaderTemplate.spec
#               - spec.leaderWorkerTemplate.workerTemplate.spec
#         items:
#           type: object
#           required: [group, kind, paths]
#           properties:
#             group:
#               description: The API group, such as argoproj.io.
#               type: string
#             kind:
#               description: The kind, such as Rollout.
#               type: string
#               minLength: 1
#             paths:
#               description: |
#                 Where the pod specs are: keys joined by dots, `[]` behind a key that holds a list, such as
#                 spec.replicatedJobs[].template.spec.template.spec.
#               type: array
#               minItems: 1
#               items:
#                 type: string
#                 pattern: ^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$
#       controlledPods:
#         description: |
#           Whether admission judges what a controller of Kubernetes makes (pods, ReplicaSets of Deployments, Jobs of
#           CronJobs). `audit` leaves them to audit, so that a deny never keeps an existing workload from replacing its
#           pods.
#         type: string
#         enum: [audit, deny]
#         default: audit
package lib.uses

import data.lib.globs
import data.lib.messages
import data.lib.pods

# METADATA
# title: The uses of images in the object under review
# description: Undefined for operations that nobody judges; audit has none. A deletion is never blocked.
current(request) := pods.uses(request.review.object, request.review.kind, _custom_kinds(request)) if {
	not object.get(request.review, "operation", "") in {"DELETE", "CONNECT"}
}

# METADATA
# title: The uses of images that an UPDATE finds there already
# description: Undefined for other operations. What stays as it was must not block an unrelated edit.
earlier(request) := pods.uses(request.review.oldObject, request.review.kind, _custom_kinds(request)) if {
	request.review.operation == "UPDATE"
}

# METADATA
# title: Whether a use of an image is not to be judged
# description: It is exempt, or left to audit. Undefined if it is to be judged.
# scope: document
is_excused(use, request) if globs.match_any(request.parameters.exemptImages, use.image)

# A deny must not keep a workload from replacing its pods. Ephemeral containers come from people, never from a
# controller.
is_excused(use, request) if {
	use.list != "ephemeralContainers"
	request.review.operation in {"CREATE", "UPDATE"}
	not request.parameters.controlledPods == "deny"
	pods.is_controlled(request.review.object, request.review.kind)
}

# METADATA
# title: The identity of a use of an image, before and after an edit
# description: Its index in a list and its pull policy do not matter.
identity(use) := {
	"spec": [step | some step in use.spec; is_string(step)],
	"list": use.list,
	"name": use.name,
	"image": use.image,
}

# METADATA
# title: Where a use of an image stands in its object
path(use) := pods.formatted(array.concat(use.spec, [use.list, use.index]))

# METADATA
# title: Where the pull policy of a use of an image stands, or would stand, in its object
policy_path(use) := sprintf("%s.image.%s", [path(use), use.field]) if {
	use.list == "volumes"
} else := sprintf("%s.%s", [path(use), use.field])

# METADATA
# title: A message about a use of an image
# description: The container (or image volume) and the image come first; the image gives way to the rest.
message(use, rest) := messages.fitted(head, use.image, sprintf("\": %s", [rest])) if {
	name := messages.shortened(messages.printable(use.name), 40)
	head := sprintf("%s \"%s\" image \"", [nouns[use.list], name])
}

# METADATA
# title: The noun for the items of each list
nouns := {
	"containers": "container",
	"initContainers": "init container",
	"ephemeralContainers": "ephemeral container",
	"volumes": "image volume",
}

_custom_kinds(request) := object.get(request, ["parameters", "customKinds"], [])
