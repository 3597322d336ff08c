# METADATA
# title: Pods that were changed at admission
# description: |
#   A pod has a container that the template it was made from lacks, or says Always although the template does not. The
#   cause is an admission plugin, a webhook or a policy of another tool, or a later edit of the template.
# scope: package
package scope.changes

import data.gatekeeper.review
import data.lib.images
import data.lib.pods

# METADATA
# title: The changes in the objects of input
# description: input is {pods, workloads}, lists of objects.
# entrypoint: true
found := between(input.pods, input.workloads)

# METADATA
# title: The changes between workloads and their pods
# description: |
#   A set of {namespace, kind and name of the workload, container, stated (the policy that the pod states for it),
#   policy (the effective one of the template; null if the template lacks the container)}. Files can hold a workload
#   several times; a pod is not changed if it agrees with any of them. Ephemeral containers are left out, because people
#   add them, not tools.
between(made, workloads) := [change |
	owners := {controller(pod) | some pod in made}
	originals := object.union_n([{owner: {index: uses}} |
		some index, workload in workloads
		owner := [workload.metadata.namespace, workload.kind, workload.metadata.name]
		owner in owners
		uses := pods.uses(workload, review.kind_of(workload), [])
		uses != []
	])
	changes := {found |
		some pod in made
		owner := controller(pod)
		some use in pods.uses(pod, {"group": "", "version": "v1", "kind": "Pod"}, [])
		use.list != "ephemeralContainers"
		policy := _changed(use, originals[owner])
		found := {
			"namespace": owner[0],
			"kind": owner[1],
			"name": owner[2],
			"container": use.name,
			"stated": use.stated,
			"policy": policy,
		}
	}
	some change in changes
]

# METADATA
# title: The controller of an object
# description: "[namespace, kind, name]. Undefined if it has none."
controller(obj) := [obj.metadata.namespace, owners[0].kind, owners[0].name] if {
	owners := [owner | some owner in obj.metadata.ownerReferences; owner.controller == true]
	count(owners) > 0
}

# Undefined if one of the originals has the same use.
_changed(use, originals) := null if {
	_policies(use, originals) == set()
} else := concat(" or ", policies) if {
	use.stated == "Always"
	policies := _policies(use, originals)
	not "Always" in policies
}

_policies(use, originals) := {images.effective_policy(original.stated, original.image) |
	some uses in originals
	some original in uses
	_slot(original) == _slot(use)
}

# A container that becomes a native sidecar moves to the init containers. Names are unique among both lists of a pod.
_slot(use) := {"volume": use.name} if use.list == "volumes"

_slot(use) := {"container": use.name} if use.list != "volumes"
