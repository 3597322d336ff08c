# METADATA
# title: Pods that were changed on their way in
# description: |
#   A pod says Always where the template that it was made from does not: an admission plugin, a webhook or a policy of another tool
#   is at work, or somebody has edited the template since.
# scope: package
package scope.changes

import data.gatekeeper.review
import data.lib.images
import data.lib.pods

# METADATA
# title: The changes in what input lists
# description: input is {pods, workloads}, lists of objects.
# entrypoint: true
found := between(input.pods, input.workloads)

# METADATA
# title: The changes between workloads and their pods
# description: |
#   {namespace, kind and name of the workload, container, policy (the effective one of its template)}, each once. Files can hold a
#   workload several times: none of them says Always then.
between(made, workloads) := [change |
	owners := {controller(pod) | some pod in made}
	candidates := [[key, workload] |
		some workload in workloads
		key := [workload.metadata.namespace, workload.kind, workload.metadata.name]
		key in owners
	]
	changes := {found |
		some pod in made
		owner := controller(pod)
		some use in pods.uses(pod, {"group": "", "version": "v1", "kind": "Pod"}, [])
		use.stated == "Always"
		originals := {images.effective_policy(original.stated, original.image) |
			some [key, workload] in candidates
			key == owner
			some original in pods.uses(workload, review.kind_of(workload), [])
			[original.list, original.name] == [use.list, use.name]
		}
		count(originals) > 0
		not "Always" in originals
		found := {
			"namespace": owner[0],
			"kind": owner[1],
			"name": owner[2],
			"container": use.name,
			"policy": concat(" or ", originals),
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
