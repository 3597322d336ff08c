# METADATA
# title: Many objects at once
# description: >-
#   Evaluates all constraints for plain objects, outside of a cluster. data.pullguard.constraints is an array of
#   {"policy": key below data.policies, "constraint": the whole constraint with the defaults of its parameters}.
#   data.pullguard.enforcementPoint is the point where they are enforced; the default is gator's.
# scope: package
package gatekeeper.batch

import rego.v1

import data.gatekeeper.enforcement
import data.gatekeeper.hook
import data.gatekeeper.match
import data.gatekeeper.review

# METADATA
# title: One answer for each object of input.objects, in order
# description: >-
#   Answers are those of judge. input.namespace is the namespace of objects that do not state any ("" = not known);
#   input.namespaces are the known Namespaces by name, and input.inventory is data.inventory, where there is one.
#   Undefined if no constraints were loaded.
results := [judge(active, obj, input) | some obj in input.objects] if {
	is_array(data.pullguard.constraints)
}

# METADATA
# title: Which constraints select the objects of input.objects
# description: >-
#   For each object, the indices in active of the constraints that match it; "elsewhere" if none does, but one would in
#   another namespace; or null if that cannot be decided. Matching depends on apiVersion, kind and metadata only: on
#   namespace, and on name, generateName and labels if a match or a Namespace refers to them. Objects that agree in
#   these fields get the same result, so one of them can stand for all.
selections := [_selection(obj, input.namespace) | some obj in input.objects] if {
	is_array(data.pullguard.constraints)
}

# METADATA
# title: One answer for each object of input.objects, in order, if their selections are known
# description: Like results, but input.selections holds the values of selections for the objects.
selected_results := [answer |
	some i, obj in input.objects
	request := _request_for(obj, input.namespace, {})
	answer := _answer(request, [pair |
		some place in input.selections[i]
		entry := active[place]
		some answer in hook.violations(entry.policy, entry.constraint, request, {})
		pair := {"entry": entry, "answer": answer}
	])
]

_selection(obj, namespace) := null if {
	some outcome in _outcomes(obj, namespace)
	outcome.error
} else := places if {
	places := [place | some place, outcome in _outcomes(obj, namespace); outcome.matches]
	places != []
} else := "elsewhere" if {
	request := _request_for(obj, namespace, {})
	some entry in active
	without := object.remove(object.get(entry.constraint, ["spec", "match"], {}), _namespace_fields)
	match.outcome(without, request).matches
} else := []

_namespace_fields := ["namespaces", "excludedNamespaces", "namespaceSelector"]

# Outcomes by index in active, of the constraints about the object's kind. The others do not match, and cannot fail.
_outcomes(obj, namespace) := {} if {
	_about(review.kind_of(_with_api_version(obj))) == []
} else := {place: match.outcome(_match_of(active[place]), request) |
	some place in _about(request.review.kind)
} if {
	request := _request_for(obj, namespace, {})
}

# This is a function so that OPA evaluates it once for each kind: an input may hold 100,000 Namespaces.
_about(kind) := [place | some place, entry in active; match.about_kind(_match_of(entry), kind)]

_match_of(entry) := object.get(entry.constraint, ["spec", "match"], {})

# METADATA
# title: The enforced constraints
# description: >-
#   Those of data.pullguard.constraints that reach the enforcement point, each with its strictest action there as
#   "enforcementAction".
active := [object.union(entry, {"enforcementAction": strictest(actions)}) |
	some entry in data.pullguard.constraints
	actions := enforcement.actions(entry.constraint, _enforcement_point)
	count(actions) > 0
]

default _enforcement_point := "gator.gatekeeper.sh"

_enforcement_point := data.pullguard.enforcementPoint

# METADATA
# title: The strictest of a set of enforcement actions
# description: Unknown actions, which Gatekeeper does not enforce, are less strict than dryrun.
strictest(actions) := known[0] if {
	known := [action | some action in ["deny", "warn", "dryrun"]; action in actions]
} else := min(actions)

# METADATA
# title: The violations of constraints by one object
# description: >-
#   entries is a subset of active; known is {namespace, namespaces, inventory}, as in results. The answer has the
#   object's namespace ("" if it has none or it is not known) and responses: an array of {policy, constraint: {kind,
#   name}, enforcementAction, msg, details, namespaceAssumed}. namespaceAssumed tells that the constraint was assumed to
#   select the object's namespace, because the namespace or its labels are not known.
judge(entries, obj, known) := _answer(request, [pair |
	some entry in entries
	some answer in hook.responses(entry.policy, entry.constraint, request, object.get(known, "inventory", {}))
	pair := {"entry": entry, "answer": answer}
]) if {
	request := _request_for(obj, known.namespace, known.namespaces)
}

_answer(request, pairs) := {
	"namespace": object.get(request.review, "namespace", ""),
	"responses": [response |
		some pair in pairs
		response := {
			"policy": pair.entry.policy,
			"constraint": pair.answer.key,
			"enforcementAction": pair.entry.enforcementAction,
			"msg": pair.answer.msg,
			"details": pair.answer.details,
			"namespaceAssumed": _assumed(pair.entry.constraint, request),
		}
	],
}

_request_for(obj, namespace, namespaces) := _request(review.from_object(_with_api_version(obj), namespace), namespaces)

_request(subject, namespaces) := object.union(
	review.request(subject, _namespace_object(subject, namespaces)),
	{"unknownNamespace": "judge", "unstatedNamespace": _unstated_namespace},
)

# In a cluster, an object that does not state a namespace has none. For a manifest, the namespace is not known.
default _unstated_namespace := "judge"

_unstated_namespace := "none" if _enforcement_point == "audit.gatekeeper.sh"

# A Namespace is not in a Namespace.
_namespace_object(subject, namespaces) := found if {
	not review.is_namespace(subject.object)
	found := namespaces[subject.namespace]
} else := null

# If an object has no namespace, Gatekeeper assumes that every match on namespaces selects it.
_assumed(constraint, request) if {
	not request.review.namespace
	not review.cluster_scoped(request.object)
	_states_namespaces(constraint)
} else if {
	request.review.namespace
	request.namespaceObject == null
	not review.is_namespace(request.object)
	_states(constraint, "namespaceSelector")
} else := false

_states_namespaces(constraint) if {
	some field in _namespace_fields
	_states(constraint, field)
}

_states_namespaces(constraint) if constraint.spec.match.scope == "Namespaced"

_states(constraint, field) if not object.get(constraint, ["spec", "match", field], null) in {null, []}

# The API server rejects a manifest without apiVersion. Its author meant the group that has the kind.
_with_api_version(obj) := obj if {
	is_string(obj.apiVersion)
	obj.apiVersion != ""
} else := object.union(obj, {"apiVersion": _api_version(object.get(obj, "kind", ""))})

_api_version(kind) := version if {
	some version, kinds in _built_in
	kind in kinds
} else := ""

# One version for each group; nothing depends on the choice.
_built_in := {
	"v1": {
		"ConfigMap", "Endpoints", "LimitRange", "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
		"PodTemplate", "ReplicationController", "ResourceQuota", "Secret", "Service", "ServiceAccount",
	},
	"admissionregistration.k8s.io/v1": {
		"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
		"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
	},
	"apiextensions.k8s.io/v1": {"CustomResourceDefinition"},
	"apiregistration.k8s.io/v1": {"APIService"},
	"apps/v1": {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
	"autoscaling/v2": {"HorizontalPodAutoscaler"},
	"batch/v1": {"CronJob", "Job"},
	"networking.k8s.io/v1": {"Ingress", "IngressClass", "NetworkPolicy"},
	"policy/v1": {"PodDisruptionBudget"},
	"rbac.authorization.k8s.io/v1": {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
	"scheduling.k8s.io/v1": {"PriorityClass"},
	"storage.k8s.io/v1": {"StorageClass"},
}
