# METADATA
# title: Snapshots for the tests of scope
# description: |
#   A cluster with one protected namespace, one constraint that denies, and Gatekeeper's webhooks; changes of it, and
#   scope's results for it.
# scope: package
package testing.snapshots

import data.scope.report

rule := {"operations": ["CREATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}

seen := {
	"namespaceSelector": {"matchExpressions": [{"key": "admission.gatekeeper.sh/ignore", "operator": "DoesNotExist"}]},
}

hook(role, more) := {
	"metadata": {"name": sprintf("gatekeeper-%s", [role])},
	"webhooks": [object.union({"name": sprintf("%s.gatekeeper.sh", [role]), "rules": [rule]}, more)],
}

namespace := {
	"name": "a",
	"exists": true,
	"labels": {"kubernetes.io/metadata.name": "a"},
	"labelsComplete": true,
	"constraints": [{"source": 0, "assumed": false}],
}

source(action) := {
	"policy": "protected_pull_policy",
	"kind": "K8sProtectedPullPolicy", "name": "by-name", "parameters": {},
	"admission": [action], "audit": [action],
}

answer(probe, point, messages) := {
	"namespace": "a", "source": 0, "point": point, "probe": probe, "workload": null, "messages": messages,
}

answers := [answer(probe, point, ["it is Always"]) |
	some probe in ["pod", "deployment"]
	some point in ["admission", "audit"]
]

plan := {"namespaces": [namespace], "sources": [source("deny")], "unjudged": [], "changed": []}

base := {
	"plan": plan,
	"policies": {
		"K8sProtectedImageCache": "protected_image_cache",
		"K8sProtectedPullPolicy": "protected_pull_policy",
	},
	"answers": answers,
	"unknown": [],
	"validatingWebhooks": [hook("validation", seen)],
	"mutatingWebhooks": [hook("mutation", seen)],
	"configs": [],
	"validatingPolicies": [],
	"validatingBindings": [],
	"mutatingPolicies": [],
	"mutatingBindings": [],
	"assigns": [],
	"deployments": [],
	"pods": [],
}

report_on(change) := namespaces[0] if {
	namespaces := report.namespaces with input as object.union(base, change)
}

outcomes(change) := {probe: [found[probe].outcome, found[probe].certain, found[probe].otherwise] |
	found := report_on(change)
	some probe in ["pod", "deployment"]
}

same(outcome, certain) := {"pod": [outcome, certain, outcome], "deployment": [outcome, certain, outcome]}

pod_steps(change) := [[fact.stage, fact.by, fact.effect, fact.could, fact.text] |
	some fact in report_on(change).pod.facts
]

validating := "ValidatingWebhookConfiguration"

asked := "validation.gatekeeper.sh"

by_name := "K8sProtectedPullPolicy by-name"

audited := ["Audit", by_name, "audit", "", "reports it"]

with_namespace(change) := {"plan": {"namespaces": [object.union(namespace, change)]}}

with_source(change) := {"plan": {"sources": [object.union(source("deny"), change)]}}

ignored := {"labels": {"admission.gatekeeper.sh/ignore": "x"}}

passed(by, text) := [validating, by, "pass", "", text]

excluded_from_audit := {"configs": [{
	"metadata": {"name": "config"},
	"spec": {"match": [{"processes": ["audit"], "excludedNamespaces": ["a"]}]},
}]}

ours(kind, protected) := {
	"kind": kind,
	"metadata": {
		"name": "ours",
		"annotations": {
			"pullguard/policy": "protected_pull_policy",
			"pullguard/summary": json.marshal({"protectedNamespaces": {"names": protected}, "sha256": crypto.sha256("x")}),
		},
	},
	"spec": {
		"matchConstraints": {"resourceRules": [rule]},
		"variables": [{"name": "isProtected", "expression": {true: "edited", false: "x"}[protected == edited]}],
	},
}

edited := ["edited"]

binding(name, actions, more) := {"metadata": {"name": name}, "spec": object.union(
	{"policyName": "ours", "validationActions": actions},
	more,
)}

policy_source := {
	"policy": "protected_pull_policy",
	"kind": "ValidatingAdmissionPolicy", "name": "ours", "parameters": {},
	"admission": [], "audit": [],
}

policy_answers := [object.union(answer, {"source": 1, "messages": ["CEL: it is Always"]}) | some answer in answers]

protected := ["a"]

with_policy(protected, bindings) := {
	"plan": {"sources": [source("dryrun"), policy_source]},
	"answers": array.concat(answers, policy_answers),
	"validatingPolicies": [ours("ValidatingAdmissionPolicy", protected)],
	"validatingBindings": bindings,
}

bound(actions) := with_policy(protected, [binding("b", actions, {})])

pods_only := {"spec": {"matchConstraints": {"resourceRules": [object.union(rule, {"resources": ["pods"]})]}}}

with_mutation(protected) := {
	"mutatingPolicies": [object.union(ours("MutatingAdmissionPolicy", protected), pods_only)],
	"mutatingBindings": [binding("b", [], {})],
}

mutating := "MutatingAdmissionPolicy"

pod_kind := {"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}

mutator := {"metadata": {"name": "set"}, "spec": {
	"applyTo": [pod_kind],
	"location": "spec.containers[name:*].imagePullPolicy",
	"parameters": {"assign": {"value": "IfNotPresent"}},
}}

with_assign(change) := {"assigns": [object.union(mutator, {"spec": change})]}

audit_in_doubt := ["Audit", "audit.gatekeeper.sh", "unknown", "any", "Gatekeeper's Config could not be read"]
