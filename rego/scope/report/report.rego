# METADATA
# title: What really happens in protected namespaces
# description: |
#   To a pod and to a Deployment with Always, and to the pods that workloads make next. input is {plan (of data.scope.plan),
#   answers, unknown, validatingWebhooks, mutatingWebhooks, configs, validatingPolicies, validatingBindings, mutatingPolicies,
#   mutatingBindings, assigns, deployments, pods}. An answer is a case with the policy's messages in the place of its review;
#   unknown lists the kinds that nobody could read.
# scope: package
package scope.report

import data.gatekeeper.match
import data.scope.gatekeeper
import data.scope.kubernetes

# METADATA
# title: One answer for each protected namespace
# description: |
#   {name, exists, constraints, notes, pod, deployment, deny, tools}. pod and deployment are {outcome, certain, otherwise, facts}:
#   facts in the order in which the API server gets to them; otherwise is the outcome where nothing is mutated. deny is {state,
#   reason, blocked, unjudged}; tools is {changed, suspects}.
# entrypoint: true
namespaces := [{
	"name": namespace.name,
	"exists": namespace.exists,
	"constraints": [input.plan.sources[entry.source].name | some entry in namespace.constraints],
	"notes": _notes(namespace),
	"pod": _subject(namespace, "pod"),
	"deployment": _subject(namespace, "deployment"),
	"deny": _deny(namespace),
	"tools": _tools(namespace),
} |
	some namespace in input.plan.namespaces
]

# -- what is known of the namespace itself

_notes(namespace) := [note |
	some note in [_missing_note(namespace), _label_note(namespace)]
	note != ""
]

_missing_note(namespace) := "" if {
	namespace.exists
} else := "its Namespace could not be read, so that its labels are not known" if {
	"Namespace" in input.unknown
} else := "there is no such Namespace in the snapshot, so that its labels are not known"

_label_note(namespace) := sprintf("it has the label %s, which Gatekeeper's %s allows", [label, argument]) if {
	label := gatekeeper.ignore_label
	_has_ignore_label(namespace)
	argument := gatekeeper.exemption(input.deployments, namespace.name)
} else := sprintf("it has the label %s, which no --exempt-namespace of Gatekeeper's allows", [label]) if {
	label := gatekeeper.ignore_label
	_has_ignore_label(namespace)
	gatekeeper.is_present(input.deployments)
} else := sprintf("it has the label %s", [label]) if {
	label := gatekeeper.ignore_label
	_has_ignore_label(namespace)
} else := sprintf("Gatekeeper's %s only allows it the label %s: it excludes nothing", [argument, label]) if {
	label := gatekeeper.ignore_label
	argument := gatekeeper.exemption(input.deployments, namespace.name)
} else := ""

_has_ignore_label(namespace) if gatekeeper.ignore_label in object.keys(namespace.labels)

# -- what happens to an object

_requests := {
	"pod": {"group": "", "version": "v1", "resource": "pods"},
	"deployment": {"group": "apps", "version": "v1", "resource": "deployments"},
}

_request(namespace, probe) := object.union(_requests[probe], {
	"operation": "CREATE",
	"labels": {},
	"labelsComplete": true,
	"namespace": namespace,
})

# For a pod of a workload, of which no more is known here than where it is.
_pod_request(namespace) := object.union(_request(namespace, "pod"), {"labelsComplete": false})

_subject(namespace, probe) := {
	"outcome": outcome,
	"certain": _is_certain(facts, outcome),
	"otherwise": validated,
	"facts": facts,
} if {
	mutation := _mutation(namespace, probe)
	validation := array.concat(_policy_facts(namespace, probe), _webhook_facts(namespace, probe))
	facts := array.concat(mutation, array.concat(validation, _audit_facts(namespace, probe)))
	validated := _validated(facts)
	outcome := _outcome(facts, validated)
}

_outcome(facts, validated) := "mutated" if {
	"mutate" in {fact.effect | some fact in facts}
} else := validated

_validated(facts) := outcomes[0] if {
	outcomes := [outcome |
		some [effect, kind, outcome] in [
			["deny", "ValidatingAdmissionPolicy", "denied-by-policy"],
			["deny", "ValidatingWebhookConfiguration", "denied-by-webhook"],
			["warn", "ValidatingAdmissionPolicy", "warned"],
			["warn", "ValidatingWebhookConfiguration", "warned"],
			["audit", "Audit", "audited"],
			["audit", "ValidatingAdmissionPolicy", "audited"],
		]
		some fact in facts
		[fact.effect, fact.stage] == [effect, kind]
	]
	count(outcomes) > 0
} else := "nothing"

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

# What is not known matters where it could be more than what is. What others' CEL says is never known, and does not count.
_is_certain(facts, outcome) if {
	every fact in facts {
		not _matters(fact.could, outcome)
	}
} else := false

_matters(could, outcome) if _ranks[could] > _ranks[outcome]

# A Config that leaves the namespace out takes away all that Gatekeeper does.
_matters("any", outcome) if outcome in {"denied-by-webhook", "warned", "audited"}

_fact(stage, by, effect, text) := {"stage": stage, "by": by, "effect": effect, "could": "", "text": text}

_doubt(stage, by, could, text) := {"stage": stage, "by": by, "effect": "unknown", "could": could, "text": text}

_titled(kind, name) := sprintf("%s %s", [kind, name])

# What nobody could read.
_unread(stage, kind, could) := [_doubt(stage, kind, could, sprintf("%s could not be read", [kind])) |
	kind in input.unknown
]

# -- mutation

_mutation(namespace, probe) := array.concat(_mutating_policy_facts(namespace, probe), _assign_facts(namespace, probe))

_mutating_policy_facts(namespace, probe) := array.concat(
	_unread("MutatingAdmissionPolicy", "MutatingAdmissionPolicy", "mutate"),
	array.concat(
		_unread("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "mutate"),
		[fact |
			some policy in input.mutatingPolicies
			applied := _applied(policy, input.mutatingBindings, namespace, _request(namespace, probe))
			applied.verdict != "mismatch"
			fact := _mutating_policy_fact(policy, applied)
		],
	),
)

_mutating_policy_fact(policy, applied) := _fact(stage, name, "mutate", _mutates) if {
	stage := "MutatingAdmissionPolicy"
	name := policy.metadata.name
	kubernetes.written_for(policy) == "protected_pull_policy"
	applied.verdict == "match"
} else := _doubt(stage, name, "mutate", sprintf("whether it applies cannot be decided here (%s)", [applied.by])) if {
	stage := "MutatingAdmissionPolicy"
	name := policy.metadata.name
	kubernetes.written_for(policy) == "protected_pull_policy"
} else := _doubt("MutatingAdmissionPolicy", policy.metadata.name, "", _foreign) if {
	not kubernetes.written_for(policy)
}

_mutates := "sets IfNotPresent where the image is pinned; what is not pinned stays as it is"

_foreign := "is not pullguard's: what its CEL does cannot be decided here"

_assign_facts(namespace, probe) := array.concat(
	_unread("MutatingWebhookConfiguration", "Assign", "mutate"),
	[fact |
		some assign in input.assigns
		_sets_pull_policy(assign, probe)
		fact := _assign_fact(assign, namespace, probe)
	],
)

_assign_fact(assign, namespace, probe) := _fact(stage, name, "pass", outside) if {
	stage := "MutatingWebhookConfiguration"
	name := _titled("Assign", assign.metadata.name)
	outside := _outside("mutation", "mutation-webhook", input.mutatingWebhooks, _request(namespace, probe))
} else := _doubt(stage, name, "mutate", doubt) if {
	stage := "MutatingWebhookConfiguration"
	name := _titled("Assign", assign.metadata.name)
	doubt := _assign_doubt(assign, namespace, probe)
} else := _fact(stage, name, "pass", "its match does not select it") if {
	stage := "MutatingWebhookConfiguration"
	name := _titled("Assign", assign.metadata.name)
	_assign_outcome(assign, namespace, probe) == {"matches": false}
} else := _fact(stage, name, "mutate", sprintf("sets %s, whatever stands there", [assign.spec.parameters.assign.value])) if {
	stage := "MutatingWebhookConfiguration"
	name := _titled("Assign", assign.metadata.name)
	assign.spec.parameters.assign.value != "Always"
} else := _fact(stage, name, "pass", "sets Always itself") if {
	stage := "MutatingWebhookConfiguration"
	name := _titled("Assign", assign.metadata.name)
}

_assign_doubt(assign, namespace, probe) := reasons[0] if {
	open := [doubt.text | some doubt in _doubts("mutation", input.mutatingWebhooks, _request(namespace, probe))]
	reasons := array.concat(open, [reason |
		_assign_outcome(assign, namespace, probe) == {"matches": true}
		some reason in [
			_unless(
				object.get(assign, ["spec", "parameters", "pathTests"], null) in {null, []},
				"its pathTests are not evaluated here",
			),
			_unless(is_string(object.get(assign, ["spec", "parameters", "assign", "value"], null)), "what it sets is not stated"),
			_unless(
				_is_for_every_container(assign),
				"it is for containers of certain names",
			),
			_unless(
				namespace.labelsComplete == true,
				"the labels of the namespace are not known",
			),
		]
		reason != ""
	])
	count(reasons) > 0
}

_unless(true, _) := ""

_unless(false, text) := text

_is_for_every_container(assign) if {
	regex.match(`\[name: *"?\*"?\]\.imagePullPolicy$`, assign.spec.location)
} else := false

_assign_outcome(assign, namespace, probe) := match.outcome(object.get(assign, ["spec", "match"], {}), {
	"object": _probe_object(namespace, probe),
	"oldObject": null,
	"namespaceObject": {"apiVersion": "v1", "kind": "Namespace", "metadata": {
		"name": namespace.name,
		"labels": namespace.labels,
	}},
	"source": "Original",
})

_probe_object(namespace, probe) := {
	"apiVersion": trim_prefix(sprintf("%s/%s", [_requests[probe].group, _requests[probe].version]), "/"),
	"kind": _kinds[probe],
	"metadata": {"name": "pullguard-probe", "namespace": namespace.name},
}

_kinds := {"pod": "Pod", "deployment": "Deployment"}

_sets_pull_policy(assign, probe) if {
	regex.match(_locations[probe], assign.spec.location)
	some applied in assign.spec.applyTo
	_requests[probe].group in applied.groups
	_requests[probe].version in applied.versions
	_kinds[probe] in applied.kinds
	_is_for_creation(object.get(applied, "operations", []))
}

# Containers only: the probe has no others.
_locations := {
	"pod": `^spec\.containers\[name: *[^\]]*\]\.imagePullPolicy$`,
	"deployment": `^spec\.template\.spec\.containers\[name: *[^\]]*\]\.imagePullPolicy$`,
}

_is_for_creation([])

_is_for_creation(operations) if {
	some operation in operations
	operation in {"CREATE", "*"}
}

# -- admission policies

_policy_facts(namespace, probe) := array.concat(
	_unread("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicy", "deny"),
	array.concat(
		_unread("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "deny"),
		[fact |
			some policy in input.validatingPolicies
			some fact in _validating_policy_facts(policy, namespace, probe)
		],
	),
)

_validating_policy_facts(policy, namespace, probe) := [_fact("ValidatingAdmissionPolicy", name, "pass", text)] if {
	name := policy.metadata.name
	kubernetes.written_for(policy) == "protected_pull_policy"
	applied := _applied(policy, input.validatingBindings, namespace, _request(namespace, probe))
	applied.verdict == "mismatch"
	text := sprintf("does not judge it (%s)", [applied.by])
} else := [_fact("ValidatingAdmissionPolicy", policy.metadata.name, "pass", "has nothing against it")] if {
	kubernetes.written_for(policy) == "protected_pull_policy"
	count(_policy_messages(policy, namespace, probe)) == 0
} else := [fact |
	some binding in input.validatingBindings
	binding.spec.policyName == policy.metadata.name
	applied := _applied(policy, [binding], namespace, _request(namespace, probe))
	applied.verdict != "mismatch"
	some action in binding.spec.validationActions
	fact := _validating_fact(policy, applied, lower(action), namespace, probe)
] if {
	kubernetes.written_for(policy) == "protected_pull_policy"
} else := [_doubt("ValidatingAdmissionPolicy", policy.metadata.name, "", _foreign)] if {
	not kubernetes.written_for(policy)
	applied := _applied(policy, input.validatingBindings, namespace, _request(namespace, probe))
	applied.verdict != "mismatch"
} else := []

_validating_fact(policy, applied, action, namespace, probe) := _fact(
	"ValidatingAdmissionPolicy",
	policy.metadata.name,
	action,
	_policy_messages(policy, namespace, probe)[0],
) if {
	applied.verdict == "match"
} else := _doubt(
	"ValidatingAdmissionPolicy",
	policy.metadata.name,
	action,
	sprintf("whether it judges it cannot be decided here (%s)", [applied.by]),
)

_policy_messages(policy, namespace, probe) := [message |
	some index, source in input.plan.sources
	[source.kind, source.name] == [policy.kind, policy.metadata.name]
	some message in _probe_answers[[namespace.name, probe, index, "admission"]]
]

_probe_answers := {key: answer.messages |
	some answer in input.answers
	answer.probe != null
	key := [answer.namespace, answer.probe, answer.source, answer.point]
}

# Whether a policy is asked by any of the bindings, and what says no or leaves it open.
_applied(policy, bindings, namespace, request) := answers[0] if {
	own := [binding | some binding in bindings; binding.spec.policyName == policy.metadata.name]
	by_binding := [answer |
		some binding in own
		answer := _by_binding(policy, binding, namespace, request)
	]
	answers := [answer |
		some wanted in ["match", "unknown", "mismatch"]
		some answer in array.concat(by_binding, [{"verdict": "mismatch", "by": "no binding"}])
		answer.verdict == wanted
	]
}

_by_binding(policy, binding, namespace, request) := answers[0] if {
	all := [
		kubernetes.resources(object.get(policy, ["spec", "matchConstraints"], null), request),
		kubernetes.resources(object.get(binding, ["spec", "matchResources"], null), request),
		_own_answer(policy, namespace),
	]
	answers := [answer |
		some wanted in ["mismatch", "unknown", "match"]
		some answer in all
		answer.verdict == wanted
	]
}

# What CEL asks beyond its scope: only what pullguard has written is known.
_own_answer(policy, namespace) := {"verdict": kubernetes.protects(policy, namespace), "by": "isProtected"} if {
	kubernetes.written_for(policy)
} else := {"verdict": "match", "by": ""}

# -- Gatekeeper's webhook

_webhook_stage := "ValidatingWebhookConfiguration"

_webhook_facts(namespace, probe) := [_fact(_webhook_stage, "validation.gatekeeper.sh", "pass", outside)] if {
	outside := _outside("validation", "webhook", input.validatingWebhooks, _request(namespace, probe))
} else := array.concat(
	[_doubt(_webhook_stage, "validation.gatekeeper.sh", doubt.could, doubt.text) | some doubt in doubts],
	[fact |
		some entry in namespace.constraints
		some fact in _constraint_facts(entry, namespace, probe, count(doubts) == 0)
	],
) if {
	doubts := _doubts("validation", input.validatingWebhooks, _request(namespace, probe))
}

# Why Gatekeeper is not asked, undefined where it is or may be.
_outside(role, _, configurations, _) := "there is no webhook of Gatekeeper's for this" if {
	count(gatekeeper.webhooks(configurations, role)) == 0
	not _webhook_kinds[role] in input.unknown
}

_outside(role, process, configurations, request) := text if {
	own := gatekeeper.webhooks(configurations, role)
	count(own) > 0
	text := _left_out(own, process, request)
}

_webhook_kinds := {"validation": "ValidatingWebhookConfiguration", "mutation": "MutatingWebhookConfiguration"}

_left_out(own, process, request) := sprintf("%s is not asked, by its %s", [own[0].configuration, answers[0].by]) if {
	answers := [kubernetes.webhook(entry.webhook, request) | some entry in own]
	every answer in answers {
		answer.verdict == "mismatch"
	}
} else := sprintf("Gatekeeper's Config leaves %s out of %s", [pattern, process]) if {
	pattern := gatekeeper.exclusion(input.configs, process, request.namespace.name)
}

_doubts(role, configurations, request) := array.concat(
	[{"could": "any", "text": _unread_config} | "Config" in input.unknown],
	_webhook_doubts(gatekeeper.webhooks(configurations, role), role, request),
)

_webhook_doubts(own, role, request) := [{"could": _strongest[role], "text": text}] if {
	count(own) == 0
	text := sprintf("no %s of Gatekeeper's could be read", [_webhook_kinds[role]])
} else := [{"could": _strongest[role], "text": text} |
	answers := [kubernetes.webhook(entry.webhook, request) | some entry in own]
	kubernetes.any_of({answer.verdict | some answer in answers}) == "unknown"
	by := [answer.by | some answer in answers; answer.verdict == "unknown"][0]
	text := sprintf("whether %s is asked cannot be decided here, for its %s", [own[0].configuration, by])
]

_strongest := {"validation": "deny", "mutation": "mutate"}

_constraint_facts(entry, namespace, probe, asked) := [_fact(_webhook_stage, by, "pass", "does not select it")] if {
	source := input.plan.sources[entry.source]
	by := _titled(source.kind, source.name)
	not _probe_answers[[namespace.name, probe, entry.source, "admission"]]
} else := [_fact(_webhook_stage, by, "pass", "is not enforced by the webhook")] if {
	source := input.plan.sources[entry.source]
	by := _titled(source.kind, source.name)
	count(source.admission) == 0
} else := [_fact(_webhook_stage, by, "pass", "has nothing against it")] if {
	source := input.plan.sources[entry.source]
	by := _titled(source.kind, source.name)
	_probe_answers[[namespace.name, probe, entry.source, "admission"]] == []
} else := [_enforced(source, action, message, {"assumed": entry.assumed, "asked": asked}) |
	source := input.plan.sources[entry.source]
	message := _probe_answers[[namespace.name, probe, entry.source, "admission"]][0]
	some action in source.admission
]

_enforced(source, action, message, known) := _fact(_webhook_stage, _titled(source.kind, source.name), "pass", text) if {
	not action in {"deny", "warn"}
	text := sprintf("its action is %s", [action])
} else := _doubt(_webhook_stage, _titled(source.kind, source.name), action, text) if {
	text := "without the labels of the namespace it is not known whether it selects it"
	known.assumed
} else := _doubt(_webhook_stage, _titled(source.kind, source.name), action, text) if {
	not known.asked
	text := sprintf("its action is %s if the webhook is asked", [action])
} else := _fact(_webhook_stage, _titled(source.kind, source.name), action, message)

# -- Gatekeeper's audit

_audit_facts(namespace, probe) := [_fact("Audit", "audit.gatekeeper.sh", "pass", text)] if {
	pattern := gatekeeper.exclusion(input.configs, "audit", namespace.name)
	text := sprintf("Gatekeeper's Config leaves %s out of audit", [pattern])
} else := array.concat(
	[_doubt("Audit", "audit.gatekeeper.sh", "any", _unread_config) | "Config" in input.unknown],
	[_audit_fact(entry, namespace, probe) | some entry in namespace.constraints],
)

_unread_config := "Gatekeeper's Config could not be read"

_audit_fact(entry, namespace, probe) := _fact("Audit", _titled(source.kind, source.name), "pass", "does not select it") if {
	source := input.plan.sources[entry.source]
	not _probe_answers[[namespace.name, probe, entry.source, "audit"]]
} else := _fact("Audit", _titled(source.kind, source.name), "pass", "is not enforced by audit") if {
	source := input.plan.sources[entry.source]
	count(source.audit) == 0
} else := _fact("Audit", _titled(source.kind, source.name), "pass", "has nothing against it") if {
	source := input.plan.sources[entry.source]
	_probe_answers[[namespace.name, probe, entry.source, "audit"]] == []
} else := _doubt("Audit", _titled(source.kind, source.name), "audit", text) if {
	source := input.plan.sources[entry.source]
	text := "without the labels of the namespace it is not known whether it selects it"
	entry.assumed
} else := _fact("Audit", _titled(source.kind, source.name), "audit", "reports it") if {
	source := input.plan.sources[entry.source]
}

# -- whether deny is safe

_deny(namespace) := {
	"state": state,
	"reason": reason,
	"blocked": blocked,
	"unjudged": [{"kind": workload.kind, "name": workload.name} |
		some workload in input.plan.unjudged
		workload.namespace == namespace.name
	],
} if {
	blocked := _blocked(namespace)
	[state, reason] := _safety(namespace, blocked)
}

_workload_kinds := ["CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"]

_safety(namespace, blocked) := ["unsafe", text] if {
	working := [workload | some workload in blocked; not workload.idle; workload.certain]
	count(working) > 0
	text := sprintf("%d could no longer replace their pods", [count(working)])
} else := ["unknown", sprintf("could not be read: %s", [concat(", ", unread)])] if {
	unread := [kind | some kind in _workload_kinds; kind in input.unknown]
	count(unread) > 0
} else := ["unknown", "a workload has no template that can be judged"] if {
	some workload in input.plan.unjudged
	workload.namespace == namespace.name
} else := ["unknown", "it cannot be decided here whether these could still replace their pods"] if {
	some workload in blocked
	not workload.idle
} else := ["unknown", "the snapshot holds no workload of the namespace"] if {
	not namespace.name in _judged_namespaces
} else := ["safe", sprintf("deny does not reach it: %s", [outside])] if {
	outside := _outside("validation", "webhook", input.validatingWebhooks, _pod_request(namespace))
	not _is_judged_by_policy(namespace)
} else := ["safe", "every workload could still replace its pods"]

_is_judged_by_policy(namespace) if {
	some policy in input.validatingPolicies
	kubernetes.written_for(policy) == "protected_pull_policy"
	_applied(policy, input.validatingBindings, namespace, _pod_request(namespace)).verdict != "mismatch"
}

_workload_answers[answer.namespace] contains answer if {
	some answer in input.answers
	answer.workload != null
}

_judged_namespaces := object.keys(_workload_answers)

_blocked(namespace) := [workload |
	some key in {answer.workload | some answer in _objections(namespace)}
	objections := [answer | some answer in _objections(namespace); answer.workload == key]
	workload := object.union(key, {
		"certain": "match" in {answer.reach | some answer in objections},
		"by": sort({input.plan.sources[answer.source].name | some answer in objections}),
		"message": min({message | some answer in objections; some message in answer.messages}),
	})
]

_objections(namespace) := [object.union(answer, {"reach": reach}) |
	some answer in _workload_answers[namespace.name]
	count(answer.messages) > 0
	reach := _reach(namespace)[answer.source]
	reach != "mismatch"
]

# Whether what each source says of pods of workloads there would be asked for: its action is taken for deny.
_reach(namespace) := [reach |
	some source in input.plan.sources
	reach := _reaches(source, namespace)
]

_reaches(source, namespace) := "mismatch" if {
	source.kind != "ValidatingAdmissionPolicy"
	_outside("validation", "webhook", input.validatingWebhooks, _pod_request(namespace))
} else := "unknown" if {
	count(_mutating(namespace)) > 0
} else := "unknown" if {
	source.kind != "ValidatingAdmissionPolicy"
	count(_doubts("validation", input.validatingWebhooks, _pod_request(namespace))) > 0
} else := "unknown" if {
	_is_assumed(source, namespace)
} else := "match" if {
	source.kind != "ValidatingAdmissionPolicy"
} else := answers[0] if {
	answers := [answer.verdict |
		some policy in input.validatingPolicies
		policy.metadata.name == source.name
		answer := _applied(policy, input.validatingBindings, namespace, _pod_request(namespace))
	]
}

_is_assumed(source, namespace) if {
	some entry in namespace.constraints
	entry.assumed
	input.plan.sources[entry.source].name == source.name
}

# What may give the pods another policy before they are judged.
_mutating(namespace) := [fact |
	some fact in _mutation(namespace, "pod")
	"mutate" in {fact.effect, fact.could}
]

# -- other tools at work

_tools(namespace) := {"changed": changed, "suspects": suspects} if {
	changed := [object.remove(change, ["namespace"]) |
		some change in input.plan.changed
		change.namespace == namespace.name
	]
	suspects := [suspect | count(changed) > 0; some suspect in _suspects(namespace, changed)]
}

_suspects(namespace, changed) := array.concat(
	[sprintf("the admission plugin AlwaysPullImages, which the pod %s/%s turns on", [pod.metadata.namespace, pod.metadata.name]) |
		{change | some change in changed; change.policy != null} != set() # it injects nothing
		some pod in input.pods
		_turns_on_always_pull_images(pod)
	],
	array.concat(
		[sprintf("the MutatingWebhookConfiguration %s", [configuration.metadata.name]) |
			some configuration in input.mutatingWebhooks
			_changes_pods(configuration, namespace)
		],
		[sprintf("the MutatingAdmissionPolicy %s", [policy.metadata.name]) |
			some policy in input.mutatingPolicies
			not kubernetes.written_for(policy)
			applied := _applied(policy, input.mutatingBindings, namespace, _pod_request(namespace))
			applied.verdict != "mismatch"
		],
	),
)

_turns_on_always_pull_images(pod) if {
	some container in pod.spec.containers
	some field in ["command", "args"]
	some argument in container[field]
	startswith(argument, "--enable-admission-plugins=")
	"AlwaysPullImages" in split(trim_prefix(argument, "--enable-admission-plugins="), ",")
}

_changes_pods(configuration, namespace) if {
	some webhook in configuration.webhooks
	kubernetes.webhook(webhook, _pod_request(namespace)).verdict != "mismatch"
	_is_suspect(configuration, webhook)
}

# Gatekeeper's own webhook does what its mutators say.
_is_suspect(configuration, webhook) if {
	not webhook in {entry.webhook | some entry in gatekeeper.webhooks([configuration], "mutation")}
} else if {
	count(input.assigns) > 0
}
