# METADATA
# title: ExpansionTemplates
# description: |
#   Gatekeeper judges the pods that they make of workloads, in audit and whenever the workloads are created, edited or
#   scaled. These pods have no controller and no earlier state, so rules that spare controllers and edits do not apply.
# scope: package
package scope.expansions

import data.gatekeeper.review

# METADATA
# title: Notes about ExpansionTemplates
# description: |
#   A sentence for each ExpansionTemplate that makes pods which constraints judge. input is {expansions, constraints};
#   the constraints are those of policies about pods.
# entrypoint: true
notes := [note |
	some expansion in input.expansions
	_makes_pods(expansion)
	kinds := sort({kind | some applied in expansion.spec.applyTo; some kind in applied.kinds})
	count(kinds) > 0
	names := sort({constraint.metadata.name |
		some constraint in input.constraints
		_judges_expansions(constraint)
	})
	count(names) > 0
	note := sprintf("%s makes Gatekeeper judge the pods of %s as if they had no controller, by %s: %s", [
		sprintf("the ExpansionTemplate %s", [expansion.metadata.name]),
		concat(", ", kinds),
		concat(", ", names),
		_consequence(expansion),
	])
]

_consequence(expansion) := sprintf("its enforcementAction %s replaces that of the constraints; %s", [own, _remedy]) if {
	own := action(expansion)
	own != ""
} else := sprintf("deny refuses edits and scaling of existing objects; %s", [_remedy])

_remedy := "set match.source: Original in the constraints"

_judges_expansions(constraint) if not constraint.spec.match.source == "Original"

# METADATA
# title: The action of an ExpansionTemplate
# description: It overrides the action of the constraints; "" if the ExpansionTemplate does not state any.
action(expansion) := stated if {
	stated := expansion.spec.enforcementAction
	is_string(stated)
} else := ""

# METADATA
# title: The pod that an ExpansionTemplate makes of an object
# description: Undefined if it makes no pod of the object.
pod(expansion, obj, namespace) := {
	"apiVersion": "v1",
	"kind": "Pod",
	"metadata": object.union(own_metadata(template), {
		"name": sprintf("%s-pod", [_name(obj)]),
		"namespace": namespace,
	}),
	"spec": template.spec,
} if {
	_makes_pods(expansion)
	_expands(expansion, review.kind_of(obj))
	template := object.get(obj, split(expansion.spec.templateSource, "."), null)
}

_name(obj) := trim_suffix(review.generate_name_of(obj), "-") if {
	review.name_of(obj) == ""
} else := review.name_of(obj)

# METADATA
# title: The metadata of a template of pods or Jobs
own_metadata(template) := metadata if {
	metadata := template.metadata
	is_object(metadata)
} else := {}

_makes_pods(expansion) if {
	object.get(expansion.spec.generatedGVK, "group", "") == ""
	expansion.spec.generatedGVK.kind == "Pod"
}

_expands(expansion, kind) if {
	some applied in expansion.spec.applyTo
	kind.group in applied.groups
	kind.version in applied.versions
	kind.kind in applied.kinds
}
