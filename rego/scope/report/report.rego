# METADATA
# title: What really happens in protected namespaces
# description: |
#   The outcomes for a pod and a Deployment with Always, and for the next pods of workloads. input is {plan and policies
#   (of data.scope.plan), answers, unknown, validatingWebhooks, mutatingWebhooks, configs, validatingPolicies,
#   validatingBindings, mutatingPolicies, mutatingBindings, assigns, deployments, pods}. An answer is a case with the
#   messages of its policy in place of its review; unknown lists the kinds that could not be read.
# scope: package
package scope.report

import data.scope.audit
import data.scope.gatekeeper
import data.scope.mutation
import data.scope.safety
import data.scope.tools
import data.scope.validation
import data.scope.webhook

# METADATA
# title: One answer for each protected namespace
# description: |
#   {name, exists, constraints, notes, pod, deployment, deny, tools}. pod and deployment are {outcome, certain,
#   otherwise, facts}: facts are the steps (data.scope.steps) in the order in which the API server takes them; otherwise
#   is the outcome if nothing is mutated. deny is that of data.scope.safety, and tools that of data.scope.tools.
# entrypoint: true
namespaces := [{
	"name": namespace.name,
	"exists": namespace.exists,
	"constraints": [input.plan.sources[entry.source].name | some entry in namespace.constraints],
	"notes": _notes(namespace),
	"pod": _way(namespace, "pod"),
	"deployment": _way(namespace, "deployment"),
	"deny": safety.of_deny(namespace),
	"tools": tools.at_work(namespace),
} |
	some namespace in input.plan.namespaces
]

# -- what is known of the namespace itself

_notes(namespace) := [note |
	some note in [_missing_note(namespace), _label_note(namespace), _plugin_note(namespace)]
	note != ""
]

_missing_note(namespace) := "" if {
	namespace.exists
} else := "its Namespace could not be read, so its labels are not known" if {
	"Namespace" in input.unknown
} else := "there is no such Namespace in the snapshot, so its labels are not known"

_label_note(namespace) := sprintf("it has the label %s%s", [gatekeeper.ignore_label, allowance]) if {
	gatekeeper.ignore_label in object.keys(namespace.labels)
	allowance := _allowance(namespace.name)
} else := sprintf("Gatekeeper's %s only allows the label %s: it excludes nothing by itself", [argument, label]) if {
	label := gatekeeper.ignore_label
	argument := gatekeeper.exemption(input.deployments, namespace.name)
} else := ""

# It sets Always first, and looks again once all others have changed the pod.
_plugin_note(namespace) := sprintf("%s, refuses pods that a mutation has changed: turn it off", [tools.plugins[0]]) if {
	tools.plugins != []
	"mutate" in {fact.effect | some fact in mutation.found(namespace, "pod")}
} else := ""

_allowance(name) := sprintf(", which Gatekeeper's %s allows", [argument]) if {
	argument := gatekeeper.exemption(input.deployments, name)
} else := ", which Gatekeeper's --exempt-namespace does not allow" if {
	gatekeeper.is_present(input.deployments)
} else := ""

# -- what happens to a probe

_way(namespace, probe) := {
	"outcome": outcome,
	"certain": _is_certain(facts, outcome),
	"otherwise": otherwise,
	"facts": facts,
} if {
	facts := array.flatten([
		mutation.found(namespace, probe),
		validation.found(namespace, probe),
		webhook.found(namespace, probe),
		audit.found(namespace, probe),
	])
	otherwise := _validated(facts)
	outcome := _outcome(facts, otherwise)
}

_outcome(facts, otherwise) := "mutated" if {
	"mutate" in {fact.effect | some fact in facts}
} else := otherwise

_validated(facts) := outcomes[0] if {
	outcomes := [outcome |
		some [effect, stage, outcome] in _outcomes
		some fact in facts
		[fact.effect, fact.stage] == [effect, stage]
	]
	count(outcomes) > 0
} else := "nothing"

# The outcome of each effect at each stage, the strongest first.
_outcomes := [
	["deny", "ValidatingAdmissionPolicy", "denied-by-policy"],
	["deny", "ValidatingWebhookConfiguration", "denied-by-webhook"],
	["warn", "ValidatingAdmissionPolicy", "warned"],
	["warn", "ValidatingWebhookConfiguration", "warned"],
	["audit", "Audit", "audited"],
	["audit", "ValidatingAdmissionPolicy", "audited"],
]

_ranks := {
	"nothing": 0,
	"audited": 1,
	"warned": 2,
	"denied-by-policy": 3,
	"denied-by-webhook": 3,
	"mutated": 4,
	"audit": 1,
	"dryrun": 0,
	"warn": 2,
	"deny": 3,
	"mutate": 4,
}

# Unknown effects matter if they could be stronger than the known ones. The effects of other tools' CEL are never known,
# and do not count.
_is_certain(facts, outcome) if {
	every fact in facts {
		not _matters(fact.could, outcome)
	}
} else := false

_matters(could, outcome) if _ranks[could] > _ranks[outcome]

# A Config that excludes the namespace removes all effects of Gatekeeper.
_matters("any", outcome) if outcome in {"denied-by-webhook", "warned", "audited"}
