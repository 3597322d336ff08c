# What is implied, what is done, and edits of lists.
package policies.protected_pull_policy_test

# At admission the API server has filled in what a pod does not say; in a custom resource nobody has.
test_implied_policies[name] if {
	review := _pod({"containers": [_container("x:1", null)], "volumes": [{"name": "v", "image": {"reference": "y:1"}}]})
	both := {"spec.containers[0]", "spec.volumes[0]"}
	some name, [operation, implied, paths] in {
		"audit": ["", "audit", both],
		"created": ["CREATE", "audit", set()],
		"updated": ["UPDATE", "audit", set()],
		"created, to be denied": ["CREATE", "deny", both],
		"audit, allowed": ["", "allow", set()],
		"created, allowed": ["CREATE", "allow", set()],
		"audit, parameter of the wrong type": ["", 7, both],
		"created, parameter of the wrong type": ["CREATE", 7, set()],
	}
	violations := _violations(_at_admission(operation, review), object.union(_defaults, {"impliedPolicy": implied}))
	{violation.details.path | some violation in violations} == paths
}

test_a_policy_that_is_no_longer_stated_is_new if {
	stated := {"spec": {"containers": [_container("x:1", "IfNotPresent")]}}
	implied := {"spec": {"containers": [_container("x:1", null)]}}
	parameters := object.union(_defaults, {"impliedPolicy": "deny"})
	count(_violations(_update(_pod(implied.spec), stated), parameters)) == 1
	_violations(_update(_pod(implied.spec), implied), parameters) == set()
}

_done(kind) := _review("batch", "Job", {
	"spec": {"template": {"spec": {"containers": [_container("x:1", "Always")]}}},
	"status": {"conditions": [{"type": kind, "status": "True"}]},
})

# Nothing of it starts again; what an UPDATE brings is not done.
test_what_is_done_is_left_alone[name] if {
	some name, [review, operation, number] in {
		"a Job that is complete": [_done("Complete"), "", 0],
		"a Job that is suspended": [_done("Suspended"), "", 1],
		"a pod that has failed": [
			_review("", "Pod", {
				"spec": {"containers": [_container("x:1", "Always")]}, "status": {"phase": "Failed"},
			}),
			"", 0,
		],
		"at admission": [_done("Complete"), "UPDATE", 1],
	}
	count(_violations(_at_admission(operation, review), _defaults)) == number
}

_jobs(entries) := {"spec": {"jobs": [entry |
	some [name, stated] in entries
	entry := object.union(name, {"spec": {"containers": [_container("x:1", stated)]}})
]}}

test_entries_of_lists_are_not_mixed_up[name] if {
	[a, b] := [{"name": "a"}, {"name": "b"}]
	some name, [before, now, paths] in {
		"another entry": [[[a, "Always"], [b, "Never"]], [[a, "Always"], [b, "Always"]], {"spec.jobs[1].spec.containers[0]"}],
		"one more": [[[a, "Always"]], [[a, "Always"], [b, "Always"]], {"spec.jobs[1].spec.containers[0]"}],
		"another order": [[[a, "Always"], [b, "Never"]], [[b, "Never"], [a, "Always"]], set()],
		"one less": [[[b, "Never"], [a, "Always"]], [[a, "Always"]], set()],
		"another entry, without names": [[[{}, "Always"], [{}, "Never"]], [[{}, "Always"], [{}, "Always"]], {
			"spec.jobs[0].spec.containers[0]", "spec.jobs[1].spec.containers[0]",
		}],
		"one more, without names": [[[{}, "Always"]], [[{}, "Always"], [{}, "Always"]], {
			"spec.jobs[0].spec.containers[0]", "spec.jobs[1].spec.containers[0]",
		}],
		"another order, without names": [[[{}, "Always"], [{}, "Never"]], [[{}, "Never"], [{}, "Always"]], set()],
	}
	review := _update(_review("example.com", "Jobs", _jobs(now)), _jobs(before))
	violations := _violations(review, object.union(_defaults, {"customKinds": _jobs_kind}))
	{violation.details.path | some violation in violations} == paths
}

_jobs_kind := [{"group": "example.com", "kind": "Jobs", "paths": ["spec.jobs[].spec"]}]

test_what_is_too_large_is_refused_where_it_is_suspect[name] if {
	many := [_container("x:1", "IfNotPresent") | some _ in numbers.range(1, 1000)]
	some name, [operation, last, reasons] in {
		"created": ["CREATE", _container("x:1", "Always"), {"unjudged"}],
		"created, nothing odd": ["CREATE", _container("x:1", "IfNotPresent"), set()],
		"audit": ["", _container("x:1", "Always"), {"always"}],
	}
	review := _at_admission(operation, _pod({"containers": array.concat(many, [last])}))
	{violation.details.reason | some violation in _violations(review, _defaults)} == reasons
}
