package scope.expansions_test

import data.scope.expansions

_expansion(change) := object.union(
	{"kind": "ExpansionTemplate", "metadata": {"name": "workloads"}, "spec": {
		"applyTo": [
			{"groups": ["apps"], "versions": ["v1"], "kinds": ["ReplicaSet", "Deployment"]},
			{"groups": ["batch"], "versions": ["v1"], "kinds": ["Job"]},
		],
		"templateSource": "spec.template",
		"generatedGVK": {"group": "", "version": "v1", "kind": "Pod"},
	}},
	{"spec": change},
)

_constraint(name, criteria) := {"metadata": {"name": name}, "spec": {"match": criteria}}

_note(consequence) := concat("", [
	"the ExpansionTemplate workloads makes Gatekeeper judge the pods of Deployment, Job, ReplicaSet as if they had no",
	" controller, by a, b: ", consequence, "; set match.source: Original in the constraints",
])

test_notes[name] if {
	original := _constraint("original", {"source": "Original"})
	for_all := [original, _constraint("b", {"source": "All"}), _constraint("a", {})]
	some name, [change, constraints, notes] in {
		"only what was asked for": [{"enforcementAction": "deny"}, [original], []],
		"whatever its source": [{}, for_all, [_note("deny refuses edits and scaling of existing objects")]],
		"an action of its own": [{"enforcementAction": "deny"}, for_all, [
			_note("its enforcementAction deny replaces that of the constraints"),
		]],
		"an action of the wrong type": [{"enforcementAction": 1}, for_all, [
			_note("deny refuses edits and scaling of existing objects"),
		]],
		"no pods": [{"generatedGVK": {"kind": "Job"}}, for_all, []],
		"pods of others": [{"generatedGVK": {"group": "example.org"}}, for_all, []],
		"nothing that it is made of": [{"applyTo": null}, for_all, []],
	}
	found := expansions.notes with input as {"expansions": [_expansion(change)], "constraints": constraints}
	found == notes
}

_spec := {"containers": []}

test_pod[name] if {
	some name, [kind, metadata, template, pods] in {
		"one with a name": ["apps/v1 Deployment", {"name": "web"}, {"metadata": {"labels": {"x": "y"}}, "spec": _spec}, [
			{"labels": {"x": "y"}, "name": "web-pod", "namespace": "a"},
		]],
		"one that gets a name": ["batch/v1 Job", {"generateName": "web-"}, {"metadata": null, "spec": _spec}, [
			{"name": "web-pod", "namespace": "a"},
		]],
		"no spec": ["apps/v1 Deployment", {"name": "web"}, {"metadata": {}}, []],
		"another kind": ["apps/v1 StatefulSet", {"name": "web"}, {"spec": _spec}, []],
	}
	[version, named] := split(kind, " ")
	obj := {"apiVersion": version, "kind": named, "metadata": metadata, "spec": {"template": template}}
	[pod.metadata | pod := expansions.pod(_expansion({}), obj, "a")] == pods
	[pod | pod := expansions.pod(_expansion({}), obj, "a")] == [
	{"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": _spec} |
		some made in pods
	]
}
