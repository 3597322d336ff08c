# METADATA
# title: Protected image cache
# description: |
#   In protected namespaces every image is already on nodes that its pod can run on, so that the pod can start without a
#   registry. A node counts if nodeSelector, required node affinity, taints and tolerations let the pod run on it, or if
#   the pod names it. Its images are those in its status, which does not always list all of them.
# scope: package
# custom:
#   kind: K8sProtectedImageCache
#   version: 1.1.0
#   rules:
#     missing:
#       id: image-cache-missing
#       severity: high
#       title: The image is on no node that the pod can run on, so the pod cannot start without its registry
#     scarce:
#       id: image-cache-scarce
#       severity: medium
#       title: The image is on fewer of the nodes that the pod can run on than minNodes asks for
#     partial:
#       id: image-cache-partial
#       severity: medium
#       title: The image of a DaemonSet is missing on some of the nodes that its pods run on
#     unknown:
#       id: image-cache-unknown
#       severity: low
#       title: Whether the image is on enough nodes cannot be told, as nodes do not list all their images
#     nowhere:
#       id: image-cache-no-node
#       severity: low
#       title: There is no node that the pod can run on
#     unsynced:
#       id: image-cache-no-inventory
#       severity: low
#       title: Which nodes have the image cannot be told, as the inventory holds no Node
#     invalid:
#       id: image-cache-invalid
#       severity: medium
#       title: The image is not a reference that Kubernetes can parse, so no node can have it
#   include: lib.uses
#   requiresSyncData:
#     - - groups: [""]
#         versions: [v1]
#         kinds: [Node]
#   parameters:
#     type: object
#     properties:
#       minNodes:
#         description: |
#           The number of nodes, of those that the pod can run on, that must have every image; or a percentage of them
#           such as "50%", rounded up. If there are fewer nodes, all of them must have it. With 1, a finding means that
#           the pod can start on no node without its registry. A higher number allows for nodes that are lost.
#         x-kubernetes-int-or-string: true
#         minimum: 1
#         pattern: ^([1-9][0-9]?|100)%$
#         default: 1
#       maxImages:
#         description: |
#           The highest number of images that a node lists: nodeStatusMaxImages of the kubelets; -1 stands for no limit.
#           A node with a full list may have other images too, because it lists the largest ones only.
#         type: integer
#         minimum: -1
#         default: 50
#       unknown:
#         description: |
#           What to do if it depends on nodes that do not list all their images whether enough nodes have an image:
#           `violation` reports it with a severity of its own, `allow` lets it pass.
#         type: string
#         enum: [allow, violation]
#         default: violation
package policies.protected_image_cache

import data.lib.images
import data.lib.nodes
import data.lib.pods
import data.lib.uses

# METADATA
# title: A container or an image volume whose image is not on enough nodes
violation contains {"msg": _message(use, reason, tally), "details": details} if {
	not _is_past
	some use in uses.current(input)
	not use.image in {null, ""} # nothing to look for: the API server refuses it, unless something else fills it in before
	not uses.is_open(use, input.review.kind)
	not uses.is_excused(use, input)
	not _is_kept(use)
	states := _states(use)
	tally := _tally(states)
	reason := _reason(use, tally)
	not _is_left_to_audit(reason)
	details := {
		"path": uses.path(use),
		"image": use.image,
		"reason": reason,
		"nodes": tally,
		"missingNodes": _some_nodes(states, "missing"),
		"unknownNodes": _some_nodes(states, "unknown"),
	}
}

# Objects that no longer start pods, so that their images may be gone from the nodes: finished pods and Jobs, and what a
# controller has scaled to zero, such as the earlier revisions of Deployments and Rollouts.
_is_past if pods.is_finished(input.review.object, input.review.kind)

_is_past if {
	input.review.object.spec.replicas == 0
	pods.is_controlled(input.review.object)
}

_is_kept(use) if [uses.identity(use), _placements[use.spec]] in _kept

_kept := uses.kept(
	[[uses.identity(use), _placements[use.spec]] | some use in uses.current(input)],
	[[uses.identity(use), _earlier_placements[use.spec]] | some use in uses.earlier(input)],
)

# A change of the nodes that the pod can run on makes an unchanged image a new case.
_placements[path] := nodes.placement(object.get(input.review.object, path, null)) if {
	some path in {use.spec | some use in uses.current(input)}
}

_earlier_placements[path] := nodes.placement(object.get(input.review.oldObject, path, null)) if {
	some path in {use.spec | some use in uses.earlier(input)}
}

# Only the fields that are needed, because the rest of a Node costs time. Empty without the inventory.
_nodes[name] := {
	"metadata": {"labels": labels},
	"spec": spec,
	"status": {"images": listed, "nodeInfo": info},
} if {
	some name, node in data.inventory.cluster.v1.Node
	is_object(node)
	labels := object.get(node, ["metadata", "labels"], null)
	spec := object.get(node, "spec", null)
	listed := object.get(node, ["status", "images"], null)
	info := object.get(node, ["status", "nodeInfo"], null)
}

_listings[name] := nodes.listing(node) if some name, node in _nodes

_fitting[path] := nodes.fitting(_nodes, pod_spec, input.review.kind) if {
	some path in {use.spec | some use in uses.current(input)}
	pod_spec := object.get(input.review.object, path, null)
}

# Whether each node that the pod can run on has the image.
_states(use) := {name: nodes.state(_listings[name], names, _max_images) | some name in _fitting[use.spec]} if {
	names := images.names(use.image) | images.names_anywhere(use.image)
} else := {name: "missing" | some name in _fitting[use.spec]}

_tally(states) := {
	"total": count(_nodes),
	"fitting": count(states),
	"required": _required(count(states)),
	"present": count([state | some state in states; state == "present"]),
	"missing": count([state | some state in states; state == "missing"]),
	"unknown": count([state | some state in states; state == "unknown"]),
}

# Ten names are enough to recognize the nodes.
_some_nodes(states, wanted) := array.slice([name | some name, state in states; state == wanted], 0, 10)

_required(fitting) := ceil((fitting * to_number(trim_suffix(minimum, "%"))) / 100) if {
	minimum := input.parameters.minNodes
	regex.match(`^([1-9][0-9]?|100)%$`, minimum)
} else := min([minimum, fitting]) if {
	minimum := input.parameters.minNodes
	is_number(minimum)
	minimum >= 1
	minimum == floor(minimum)
} else := min([1, fitting])

default _max_images := 50

_max_images := limit if {
	limit := input.parameters.maxImages
	is_number(limit)
	limit >= -1
}

# Findings that depend on the state of the cluster are left to audit, so that a deny never blocks a workload only
# because no node is ready, or no node lists the image.
_is_left_to_audit(reason) if {
	reason in {"nowhere", "unknown", "unsynced"}
	uses.is_admission(input)
}

# Undefined if the image is on enough nodes.
_reason(use, tally) := "invalid" if {
	not images.is_reference(use.image)
} else := "unsynced" if {
	tally.total == 0
} else := "nowhere" if {
	tally.fitting == 0
	input.review.kind.kind != "DaemonSet" # a DaemonSet has no pods then
} else := "missing" if {
	tally.required > 0
	tally.present + tally.unknown == 0
} else := "scarce" if {
	tally.present + tally.unknown < tally.required
} else := "partial" if {
	tally.present >= tally.required
	tally.missing > 0
	input.review.kind.kind == "DaemonSet" # it has a pod on each of these nodes
} else := "unknown" if {
	tally.present < tally.required
	object.get(input, ["parameters", "unknown"], "violation") != "allow"
}

_message(use, reason, tally) := uses.message(use, sprintf("%s; %s", [_problem(reason, tally), _remedies[reason]]))

_problem("missing", tally) := sprintf("on 0 of %s", [_nodes_shown(tally)])

_problem("partial", tally) := sprintf("on %s of %s, and a DaemonSet has a pod on each", [
	_range(tally),
	_nodes_shown(tally),
])

_problem("scarce", tally) := sprintf("on %s of %s, not %d", [_range(tally), _nodes_shown(tally), tally.required])

_problem("unknown", tally) := sprintf("seen on %d of %s, not %d, but %d list only a part", [
	tally.present,
	_nodes_shown(tally),
	tally.required,
	tally.unknown,
])

_problem("nowhere", tally) := sprintf(
	"its pod can run on 0 of %d nodes (nodeSelector, affinity, taints)",
	[tally.total],
)

_problem("unsynced", _) := "cannot tell which nodes have it, as no Node is in the inventory"

_problem("invalid", _) := "is not a reference that Kubernetes can parse, so no node has it"

_remedies := {
	"missing": _pull,
	"partial": _pull,
	"scarce": _pull,
	"unknown": "look there (crictl images) or raise nodeStatusMaxImages",
	"nowhere": "add a node for it, pre-pull it there and pin it",
	"unsynced": "sync v1 Nodes (SyncSet)",
	"invalid": "correct it, then pre-pull it and pin it",
}

# The kubelet removes images that no container uses, unless the runtime has pinned them.
_pull := "pre-pull it there and pin it (ctr -n k8s.io images pull, label io.cri-containerd.pinned=pinned)"

_nodes_shown(tally) := "1 node that can run it" if {
	tally.fitting == 1
} else := sprintf("%d nodes that can run it", [tally.fitting])

_range(tally) := sprintf("%d", [tally.present]) if {
	tally.unknown == 0
} else := sprintf("%d to %d", [tally.present, tally.present + tally.unknown])
