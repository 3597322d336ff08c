package scope.mutation_test

import data.testing.snapshots

test_mutating_policy if {
	snapshots.outcomes(snapshots.with_mutation(snapshots.protected)) == {
		"pod": ["mutated", true, "denied-by-webhook"],
		"deployment": ["denied-by-webhook", true, "denied-by-webhook"],
	}
	snapshots.pod_steps(snapshots.with_mutation(snapshots.protected))[0] == [
		snapshots.mutating, "ours", "mutate", "",
		"sets IfNotPresent for pinned images; other images keep their policy",
	]
}

test_mutating_policy_in_doubt if {
	snapshots.outcomes(snapshots.with_mutation(snapshots.edited)).pod == ["denied-by-webhook", false, "denied-by-webhook"]
	snapshots.pod_steps(snapshots.with_mutation(snapshots.edited))[0] == [
		snapshots.mutating, "ours", "unknown", "mutate",
		"it cannot be decided here whether it applies (isProtected)",
	]
}

_elsewhere(protected) := object.union(snapshots.with_mutation(protected), {"mutatingPolicies": [object.union(
	snapshots.ours(snapshots.mutating, protected),
	{"metadata": {"annotations": {"pullguard/elsewhere": "Always"}}},
)]})

# A namespace that one policy takes to be protected is not one for what is done elsewhere.
test_mutating_policy_for_other_namespaces if {
	snapshots.outcomes(_elsewhere(["a"])) == snapshots.same("denied-by-webhook", true)
	not snapshots.mutating in {step[0] | some step in snapshots.pod_steps(_elsewhere(["a"]))}
	snapshots.outcomes(_elsewhere(["b"])) == snapshots.same("denied-by-webhook", true)
	snapshots.pod_steps(_elsewhere(["b"]))[0] == [snapshots.mutating, "ours", "pass", "", "sets Always itself"]
	snapshots.pod_steps(_elsewhere(snapshots.edited))[0] == [
		snapshots.mutating, "ours", "unknown", "mutate",
		"it cannot be decided here whether it applies (isProtected)",
	]
}

test_mutating_policy_of_others if {
	change := {
		"mutatingPolicies": [object.union(
			{"kind": snapshots.mutating, "metadata": {"name": "ours"}},
			snapshots.pods_only,
		)],
		"mutatingBindings": [snapshots.binding("b", [], {})],
	}
	snapshots.outcomes(change) == snapshots.same("denied-by-webhook", true)
	snapshots.pod_steps(change)[0] == [
		snapshots.mutating, "ours", "unknown", "",
		"is not pullguard's: the effect of its CEL cannot be decided here",
	]
}

test_mutation_that_may_not_be_read if {
	change := {"unknown": [snapshots.mutating, "MutatingAdmissionPolicyBinding", "Assign"]}
	snapshots.outcomes(change) == snapshots.same("denied-by-webhook", false)
	[[fact[0], fact[1], fact[3]] | some fact in snapshots.pod_steps(change)] == [
		[snapshots.mutating, snapshots.mutating, "mutate"],
		[snapshots.mutating, "MutatingAdmissionPolicyBinding", "mutate"],
		["MutatingWebhookConfiguration", "Assign", "mutate"],
		[snapshots.validating, snapshots.by_name, ""],
		["Audit", snapshots.by_name, ""],
	]
}

test_assign[name] if {
	some name, case in {
		"every pod": {
			"change": snapshots.with_assign({}),
			"fact": ["mutate", "", "sets IfNotPresent, whatever the stated policy"],
			"outcome": ["mutated", true, "denied-by-webhook"],
		},
		"on creation": {
			"change": snapshots.with_assign({"applyTo": [object.union(snapshots.pod_kind, {"operations": ["CREATE"]})]}),
			"fact": ["mutate", "", "sets IfNotPresent, whatever the stated policy"],
			"outcome": ["mutated", true, "denied-by-webhook"],
		},
		"Always": {
			"change": snapshots.with_assign({"parameters": {"assign": {"value": "Always"}}}),
			"fact": ["pass", "", "sets Always itself"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"another namespace": {
			"change": snapshots.with_assign({"match": {"namespaces": ["b"]}}),
			"fact": ["pass", "", "its match does not select it"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"the webhook is not asked": {
			"change": object.union(snapshots.with_assign({}), snapshots.with_namespace(snapshots.ignored)),
			"fact": ["pass", "", "gatekeeper-mutation is not asked due to its namespaceSelector"],
			"outcome": ["audited", true, "audited"],
		},
		"Config": {
			"change": object.union(snapshots.with_assign({}), {"configs": [{
				"metadata": {"name": "config"},
				"spec": {"match": [{"processes": ["mutation-webhook"], "excludedNamespaces": ["a"]}]},
			}]}),
			"fact": ["pass", "", "Gatekeeper's Config excludes a from mutation-webhook"],
			"outcome": ["denied-by-webhook", true, "denied-by-webhook"],
		},
		"path tests": {
			"change": snapshots.with_assign({"parameters": {"pathTests": [{"condition": "MustExist"}]}}),
			"fact": ["unknown", "mutate", "its pathTests are not evaluated here"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"no value": {
			"change": snapshots.with_assign({"parameters": {"assign": {"value": null}}}),
			"fact": ["unknown", "mutate", "it does not state a value"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"certain containers": {
			"change": snapshots.with_assign({"location": "spec.containers[name: app].imagePullPolicy"}),
			"fact": ["unknown", "mutate", "it only applies to containers with certain names"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"labels": {
			"change": object.union_n([
				snapshots.with_assign({}),
				snapshots.with_namespace({"labelsComplete": false}),
				{"mutatingWebhooks": [snapshots.hook("mutation", {})]},
				{"validatingWebhooks": [snapshots.hook("validation", {})]},
			]),
			"fact": ["unknown", "mutate", "the labels of the namespace are not known"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
		"no webhook could be read": {
			"change": object.union(snapshots.with_assign({}), {
				"mutatingWebhooks": [],
				"unknown": ["MutatingWebhookConfiguration"],
			}),
			"fact": ["unknown", "mutate", "Gatekeeper's MutatingWebhookConfiguration could not be read"],
			"outcome": ["denied-by-webhook", false, "denied-by-webhook"],
		},
	}
	snapshots.pod_steps(case.change)[0] == array.concat(["MutatingWebhookConfiguration", "Assign set"], case.fact)
	found := snapshots.report_on(case.change).pod
	[found.outcome, found.certain, found.otherwise] == case.outcome
	count(snapshots.report_on(case.change).deployment.facts) < count(snapshots.report_on(case.change).pod.facts)
}

test_assign_for_something_else[name] if {
	some name, change in {
		"location": {"location": "spec.containers[name:*].image"},
		"kind": {"applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Pod"]}]},
		"operation": {"applyTo": [object.union(snapshots.pod_kind, {"operations": ["UPDATE"]})]},
	}
	snapshots.pod_steps(snapshots.with_assign(change)) == [
		[snapshots.validating, snapshots.by_name, "deny", "", "it is Always"],
		snapshots.audited,
	]
}
