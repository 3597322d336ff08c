package scope.validation_test

import data.testing.snapshots

_elsewhere := {"matchResources": {"namespaceSelector": {"matchLabels": {"x": "y"}}}}

test_policy_actions[name] if {
	some name, case in {
		"Deny": {"actions": ["Deny"], "outcome": "denied-by-policy"},
		"Warn": {"actions": ["Warn", "Audit"], "outcome": "warned"},
		"Audit": {"actions": ["Audit"], "outcome": "audited"},
	}
	change := object.union(
		snapshots.bound(case.actions),
		snapshots.excluded_from_audit,
	)
	snapshots.outcomes(change) == snapshots.same(case.outcome, true)
}

_policy_fact(effect, could, text) := ["ValidatingAdmissionPolicy", "ours", effect, could, text]

test_policy[name] if {
	some name, case in {
		"denies": {
			"change": snapshots.with_policy(snapshots.protected, [
				snapshots.binding("b", ["Deny"], {}),
				snapshots.binding("c", ["Deny"], {"policyName": "other"}),
			]),
			"facts": [_policy_fact("deny", "", "CEL: it is Always")],
			"outcome": ["denied-by-policy", true],
		},
		"unbound": {
			"change": snapshots.with_policy(snapshots.protected, []),
			"facts": [_policy_fact("pass", "", "does not judge it (no binding)")],
			"outcome": ["audited", true],
		},
		"bound elsewhere": {
			"change": snapshots.with_policy(snapshots.protected, [snapshots.binding("b", ["Deny"], _elsewhere)]),
			"facts": [_policy_fact("pass", "", "does not judge it (namespaceSelector)")],
			"outcome": ["audited", true],
		},
		"not protected": {
			"change": snapshots.with_policy(["b"], [snapshots.binding("b", ["Deny"], {})]),
			"facts": [_policy_fact("pass", "", "does not judge it (isProtected)")],
			"outcome": ["audited", true],
		},
		"edited": {
			"change": snapshots.with_policy(snapshots.edited, [snapshots.binding("b", ["Deny"], {})]),
			"facts": [_policy_fact("unknown", "deny", "it cannot be decided here whether it judges it (isProtected)")],
			"outcome": ["audited", false],
		},
		"edited, and bound twice": {
			"change": snapshots.with_policy(snapshots.edited, [
				snapshots.binding("b", ["Warn"], {}),
				snapshots.binding("c", ["Deny"], _elsewhere),
			]),
			"facts": [_policy_fact("unknown", "warn", "it cannot be decided here whether it judges it (isProtected)")],
			"outcome": ["audited", false],
		},
		"nothing against it": {
			"change": object.union(
				snapshots.bound(["Deny"]),
				{"answers": snapshots.answers},
			),
			"facts": [_policy_fact("pass", "", "finds no violation")],
			"outcome": ["audited", true],
		},
		"of others": {
			"change": {
				"plan": {"sources": [snapshots.source("dryrun")]},
				"validatingPolicies": [{"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "ours"}, "spec": {
					"matchConstraints": {"resourceRules": [snapshots.rule]},
				}}],
				"validatingBindings": [snapshots.binding("b", ["Deny"], {})],
			},
			"facts": [_policy_fact(
				"unknown", "",
				"is not pullguard's: the effect of its CEL cannot be decided here",
			)],
			"outcome": ["audited", true],
		},
		"of others, elsewhere": {
			"change": {
				"plan": {"sources": [snapshots.source("dryrun")]},
				"validatingPolicies": [{"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "ours"}, "spec": {
					"matchConstraints": {"resourceRules": []},
				}}],
			},
			"facts": [],
			"outcome": ["audited", true],
		},
		"may not be read": {
			"change": {
				"plan": {"sources": [snapshots.source("dryrun")]},
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
	snapshots.pod_steps(case.change) == array.concat(
		case.facts,
		[snapshots.passed(snapshots.by_name, "its action is dryrun"), snapshots.audited],
	)
	found := snapshots.report_on(case.change).pod
	[found.outcome, found.certain] == case.outcome
}

test_another_policy_of_pullguard_is_not_about_this if {
	other := object.union(
		snapshots.ours("ValidatingAdmissionPolicy", snapshots.protected),
		{"metadata": {"annotations": {"pullguard/policy": "protected_image_pinning"}}},
	)
	mutating := object.union(other, {"kind": "MutatingAdmissionPolicy"})
	change := {
		"validatingPolicies": [other],
		"validatingBindings": [snapshots.binding("b", ["Deny"], {})],
		"mutatingPolicies": [mutating],
		"mutatingBindings": [snapshots.binding("b", [], {})],
	}
	snapshots.pod_steps(change) == [
		[snapshots.validating, snapshots.by_name, "deny", "", "it is Always"],
		snapshots.audited,
	]
}

test_a_config_does_not_affect_admission_policies if {
	change := object.union(
		snapshots.bound(["Deny"]),
		{"unknown": ["Config"]},
	)
	snapshots.outcomes(change) == snapshots.same("denied-by-policy", true)
}
