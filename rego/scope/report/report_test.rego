package scope.report_test

import data.scope.report

_rule := {"operations": ["CREATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}

_seen := {"namespaceSelector": {"matchExpressions": [{"key": "admission.gatekeeper.sh/ignore", "operator": "DoesNotExist"}]}}

_hook(role, more) := {
	"metadata": {"name": sprintf("gatekeeper-%s", [role])},
	"webhooks": [object.union({"name": sprintf("%s.gatekeeper.sh", [role]), "rules": [_rule]}, more)],
}

_namespace := {
	"name": "a",
	"exists": true,
	"labels": {"kubernetes.io/metadata.name": "a"},
	"labelsComplete": true,
	"constraints": [{"source": 0, "assumed": false}],
}

_source(action) := {
	"kind": "K8sProtectedPullPolicy", "name": "by-name", "parameters": {},
	"admission": [action], "audit": [action],
}

_answer(probe, point, messages) := {
	"namespace": "a", "source": 0, "point": point, "probe": probe, "workload": null, "messages": messages,
}

_answers := [_answer(probe, point, ["it is Always"]) |
	some probe in ["pod", "deployment"]
	some point in ["admission", "audit"]
]

_plan := {"namespaces": [_namespace], "sources": [_source("deny")], "unjudged": [], "changed": []}

_base := {
	"plan": _plan,
	"answers": _answers,
	"unknown": [],
	"validatingWebhooks": [_hook("validation", _seen)],
	"mutatingWebhooks": [_hook("mutation", _seen)],
	"configs": [],
	"validatingPolicies": [],
	"validatingBindings": [],
	"mutatingPolicies": [],
	"mutatingBindings": [],
	"assigns": [],
	"deployments": [],
	"pods": [],
}

_report(change) := namespaces[0] if {
	namespaces := report.namespaces with input as object.union(_base, change)
}

_outcomes(change) := {probe: [found[probe].outcome, found[probe].certain, found[probe].otherwise] |
	found := _report(change)
	some probe in ["pod", "deployment"]
}

_same(outcome, certain) := {"pod": [outcome, certain, outcome], "deployment": [outcome, certain, outcome]}

_texts(change) := [[fact.stage, fact.by, fact.effect, fact.could, fact.text] | some fact in _report(change).pod.facts]

_validating := "ValidatingWebhookConfiguration"

_asked := "validation.gatekeeper.sh"

_by_name := "K8sProtectedPullPolicy by-name"

_reported := ["Audit", _by_name, "audit", "", "reports it"]

test_whole if {
	outcome := {
		"outcome": "denied-by-webhook",
		"certain": true,
		"otherwise": "denied-by-webhook",
		"facts": [
			{"stage": _validating, "by": _by_name, "effect": "deny", "could": "", "text": "it is Always"},
			{"stage": "Audit", "by": _by_name, "effect": "audit", "could": "", "text": "reports it"},
		],
	}
	_report({}) == {
		"name": "a",
		"exists": true,
		"constraints": ["by-name"],
		"notes": [],
		"pod": outcome,
		"deployment": outcome,
		"deny": {
			"state": "unknown",
			"reason": "the snapshot holds no workload of the namespace",
			"blocked": [],
			"unjudged": [],
		},
		"tools": {"changed": [], "suspects": []},
	}
}

_with_namespace(change) := {"plan": {"namespaces": [object.union(_namespace, change)]}}

_with_source(change) := {"plan": {"sources": [object.union(_source("deny"), change)]}}

_ignored := {"labels": {"admission.gatekeeper.sh/ignore": "x"}}

_gatekeeper(arguments) := [{
	"metadata": {"labels": {"gatekeeper.sh/system": "yes"}},
	"spec": {"template": {"spec": {"containers": [{"args": arguments}]}}},
}]

test_notes[name] if {
	label := "it has the label admission.gatekeeper.sh/ignore"
	some name, case in {
		"no Namespace": {
			"change": _with_namespace({"exists": false, "labelsComplete": false}),
			"notes": ["there is no such Namespace in the snapshot, so that its labels are not known"],
		},
		"Namespaces may not be read": {
			"change": object.union(
				_with_namespace({"exists": false, "labelsComplete": false}),
				{"unknown": ["Namespace"]},
			),
			"notes": ["its Namespace could not be read, so that its labels are not known"],
		},
		"ignored": {"change": _with_namespace(_ignored), "notes": [label]},
		"ignored and exempt": {
			"change": object.union(_with_namespace(_ignored), {"deployments": _gatekeeper(["--exempt-namespace=a"])}),
			"notes": [sprintf("%s, which Gatekeeper's --exempt-namespace=a allows", [label])],
		},
		"ignored, not exempt": {
			"change": object.union(_with_namespace(_ignored), {"deployments": _gatekeeper([])}),
			"notes": [sprintf("%s, which no --exempt-namespace of Gatekeeper's allows", [label])],
		},
		"exempt only": {
			"change": {"deployments": _gatekeeper(["--exempt-namespace=a"])},
			"notes": [concat("", [
				"Gatekeeper's --exempt-namespace=a only allows it the label admission.gatekeeper.sh/ignore: ",
				"it excludes nothing",
			])],
		},
	}
	_report(case.change).notes == case.notes
}

# -- Gatekeeper's webhook and audit

test_actions[name] if {
	some name, case in {
		"deny": {"source": {}, "outcome": "denied-by-webhook"},
		"warn": {"source": {"admission": ["warn"]}, "outcome": "warned"},
		"dryrun": {"source": {"admission": ["dryrun"]}, "outcome": "audited"},
		"one that nobody knows": {"source": {"admission": ["shout"]}, "outcome": "audited"},
		"audit only": {"source": {"admission": []}, "outcome": "audited"},
		"nowhere": {"source": {"admission": [], "audit": []}, "outcome": "nothing"},
		"warn and deny": {"source": {"admission": ["warn", "deny"]}, "outcome": "denied-by-webhook"},
	}
	_outcomes(_with_source(case.source)) == _same(case.outcome, true)
}

_passes(by, text) := [_validating, by, "pass", "", text]

test_why_the_webhook_lets_it_pass[name] if {
	some name, case in {
		"no webhook": {
			"change": {"validatingWebhooks": []},
			"fact": _passes(_asked, "there is no webhook of Gatekeeper's for this"),
		},
		"selector": {
			"change": _with_namespace(_ignored),
			"fact": _passes(_asked, "gatekeeper-validation is not asked, by its namespaceSelector"),
		},
		"Config": {
			"change": {"configs": [{
				"metadata": {"name": "config"},
				"spec": {"match": [{"processes": ["webhook"], "excludedNamespaces": ["a*"]}]},
			}]},
			"fact": _passes(_asked, "Gatekeeper's Config leaves a* out of webhook"),
		},
		"action": {
			"change": _with_source({"admission": ["dryrun"]}),
			"fact": _passes(_by_name, "its action is dryrun"),
		},
		"enforcement point": {
			"change": _with_source({"admission": []}),
			"fact": _passes(_by_name, "is not enforced by the webhook"),
		},
	}
	_texts(case.change) == [case.fact, _reported]
	_outcomes(case.change) == _same("audited", true)
}

test_nothing_against_it if {
	change := {"answers": [_answer("pod", point, []) | some point in ["admission", "audit"]]}
	_texts(change) == [
		_passes(_by_name, "has nothing against it"),
		["Audit", _by_name, "pass", "", "has nothing against it"],
	]
	_report(change).deployment.facts == [
		{"stage": _validating, "by": _by_name, "effect": "pass", "could": "", "text": "does not select it"},
		{"stage": "Audit", "by": _by_name, "effect": "pass", "could": "", "text": "does not select it"},
	]
	_outcomes(change) == _same("nothing", true)
}

_excluded_from_audit := {"configs": [{
	"metadata": {"name": "config"},
	"spec": {"match": [{"processes": ["audit"], "excludedNamespaces": ["a"]}]},
}]}

test_audit_can_be_silenced if {
	change := object.union(_excluded_from_audit, _with_source({"admission": ["dryrun"]}))
	_outcomes(change) == _same("nothing", true)
	_texts(change)[1] == ["Audit", "audit.gatekeeper.sh", "pass", "", "Gatekeeper's Config leaves a out of audit"]
	_texts(_with_source({"audit": []}))[1] == ["Audit", _by_name, "pass", "", "is not enforced by audit"]
}

_if_asked := [_validating, _by_name, "unknown", "deny", "its action is deny if the webhook is asked"]

test_what_is_not_known_of_the_webhook[name] if {
	some name, case in {
		"no configuration": {
			"change": {"validatingWebhooks": [], "unknown": ["ValidatingWebhookConfiguration"]},
			"doubt": ["deny", "no ValidatingWebhookConfiguration of Gatekeeper's could be read"],
		},
		"conditions": {
			"change": {"validatingWebhooks": [_hook("validation", {"matchConditions": [{"name": "x"}]})]},
			"doubt": [
				"deny",
				"whether gatekeeper-validation is asked cannot be decided here, for its matchConditions",
			],
		},
		"labels": {
			"change": _with_namespace({"labelsComplete": false}),
			"doubt": [
				"deny",
				"whether gatekeeper-validation is asked cannot be decided here, for its namespaceSelector",
			],
		},
		"Config": {
			"change": {"unknown": ["Config"]},
			"doubt": ["any", "Gatekeeper's Config could not be read"],
		},
	}
	facts := [[_validating, _asked, "unknown", case.doubt[0], case.doubt[1]], _if_asked, _reported]
	[fact | some fact in _texts(case.change); fact != _audit_in_doubt] == facts
	_outcomes(case.change) == _same("audited", false)
}

_audit_in_doubt := ["Audit", "audit.gatekeeper.sh", "unknown", "any", "Gatekeeper's Config could not be read"]

test_a_config_that_could_not_be_read_puts_audit_in_doubt if {
	change := {"unknown": ["Config"], "validatingWebhooks": []}
	_texts(change) == [
		_passes(_asked, "there is no webhook of Gatekeeper's for this"),
		_audit_in_doubt,
		_reported,
	]
	_outcomes(change) == _same("audited", false)
}

test_no_config_takes_away_what_the_api_server_does_itself if {
	change := object.union(_with_policy(_protected, [_binding("b", ["Deny"], {})]), {"unknown": ["Config"]})
	_outcomes(change) == _same("denied-by-policy", true)
}

test_a_selection_that_is_assumed_is_not_certain if {
	change := _with_namespace({"constraints": [{"source": 0, "assumed": true}]})
	_outcomes(change) == _same("nothing", false)
	text := "without the labels of the namespace it is not known whether it selects it"
	_texts(change) == [
		[_validating, _by_name, "unknown", "deny", text],
		["Audit", _by_name, "unknown", "audit", text],
	]
}

# -- admission policies

_ours(kind, protected) := {
	"kind": kind,
	"metadata": {
		"name": "ours",
		"annotations": {"pullguard/policy": "protected_pull_policy"},
	},
	"spec": {
		"matchConstraints": {"resourceRules": [_rule]},
		"variables": [{"name": "isProtected", "expression": protected}],
	},
}

_binding(name, actions, more) := {"metadata": {"name": name}, "spec": object.union(
	{"policyName": "ours", "validationActions": actions},
	more,
)}

_policy_source := {
	"kind": "ValidatingAdmissionPolicy", "name": "ours", "parameters": {},
	"admission": [], "audit": [],
}

_policy_answers := [object.union(answer, {"source": 1, "messages": ["CEL: it is Always"]}) | some answer in _answers]

_protected := `request.namespace in ["a"]`

_with_policy(protected, bindings) := {
	"plan": {"sources": [_source("dryrun"), _policy_source]},
	"answers": array.concat(_answers, _policy_answers),
	"validatingPolicies": [_ours("ValidatingAdmissionPolicy", protected)],
	"validatingBindings": bindings,
}

test_policy_actions[name] if {
	some name, case in {
		"Deny": {"actions": ["Deny"], "outcome": "denied-by-policy"},
		"Warn": {"actions": ["Warn", "Audit"], "outcome": "warned"},
		"Audit": {"actions": ["Audit"], "outcome": "audited"},
	}
	change := object.union(_with_policy(_protected, [_binding("b", case.actions, {})]), _excluded_from_audit)
	_outcomes(change) == _same(case.outcome, true)
}

_policy_fact(effect, could, text) := ["ValidatingAdmissionPolicy", "ours", effect, could, text]

test_policy[name] if {
	some name, case in {
		"denies": {
			"change": _with_policy(_protected, [_binding("b", ["Deny"], {}), _binding("c", ["Deny"], {
				"policyName": "other",
			})]),
			"facts": [_policy_fact("deny", "", "CEL: it is Always")],
			"outcome": ["denied-by-policy", true],
		},
		"unbound": {
			"change": _with_policy(_protected, []),
			"facts": [_policy_fact("pass", "", "does not judge it (no binding)")],
			"outcome": ["audited", true],
		},
		"bound elsewhere": {
			"change": _with_policy(_protected, [_binding("b", ["Deny"], {"matchResources": {
				"namespaceSelector": {"matchLabels": {"x": "y"}},
			}})]),
			"facts": [_policy_fact("pass", "", "does not judge it (namespaceSelector)")],
			"outcome": ["audited", true],
		},
		"not protected": {
			"change": _with_policy(`request.namespace in ["b"]`, [_binding("b", ["Deny"], {})]),
			"facts": [_policy_fact("pass", "", "does not judge it (isProtected)")],
			"outcome": ["audited", true],
		},
		"edited": {
			"change": _with_policy("edited()", [_binding("b", ["Deny"], {})]),
			"facts": [_policy_fact("unknown", "deny", "whether it judges it cannot be decided here (isProtected)")],
			"outcome": ["audited", false],
		},
		"edited, and bound twice": {
			"change": _with_policy("edited()", [_binding("b", ["Warn"], {}), _binding("c", ["Deny"], {"matchResources": {
				"namespaceSelector": {"matchLabels": {"x": "y"}},
			}})]),
			"facts": [_policy_fact("unknown", "warn", "whether it judges it cannot be decided here (isProtected)")],
			"outcome": ["audited", false],
		},
		"nothing against it": {
			"change": object.union(
				_with_policy(_protected, [_binding("b", ["Deny"], {})]),
				{"answers": _answers},
			),
			"facts": [_policy_fact("pass", "", "has nothing against it")],
			"outcome": ["audited", true],
		},
		"of others": {
			"change": {
				"plan": {"sources": [_source("dryrun")]},
				"validatingPolicies": [{"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "ours"}, "spec": {
					"matchConstraints": {"resourceRules": [_rule]},
				}}],
				"validatingBindings": [_binding("b", ["Deny"], {})],
			},
			"facts": [_policy_fact(
				"unknown", "",
				"is not pullguard's: what its CEL does cannot be decided here",
			)],
			"outcome": ["audited", true],
		},
		"of others, elsewhere": {
			"change": {
				"plan": {"sources": [_source("dryrun")]},
				"validatingPolicies": [{"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "ours"}, "spec": {
					"matchConstraints": {"resourceRules": []},
				}}],
			},
			"facts": [],
			"outcome": ["audited", true],
		},
		"may not be read": {
			"change": {
				"plan": {"sources": [_source("dryrun")]},
				"unknown": ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
			},
			"facts": [
				[
					"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicy", "unknown", "deny",
					"ValidatingAdmissionPolicy could not be read",
				],
				[
					"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "unknown", "deny",
					"ValidatingAdmissionPolicyBinding could not be read",
				],
			],
			"outcome": ["audited", false],
		},
	}
	_texts(case.change) == array.concat(case.facts, [_passes(_by_name, "its action is dryrun"), _reported])
	found := _report(case.change).pod
	[found.outcome, found.certain] == case.outcome
}

test_another_policy_of_pullguard_is_not_about_this if {
	other := object.union(
		_ours("ValidatingAdmissionPolicy", _protected),
		{"metadata": {"annotations": {"pullguard/policy": "protected_image_pinning"}}},
	)
	mutating := object.union(other, {"kind": "MutatingAdmissionPolicy"})
	change := {
		"validatingPolicies": [other],
		"validatingBindings": [_binding("b", ["Deny"], {})],
		"mutatingPolicies": [mutating],
		"mutatingBindings": [_binding("b", [], {})],
	}
	_texts(change) == [[_validating, _by_name, "deny", "", "it is Always"], _reported]
}

# -- mutation

_pods_only := {"spec": {"matchConstraints": {"resourceRules": [object.union(_rule, {"resources": ["pods"]})]}}}

_with_mutation(protected) := {
	"mutatingPolicies": [object.union(_ours("MutatingAdmissionPolicy", protected), _pods_only)],
	"mutatingBindings": [_binding("b", [], {})],
}

_mutating := "MutatingAdmissionPolicy"

test_mutating_policy if {
	_outcomes(_with_mutation(_protected)) == {
		"pod": ["mutated", true, "denied-by-webhook"],
		"deployment": ["denied-by-webhook", true, "denied-by-webhook"],
	}
	_texts(_with_mutation(_protected))[0] == [
		_mutating, "ours", "mutate", "",
		"sets IfNotPresent where the image is pinned; what is not pinned stays as it is",
	]
}

test_mutating_policy_in_doubt if {
	_outcomes(_with_mutation("edited()")).pod == ["denied-by-webhook", false, "denied-by-webhook"]
	_texts(_with_mutation("edited()"))[0] == [
		_mutating, "ours", "unknown", "mutate",
		"whether it applies cannot be decided here (isProtected)",
	]
}

test_mutating_policy_of_others if {
	change := {
		"mutatingPolicies": [object.union(
			{"kind": _mutating, "metadata": {"name": "ours"}},
			_pods_only,
		)],
		"mutatingBindings": [_binding("b", [], {})],
	}
	_outcomes(change) == _same("denied-by-webhook", true)
	_texts(change)[0] == [
		_mutating, "ours", "unknown", "",
		"is not pullguard's: what its CEL does cannot be decided here",
	]
}

test_mutation_that_may_not_be_read if {
	change := {"unknown": [_mutating, "MutatingAdmissionPolicyBinding", "Assign"]}
	_outcomes(change) == _same("denied-by-webhook", false)
	[[fact[0], fact[1], fact[3]] | some fact in _texts(change)] == [
		[_mutating, _mutating, "mutate"],
		[_mutating, "MutatingAdmissionPolicyBinding", "mutate"],
		["MutatingWebhookConfiguration", "Assign", "mutate"],
		[_validating, _by_name, ""],
		["Audit", _by_name, ""],
	]
}

_pod_kind := {"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}

_assign := {"metadata": {"name": "set"}, "spec": {
	"applyTo": [_pod_kind],
	"location": "spec.containers[name:*].imagePullPolicy",
	"parameters": {"assign": {"value": "IfNotPresent"}},
}}

_with_assign(change) := {"assigns": [object.union(_assign, {"spec": change})]}

test_assign[name] if {
	some name, case in {
		"every pod": {
			"change": _with_assign({}),
			"fact": ["mutate", "", "sets IfNotPresent, whatever stands there"],
			"outcome": ["mutated", true, "denied-by-webhook"],
		},
		"on creation": {
			"change": _with_assign({"applyTo": [object.union(_pod_kind, {"operations": ["CREATE"]})]}),
			"fact": ["mutate", "", "sets IfNotPresent, whatever stands there"],
			"outcome": ["mutated", true, "denied-by-webhook"],
		},
		"Always": {
			"change": _with_assign({"parameters": {"assign": {"value": "Always"}}}),
			"fact": ["pass", "", "sets Always itself"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"another namespace": {
			"change": _with_assign({"match": {"namespaces": ["b"]}}),
			"fact": ["pass", "", "its match does not select it"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"the webhook is not asked": {
			"change": object.union(_with_assign({}), _with_namespace(_ignored)),
			"fact": ["pass", "", "gatekeeper-mutation is not asked, by its namespaceSelector"],
			"outcome": ["audited", true, "audited"],
		},
		"Config": {
			"change": object.union(_with_assign({}), {"configs": [{
				"metadata": {"name": "config"},
				"spec": {"match": [{"processes": ["mutation-webhook"], "excludedNamespaces": ["a"]}]},
			}]}),
			"fact": ["pass", "", "Gatekeeper's Config leaves a out of mutation-webhook"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"path tests": {
			"change": _with_assign({"parameters": {"pathTests": [{"condition": "MustExist"}]}}),
			"fact": ["unknown", "mutate", "its pathTests are not evaluated here"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"no value": {
			"change": _with_assign({"parameters": {"assign": {"value": null}}}),
			"fact": ["unknown", "mutate", "what it sets is not stated"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"certain containers": {
			"change": _with_assign({"location": "spec.containers[name: app].imagePullPolicy"}),
			"fact": ["unknown", "mutate", "it is for containers of certain names"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"labels": {
			"change": object.union(
				object.union(_with_assign({}), _with_namespace({"labelsComplete": false})),
				{"mutatingWebhooks": [_hook("mutation", {})], "validatingWebhooks": [_hook("validation", {})]},
			),
			"fact": ["unknown", "mutate", "the labels of the namespace are not known"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"no webhook could be read": {
			"change": object.union(_with_assign({}), {
				"mutatingWebhooks": [],
				"unknown": ["MutatingWebhookConfiguration"],
			}),
			"fact": ["unknown", "mutate", "no MutatingWebhookConfiguration of Gatekeeper's could be read"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
	}
	_texts(case.change)[0] == array.concat(["MutatingWebhookConfiguration", "Assign set"], case.fact)
	found := _report(case.change).pod
	[found.outcome, found.certain, found.otherwise] == case.outcome
	count(_report(case.change).deployment.facts) < count(_report(case.change).pod.facts)
}

test_assign_for_something_else[name] if {
	some name, change in {
		"location": {"location": "spec.containers[name:*].image"},
		"kind": {"applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Pod"]}]},
		"operation": {"applyTo": [object.union(_pod_kind, {"operations": ["UPDATE"]})]},
	}
	_texts(_with_assign(change)) == [[_validating, _by_name, "deny", "", "it is Always"], _reported]
}

# -- whether deny is safe

_workload := {"kind": "ReplicaSet", "name": "web-1", "owner": "Deployment web", "idle": false}

_of_workload(source, workload, messages) := {
	"namespace": "a", "source": source, "point": "admission", "probe": null,
	"workload": workload, "messages": messages,
}

_with_workloads(answers) := {"answers": array.concat(_answers, answers)}

_blocked(change) := object.union(
	object.union(_workload, {"certain": true, "by": ["by-name"], "message": "no"}),
	change,
)

test_deny[name] if {
	some name, case in {
		"safe": {
			"change": _with_workloads([_of_workload(0, _workload, [])]),
			"deny": ["safe", "every workload could still replace its pods", []],
		},
		"unsafe": {
			"change": _with_workloads([_of_workload(0, _workload, ["no", "no, too"])]),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({})]],
		},
		"two of three": {
			"change": _with_workloads([
				_of_workload(0, _workload, ["no"]),
				_of_workload(0, object.union(_workload, {"name": "api-1"}), ["not so"]),
				_of_workload(0, object.union(_workload, {"name": "db-1"}), []),
			]),
			"deny": ["unsafe", "2 could no longer replace their pods", [
				_blocked({"name": "api-1", "message": "not so"}),
				_blocked({}),
			]],
		},
		"idle": {
			"change": _with_workloads([_of_workload(0, object.union(_workload, {"idle": true}), ["no"])]),
			"deny": ["safe", "every workload could still replace its pods", [_blocked({"idle": true})]],
		},
		"out of reach": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				{"validatingWebhooks": []},
			),
			"deny": ["safe", "deny does not reach it: there is no webhook of Gatekeeper's for this", []],
		},
		"perhaps in reach": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				{"unknown": ["Config"]},
			),
			"deny": [
				"unknown", "it cannot be decided here whether these could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"perhaps selected": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				_with_namespace({"constraints": [{"source": 0, "assumed": true}]}),
			),
			"deny": [
				"unknown", "it cannot be decided here whether these could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"perhaps mutated": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, ["no"])]),
				_with_mutation(_protected),
			),
			"deny": [
				"unknown", "it cannot be decided here whether these could still replace their pods",
				[_blocked({"certain": false})],
			],
		},
		"kinds that may not be read": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, [])]),
				{"unknown": ["Job", "DaemonSet", "Secret"]},
			),
			"deny": ["unknown", "could not be read: DaemonSet, Job", []],
		},
		"no template": {
			"change": object.union(
				_with_workloads([_of_workload(0, _workload, [])]),
				{"plan": {"unjudged": [
					{"namespace": "a", "kind": "Job", "name": "j"}, {"namespace": "b", "kind": "Job", "name": "j"},
				]}},
			),
			"deny": ["unknown", "a workload has no template that can be judged", []],
		},
		"by a policy": {
			"change": object.union(_with_policy(_protected, [_binding("b", ["Audit"], {})]), {
				"answers": array.concat(_answers, [_of_workload(1, _workload, ["no"])]),
				"validatingWebhooks": [],
			}),
			"deny": ["unsafe", "1 could no longer replace their pods", [_blocked({"by": ["ours"]})]],
		},
		"not by a policy": {
			"change": object.union(_with_policy(_protected, [_binding("b", ["Audit"], {})]), {
				"answers": array.concat(_answers, [_of_workload(1, _workload, [])]),
				"validatingWebhooks": [],
			}),
			"deny": ["safe", "every workload could still replace its pods", []],
		},
		"by both": {
			"change": object.union(_with_policy(_protected, [_binding("b", ["Audit"], {})]), {"answers": array.concat(
				_answers,
				[_of_workload(1, _workload, ["no"]), _of_workload(0, _workload, ["also no"])],
			)}),
			"deny": [
				"unsafe", "1 could no longer replace their pods",
				[_blocked({"by": ["by-name", "ours"], "message": "also no"})],
			],
		},
	}
	deny := _report(case.change).deny
	[deny.state, deny.reason, deny.blocked] == case.deny
}

test_unjudged if {
	change := {"plan": {"unjudged": [
		{"namespace": "a", "kind": "Job", "name": "j"}, {"namespace": "b", "kind": "Job", "name": "j"},
	]}}
	_report(change).deny.unjudged == [{"kind": "Job", "name": "j"}]
}

# -- other tools at work

_change := {"kind": "DaemonSet", "name": "agent", "container": "c", "policy": "IfNotPresent"}

_api_server(arguments) := {
	"metadata": {"namespace": "kube-system", "name": "kube-apiserver-x"},
	"spec": {"containers": [{"command": arguments}]},
}

_kyverno := {"metadata": {"name": "kyverno"}, "webhooks": [{"name": "mutate.kyverno.svc", "rules": [_rule]}]}

_with_change(change) := object.union(
	{"plan": {"changed": [
		object.union(_change, {"namespace": "a"}),
		object.union(_change, {"namespace": "b"}),
	]}},
	change,
)

test_tools[name] if {
	some name, case in {
		"nobody": {"change": {}, "suspects": []},
		"plugin": {
			"change": {"pods": [
				_api_server(["kube-apiserver", "--enable-admission-plugins=NodeRestriction,AlwaysPullImages"]),
				_api_server(["--enable-admission-plugins=NodeRestriction"]), _api_server(["--audit"]),
			]},
			"suspects": ["the admission plugin AlwaysPullImages, which the pod kube-system/kube-apiserver-x turns on"],
		},
		"webhook": {
			"change": {"mutatingWebhooks": [_kyverno, _hook("mutation", {})]},
			"suspects": ["the MutatingWebhookConfiguration kyverno"],
		},
		"mutator": {
			"change": object.union({"mutatingWebhooks": [_hook("mutation", {})]}, _with_assign({})),
			"suspects": ["the MutatingWebhookConfiguration gatekeeper-mutation"],
		},
		"policy": {
			"change": {
				"mutatingPolicies": [{"kind": _mutating, "metadata": {"name": "ours"}, "spec": {}}],
				"mutatingBindings": [_binding("b", [], {})],
			},
			"suspects": ["the MutatingAdmissionPolicy ours"],
		},
	}
	_report(_with_change(case.change)).tools == {"changed": [_change], "suspects": case.suspects}
}

test_the_plugin_injects_no_containers if {
	injected := object.union(_change, {"policy": null})
	report := _report({
		"plan": {"changed": [object.union(injected, {"namespace": "a"})]},
		"pods": [_api_server(["--enable-admission-plugins=AlwaysPullImages"])],
		"mutatingWebhooks": [_kyverno],
	})
	report.tools == {"changed": [injected], "suspects": ["the MutatingWebhookConfiguration kyverno"]}
}

test_nobody_is_suspected_without_a_trace if {
	_report({"mutatingWebhooks": [_kyverno]}).tools == {"changed": [], "suspects": []}
}
