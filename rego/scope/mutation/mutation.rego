# METADATA
# title: Mutation
# description: MutatingAdmissionPolicies and Gatekeeper's Assigns that change the pull policy of the probes.
# scope: package
package scope.mutation

import data.gatekeeper.match
import data.scope.policies
import data.scope.probes
import data.scope.reach
import data.scope.steps

# METADATA
# title: The steps of a probe in a namespace
found(namespace, probe) := array.flatten([
	steps.unread(_policy_stage, ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"], "mutate"),
	_by_policies(probes.request(namespace, probe)),
	steps.unread(_assign_stage, ["Assign"], "mutate"),
	_by_assigns(namespace, probe),
])

# METADATA
# title: What sets the pull policy of a probe, or may set it
# description: |
#   [{by, value, certain, onlyPinned}], Always included. `onlyPinned` is whether only Always is changed, and only where
#   the image is pinned. An Assign is not certain: nothing is mutated while Gatekeeper's webhook does not answer.
policies_set(namespace, probe) := array.flatten([
	[{"by": kind, "value": value, "certain": false, "onlyPinned": false} |
		some kind in ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "Assign"]
		kind in input.unknown
		some value in ["Always", "IfNotPresent"]
	],
	[object.union({"by": policy.metadata.name, "certain": verdict == "match"}, _sets(policy)) |
		some policy in input.mutatingPolicies
		probes.offend(policies.written_for(policy))
		verdict := policies.applied(policy, input.mutatingBindings, probes.request(namespace, probe)).verdict
		verdict != "mismatch"
	],
	[{"by": steps.named("Assign", mutator.metadata.name), "value": value, "certain": false, "onlyPinned": false} |
		some mutator in input.assigns
		_sets_pull_policy(mutator, probe)
		not reach.barrier("mutation", probes.request(namespace, probe))
		_matched(mutator, namespace, probe) != {"matches": false}
		some value in _values(mutator)
	],
])

_sets(policy) := {"value": value, "onlyPinned": false} if {
	value := policies.set_elsewhere(policy)
} else := {"value": "IfNotPresent", "onlyPinned": true}

_values(mutator) := [value] if {
	value := mutator.spec.parameters.assign.value
	is_string(value)
} else := ["Always", "IfNotPresent"]

_policy_stage := "MutatingAdmissionPolicy"

_assign_stage := "MutatingWebhookConfiguration"

_by_policies(request) := [steps.step(_policy_stage, policy.metadata.name, effect) |
	some policy in input.mutatingPolicies
	applied := policies.applied(policy, input.mutatingBindings, request)
	applied.verdict != "mismatch"
	effect := _policy_effect(policy, applied)
]

_policy_effect(policy, applied) := steps.passed(sprintf("sets %s itself", [value])) if {
	applied.verdict == "match"
	value := policies.set_elsewhere(policy)
} else := steps.known("mutate", text) if {
	probes.offend(policies.written_for(policy))
	applied.verdict == "match"
	text := "sets IfNotPresent for pinned images; other images keep their policy"
} else := steps.unknown("mutate", sprintf("it cannot be decided here whether it applies (%s)", [applied.by])) if {
	probes.offend(policies.written_for(policy))
} else := policies.foreign if {
	not policies.written_for(policy)
}

_by_assigns(namespace, probe) := [steps.step(_assign_stage, name, _assign_effect(mutator, namespace, probe)) |
	some mutator in input.assigns
	_sets_pull_policy(mutator, probe)
	name := steps.named("Assign", mutator.metadata.name)
]

_assign_effect(mutator, namespace, probe) := steps.passed(barrier) if {
	barrier := reach.barrier("mutation", probes.request(namespace, probe))
} else := steps.unknown("mutate", doubt) if {
	doubt := _assign_doubt(mutator, namespace, probe)
} else := steps.passed("its match does not select it") if {
	_matched(mutator, namespace, probe) == {"matches": false}
} else := steps.known("mutate", sprintf("sets %s, whatever the stated policy", [value])) if {
	value := mutator.spec.parameters.assign.value
	value != "Always"
} else := steps.passed("sets Always itself")

_assign_doubt(mutator, namespace, probe) := reasons[0] if {
	open := [doubt.text | some doubt in reach.doubts("mutation", probes.request(namespace, probe))]
	reasons := array.concat(open, [reason |
		_matched(mutator, namespace, probe) == {"matches": true}
		some reason in _unevaluated(mutator, namespace)
	])
	count(reasons) > 0
}

_unevaluated(mutator, namespace) := [text |
	some [is_decided, text] in [
		[_has_no_path_tests(mutator), "its pathTests are not evaluated here"],
		[_states_value(mutator), "it does not state a value"],
		[_is_for_every_container(mutator), "it only applies to containers with certain names"],
		[namespace.labelsComplete, "the labels of the namespace are not known"],
	]
	not is_decided
]

default _has_no_path_tests(_) := false

_has_no_path_tests(mutator) if object.get(mutator, ["spec", "parameters", "pathTests"], null) in {null, []}

default _states_value(_) := false

_states_value(mutator) if is_string(mutator.spec.parameters.assign.value)

default _is_for_every_container(_) := false

_is_for_every_container(mutator) if regex.match(`\[name: *"?\*"?\]\.imagePullPolicy$`, mutator.spec.location)

_matched(mutator, namespace, probe) := match.outcome(object.get(mutator, ["spec", "match"], {}), {
	"object": probes.objects(namespace.name)[probe],
	"oldObject": null,
	"namespaceObject": {"apiVersion": "v1", "kind": "Namespace", "metadata": {
		"name": namespace.name,
		"labels": namespace.labels,
	}},
	"source": "Original",
})

_sets_pull_policy(mutator, probe) if {
	regex.match(_locations[probe], mutator.spec.location)
	some applied in mutator.spec.applyTo
	_applies_to(applied, probes.resources[probe])
	_is_for_creation(object.get(applied, "operations", []))
}

_applies_to(applied, resource) if {
	resource.group in applied.groups
	resource.version in applied.versions
	resource.kind in applied.kinds
}

# Only those of containers, because the probe has nothing else.
_locations := {
	"pod": `^spec\.containers\[name: *[^\]]*\]\.imagePullPolicy$`,
	"deployment": `^spec\.template\.spec\.containers\[name: *[^\]]*\]\.imagePullPolicy$`,
}

_is_for_creation([])

_is_for_creation(operations) if {
	some operation in operations
	operation in {"CREATE", "*"}
}
