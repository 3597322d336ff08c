package scope.webhook_test

import data.testing.snapshots

test_actions[name] if {
	some name, case in {
		"deny": {"source": {}, "outcome": "denied-by-webhook"},
		"warn": {"source": {"admission": ["warn"]}, "outcome": "warned"},
		"dryrun": {"source": {"admission": ["dryrun"]}, "outcome": "audited"},
		"an unknown action": {"source": {"admission": ["shout"]}, "outcome": "audited"},
		"audit only": {"source": {"admission": []}, "outcome": "audited"},
		"nowhere": {"source": {"admission": [], "audit": []}, "outcome": "nothing"},
		"warn and deny": {"source": {"admission": ["warn", "deny"]}, "outcome": "denied-by-webhook"},
	}
	snapshots.outcomes(snapshots.with_source(case.source)) == snapshots.same(case.outcome, true)
}

test_reasons_why_the_webhook_admits_it[name] if {
	some name, case in {
		"no webhook": {
			"change": {"validatingWebhooks": []},
			"fact": snapshots.passed(snapshots.asked, "Gatekeeper has no webhook for this"),
		},
		"selector": {
			"change": snapshots.with_namespace(snapshots.ignored),
			"fact": snapshots.passed(snapshots.asked, "gatekeeper-validation is not asked due to its namespaceSelector"),
		},
		"Config": {
			"change": {"configs": [{
				"metadata": {"name": "config"},
				"spec": {"match": [{"processes": ["webhook"], "excludedNamespaces": ["a*"]}]},
			}]},
			"fact": snapshots.passed(snapshots.asked, "Gatekeeper's Config excludes a* from webhook"),
		},
		"action": {
			"change": snapshots.with_source({"admission": ["dryrun"]}),
			"fact": snapshots.passed(snapshots.by_name, "its action is dryrun"),
		},
		"enforcement point": {
			"change": snapshots.with_source({"admission": []}),
			"fact": snapshots.passed(snapshots.by_name, "is not enforced by the webhook"),
		},
	}
	snapshots.pod_steps(case.change) == [case.fact, snapshots.audited]
	snapshots.outcomes(case.change) == snapshots.same("audited", true)
}

test_no_violation if {
	change := {"answers": [snapshots.answer("pod", point, []) | some point in ["admission", "audit"]]}
	snapshots.pod_steps(change) == [
		snapshots.passed(snapshots.by_name, "finds no violation"),
		["Audit", snapshots.by_name, "pass", "", "finds no violation"],
	]
	snapshots.report_on(change).deployment.facts == [
		{"stage": snapshots.validating, "by": snapshots.by_name, "effect": "pass", "could": "", "text": "does not select it"},
		{"stage": "Audit", "by": snapshots.by_name, "effect": "pass", "could": "", "text": "does not select it"},
	]
	snapshots.outcomes(change) == snapshots.same("nothing", true)
}

_if_asked := [snapshots.validating, snapshots.by_name, "unknown", "deny", "its action is deny if the webhook is asked"]

test_webhook_in_doubt[name] if {
	some name, case in {
		"no configuration": {
			"change": {"validatingWebhooks": [], "unknown": ["ValidatingWebhookConfiguration"]},
			"doubt": ["deny", "Gatekeeper's ValidatingWebhookConfiguration could not be read"],
		},
		"conditions": {
			"change": {"validatingWebhooks": [snapshots.hook("validation", {"matchConditions": [{"name": "x"}]})]},
			"doubt": [
				"deny",
				"it cannot be decided here whether gatekeeper-validation is asked, because of its matchConditions",
			],
		},
		"labels": {
			"change": snapshots.with_namespace({"labelsComplete": false}),
			"doubt": [
				"deny",
				"it cannot be decided here whether gatekeeper-validation is asked, because of its namespaceSelector",
			],
		},
		"Config": {
			"change": {"unknown": ["Config"]},
			"doubt": ["any", "Gatekeeper's Config could not be read"],
		},
	}
	facts := [
		[snapshots.validating, snapshots.asked, "unknown", case.doubt[0], case.doubt[1]],
		_if_asked,
		snapshots.audited,
	]
	[fact | some fact in snapshots.pod_steps(case.change); fact != snapshots.audit_in_doubt] == facts
	snapshots.outcomes(case.change) == snapshots.same("audited", false)
}

test_a_selection_that_is_assumed_is_not_certain if {
	change := snapshots.with_namespace({"constraints": [{"source": 0, "assumed": true}]})
	snapshots.outcomes(change) == snapshots.same("nothing", false)
	text := "the labels of the namespace are not known, so it may not select it"
	snapshots.pod_steps(change) == [
		[snapshots.validating, snapshots.by_name, "unknown", "deny", text],
		["Audit", snapshots.by_name, "unknown", "audit", text],
	]
}

_expanded(action, messages) := {"answers": array.concat(snapshots.answers, [object.union(
	snapshots.answer("deployment", "admission", messages),
	{"expansion": {"name": "workloads", "action": action}},
)])}

test_what_expansion_templates_make[name] if {
	some name, [constraint, action, messages, facts, outcome] in {
		"the action of the constraint": ["deny", "", ["no"], [["deny", "[Implied by workloads] no"]], "denied-by-webhook"],
		"its own action": ["dryrun", "deny", ["no"], [["deny", "[Implied by workloads] no"]], "denied-by-webhook"],
		"its own, milder action": ["dryrun", "warn", ["no"], [["warn", "[Implied by workloads] no"]], "warned"],
		"nothing against it": ["dryrun", "deny", [], [["pass", "finds no violation"]], "audited"],
	}
	change := object.union(_expanded(action, messages), snapshots.with_source({"admission": [constraint]}))
	found := snapshots.report_on(change).deployment
	[[fact.effect, fact.text] | some fact in found.facts; fact.by == "ExpansionTemplate workloads"] == facts
	[found.outcome, found.certain] == [outcome, true]
	{fact.by | some fact in snapshots.report_on(change).pod.facts} == {snapshots.by_name}
}

test_an_expansion_template_enforces_nothing_where_a_constraint_does_not if {
	change := object.union(_expanded("deny", ["no"]), snapshots.with_source({"admission": []}))
	found := snapshots.report_on(change).deployment
	[[fact.effect, fact.text] | some fact in found.facts; fact.by == "ExpansionTemplate workloads"] == [
		["pass", "is not enforced by the webhook"],
	]
}
