# METADATA
# title: Webhook that blocks recovery
# description: |
#   While a webhook with failurePolicy Fail is down, the requests that it matches are refused. It stays down if they
#   include those that its own pods need to start. Several webhooks can block each other in this way, and a webhook can
#   block the pods of protected namespaces, or nodes and leases. If that depends on what the configuration does not show
#   (labels of the namespace or of the objects, matchConditions), the finding says that it may. For audit and CI only,
#   because the API server never sends webhook configurations to webhooks.
# scope: package
# custom:
#   kind: K8sWebhookBlocksRecovery
#   version: 1.0.0
#   include: lib.protection
#   rules:
#     blocks:
#       id: webhook-self-block
#       severity: high
#       title: The webhook blocks the creation of its own pods while it is down
#     may_block:
#       id: webhook-self-block-possible
#       severity: low
#       title: The webhook may block the creation of its own pods while it is down
#     blocks_start:
#       id: webhook-blocks-own-start
#       severity: high
#       title: The webhook blocks what its own pods need to start, other than their creation, while it is down
#     may_block_start:
#       id: webhook-blocks-own-start-possible
#       severity: low
#       title: The webhook may block what its own pods need to start, other than their creation, while it is down
#     cycle:
#       id: webhook-cycle
#       severity: high
#       title: The webhook and others block the creation of each other's pods while they are down
#     may_cycle:
#       id: webhook-cycle-possible
#       severity: low
#       title: The webhook and others may block the creation of each other's pods while they are down
#     blocks_nodes:
#       id: webhook-blocks-nodes
#       severity: high
#       title: The webhook blocks nodes or leases while it is down
#     may_block_nodes:
#       id: webhook-blocks-nodes-possible
#       severity: low
#       title: The webhook may block nodes or leases while it is down
#     blocks_protected:
#       id: webhook-blocks-protected
#       severity: medium
#       title: The webhook blocks pods of protected namespaces while it is down
#     may_block_protected:
#       id: webhook-blocks-protected-possible
#       severity: low
#       title: The webhook may block pods of protected namespaces while it is down
#     slow:
#       id: webhook-timeout
#       severity: medium
#       title: The webhook holds up pods, nodes or leases for more than 10 seconds while it is down
#     may_be_slow:
#       id: webhook-timeout-possible
#       severity: low
#       title: The webhook may hold up pods, nodes or leases for more than 10 seconds while it is down
#     needs_parameters:
#       id: admission-policy-needs-parameters
#       severity: medium
#       title: An admission policy denies pods, nodes or leases while its parameters, custom resources, are missing
#     may_need_parameters:
#       id: admission-policy-needs-parameters-possible
#       severity: low
#       title: An admission policy may deny pods, nodes or leases while its parameters, custom resources, are missing
#   enforcement: [audit, warn]
#   requiresSyncData:
#     - - groups: [""]
#         versions: [v1]
#         kinds: [Namespace]
#     - - groups: [admissionregistration.k8s.io]
#         versions: [v1]
#         kinds: [MutatingWebhookConfiguration]
#     - - groups: [admissionregistration.k8s.io]
#         versions: [v1]
#         kinds: [ValidatingWebhookConfiguration]
#     - - groups: [admissionregistration.k8s.io]
#         versions: [v1]
#         kinds: [ValidatingAdmissionPolicy]
package policies.webhook_blocks_recovery

import data.lib.messages
import data.lib.namespaces
import data.lib.protection
import data.lib.recovery
import data.lib.requests
import data.lib.webhooks

# METADATA
# title: A webhook that blocks, or may block, what brings pods back
violation contains {"msg": _message(entry, finding), "details": details} if {
	_is_judged
	some entry in _entries
	some finding in _findings[entry.index]
	details := {
		"path": sprintf("webhooks[%d]", [entry.index]),
		"webhook": entry.name,
		"namespace": object.get(entry, ["service", "namespace"], null),
		"service": object.get(entry, ["service", "name"], null),
		"requests": finding.requests,
		"namespaces": finding.namespaces,
		"undecided": finding.undecided,
		"reason": finding.reason,
	}
}

# METADATA
# title: An admission policy that denies, or may deny, what brings pods back while its parameters are missing
violation contains {"msg": _message_of_binding(reason), "details": details} if {
	_is_judged
	input.review.kind.group == "admissionregistration.k8s.io"
	input.review.kind.kind == "ValidatingAdmissionPolicyBinding"
	binding := input.review.object
	binding.spec.paramRef.parameterNotFoundAction == "Deny"
	"Deny" in binding.spec.validationActions
	caught := _caught_by_policy(binding)
	count(caught) > 0
	reason := _reason("needs_parameters", "may_need_parameters", caught)
	details := {
		"path": "spec.paramRef.parameterNotFoundAction",
		"policy": object.get(binding, ["spec", "policyName"], null),
		"requests": _whats(_decisive(caught)),
		"undecided": _undecided(_decisive(caught)),
		"reason": reason,
	}
}

_is_judged if not object.get(input.review, "operation", "") in {"DELETE", "CONNECT"}

_entries := webhooks.entries(input.review.object, input.review.kind)

# The problems of each webhook, by its index. Caught requests are an array of {what, namespace, by}: `by` has the fields
# that leave it open.
_findings[entry.index] contains _finding(reason, caught) if {
	some entry in _entries
	entry.failurePolicy == "Fail"
	caught := _own[entry.index]
	reason := _own_reason(caught)
}

_findings[entry.index] contains _finding(_reason("cycle", "may_cycle", caught), caught) if {
	some entry in _entries
	entry.failurePolicy == "Fail"
	caught := _cycles(entry)
	count(caught) > 0
}

_findings[entry.index] contains _finding(_reason("blocks_nodes", "may_block_nodes", caught), caught) if {
	some entry in _entries
	entry.failurePolicy == "Fail"
	caught := _of_nodes[entry.index]
	count(caught) > 0
}

_findings[entry.index] contains _finding(_reason("blocks_protected", "may_block_protected", caught), caught) if {
	some entry in _entries
	entry.failurePolicy == "Fail"
	caught := _protected[entry.index]
	count(caught) > 0
}

_findings[entry.index] contains _finding(_reason("slow", "may_be_slow", caught), caught) if {
	some entry in _entries
	entry.timeoutSeconds > 10
	caught := [part |
		some parts in [_own[entry.index], _of_nodes[entry.index], _protected[entry.index]]
		some part in parts
	]
	count(caught) > 0
}

_finding(reason, caught) := {
	"reason": reason,
	"requests": _whats(decisive),
	"namespaces": sort({part.namespace | some part in decisive; part.namespace != null}),
	"undecided": _undecided(decisive),
} if {
	decisive := _decisive(caught)
}

# Drops what is only possible if something is certain.
_decisive(caught) := certain if {
	certain := [part | some part in caught; part.by == []]
	count(certain) > 0
} else := caught

_reason(certain, possible, caught) := certain if {
	_undecided(_decisive(caught)) == []
} else := possible

_own_reason(caught) := _reason("blocks", "may_block", caught) if {
	some part in _decisive(caught)
	part.what == "creation"
} else := _reason("blocks_start", "may_block_start", caught) if count(caught) > 0

_whats(caught) := [what |
	some what in [
		"creation", "binding", "status", "tokens", "endpoints",
		"nodes", "node status", "node leases", "leases",
	]
	what in {part.what | some part in caught}
]

_undecided(caught) := [field |
	some field in ["namespaceSelector", "objectSelector", "matchConditions", "resourceRules", "policyName"]
	field in {field | some part in caught; some field in part.by}
]

# The requests of its own pods that a webhook catches. If its Service has no namespace, nothing is known of it.
_own[entry.index] := [part |
	entry.service != null
	some part in _caught(entry.webhook, _parts_of_pods[entry.index], _known(entry.service.namespace))
] if {
	some entry in _entries
}

_protected[entry.index] := [part |
	some namespace in _protected_namespaces
	not _is_own(entry, namespace)
	some part in _caught(entry.webhook, _parts_of_pods[entry.index], _known(namespace))
] if {
	some entry in _entries
}

_is_own(entry, namespace) if {
	namespace != null
	namespace == entry.service.namespace
}

_of_nodes[entry.index] := [part |
	some asked in _nodes
	some part in _caught(entry.webhook, [asked], asked.request.namespace)
] if {
	some entry in _entries
}

_caught(webhook, parts, namespace) := [{"what": part.what, "namespace": name, "by": by} |
	some part in parts
	request := object.union(part.request, {"namespace": namespace})
	name := object.get(request, ["namespace", "name"], null)
	fields := requests.webhook_fields(webhook, request)
	requests.together({verdict | some [_, verdict] in fields}) != "mismatch"
	by := [field | some [field, verdict] in fields; verdict == "unknown"]
]

# The requests that the rules of a webhook match in any namespace, which usually are none.
_parts_of_pods[entry.index] := [part |
	some part in _pods
	requests.webhook_rules(entry.webhook, part.request) != "mismatch"
] if {
	some entry in _entries
}

_pods := recovery.of_pods(namespaces.known(null, null))

_nodes := recovery.of_nodes({name: _known(name) | some name in recovery.lease_namespaces})

# The names without an asterisk, and the protected Namespaces of the inventory. If there are none of these, a glob or a
# selector stands for a namespace of which nothing is known.
_protected_namespaces := (_named | _selected) | _unknown

_named contains name if {
	some name in input.parameters.protectedNamespaces.names
	is_string(name)
	not contains(name, "*")
}

_selected contains name if {
	some name, namespace in data.inventory.cluster.v1.Namespace
	protection.verdict(input.parameters, name, namespace) == "match"
}

_unknown contains null if {
	count(_selected) == 0
	some name in input.parameters.protectedNamespaces.names
	contains(name, "*")
}

_unknown contains null if {
	count(_selected) == 0
	input.parameters.protectedNamespaces.selector != null
}

_known(name) := namespaces.known(name, _namespace_object(name))

# The labels of a Namespace are not known if the inventory is missing or lacks it.
_namespace_object(name) := found if {
	found := data.inventory.cluster.v1.Namespace[name]
} else := null

# Creations of pods in the namespaces of other webhooks that, directly or not, catch the creation of this one's pods.
_cycles(entry) := [part |
	some namespace, verdict in _edges(entry.webhook, entry.service.namespace)
	some by in _closed_by(namespace, entry.service.namespace, verdict)
	part := {"what": "creation", "namespace": namespace, "by": by}
]

# [[]] if the way back is certain, [["namespaceSelector"]] if it is possible, and [] if there is none. The field that
# leaves it open is not looked up: it usually is the namespaceSelector of a webhook on the way.
_closed_by(namespace, own, "match") := [[]] if {
	own in graph.reachable(_certain_edges, {namespace})
} else := _possibly_closed(namespace, own)

_closed_by(namespace, own, "unknown") := _possibly_closed(namespace, own)

_possibly_closed(namespace, own) := [["namespaceSelector"]] if {
	own in graph.reachable(_possible_edges, {namespace})
} else := []

_certain_edges[guard.namespace] := to if {
	some guard in _guards
	to := {namespace | some edges in _edges_of(guard.namespace); some namespace, "match" in edges}
}

_possible_edges[guard.namespace] := to if {
	some guard in _guards
	to := {namespace | some edges in _edges_of(guard.namespace); some namespace, _ in edges}
}

_edges_of(namespace) := [_edges(guard.webhook, namespace) | some guard in _guards; guard.namespace == namespace]

# The namespaces of other webhooks in which a webhook catches the creation of pods: "match" or "unknown".
_edges(webhook, own) := {namespace: verdict |
	is_string(own)
	some namespace in {guard.namespace | some guard in _guards}
	namespace != own
	request := object.union(_creation, {"namespace": _known(namespace)})
	verdict := requests.webhook(webhook, request).verdict
	verdict != "mismatch"
}

_creation := [part.request | some part in _pods; part.what == "creation"][0]

# The webhooks that can be part of a cycle: those under review, and those of the inventory.
_guards contains guard if {
	some entry in _entries
	some guard in _guard(entry)
}

_guards contains guard if {
	some kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]
	some version in ["v1", "v1beta1"]
	some name, configuration in data.inventory.cluster[sprintf("admissionregistration.k8s.io/%s", [version])][kind]
	[kind, name] != [input.review.kind.kind, object.get(input.review.object, ["metadata", "name"], null)]
	some entry in webhooks.entries(configuration, {
		"group": "admissionregistration.k8s.io",
		"version": version,
		"kind": kind,
	})
	some guard in _guard(entry)
}

_guard(entry) := [{"namespace": entry.service.namespace, "webhook": entry.webhook} |
	entry.failurePolicy == "Fail"
	is_string(entry.service.namespace)
	requests.webhook_rules(entry.webhook, _creation) != "mismatch"
]

# The requests about pods of protected namespaces, nodes and leases that an admission policy with this binding catches.
_caught_by_policy(binding) := [{"what": part.what, "namespace": null, "by": by} |
	policy := _policy(binding)
	_needs_custom_resources(policy)
	some part in array.concat(_protected_pods, _nodes)
	answer := requests.bound(policy, binding, part.request)
	answer.verdict != "mismatch"
	by := array.concat(
		[answer.by | answer.verdict == "unknown"],
		["policyName" | count(policy) == 0],
	)
]

_protected_pods := [object.union(part, {"request": {"namespace": _known(namespace)}}) |
	some namespace in _protected_namespaces
	some part in _pods
]

# Empty if the inventory lacks it.
_policy(binding) := found if {
	found := data.inventory.cluster["admissionregistration.k8s.io/v1"].ValidatingAdmissionPolicy[binding.spec.policyName]
} else := {}

_needs_custom_resources({})

_needs_custom_resources(policy) if {
	object.get(policy, ["spec", "failurePolicy"], null) in {null, "Fail"}
	[group, _] := split(policy.spec.paramKind.apiVersion, "/")
	webhooks.is_custom(group)
}

_message(entry, finding) := messages.fitted(head, value, sprintf("\": %s", [_problem(entry, finding)])) if {
	[noun, value] := _server(entry)
	name := messages.shortened(messages.printable(entry.name), 40)
	head := sprintf("webhook \"%s\" %s \"", [name, noun])
}

_server(entry) := ["service", webhooks.shown(entry.service)] if {
	entry.service != null
} else := ["url", object.get(entry.webhook, ["clientConfig", "url"], null)]

_problem(_, finding) := sprintf(
	"catches creation of its own pods, with failurePolicy Fail: once down it stays down; %s",
	[_exclude_own],
) if {
	finding.reason == "blocks"
}

_problem(_, finding) := sprintf("may catch creation of its own pods (%s decide): once down it may stay down; %s", [
	concat(", ", finding.undecided),
	_exclude_own,
]) if {
	finding.reason == "may_block"
}

_problem(_, finding) := sprintf("catches %s of its own pods, with failurePolicy Fail: once down it stays down; %s", [
	concat(", ", finding.requests),
	_exclude_own,
]) if {
	finding.reason == "blocks_start"
}

_problem(_, finding) := sprintf("may catch %s of its own pods (%s decide): once down it may stay down; %s", [
	_some(finding.requests),
	concat(", ", finding.undecided),
	_exclude_own,
]) if {
	finding.reason == "may_block_start"
}

_problem(_, finding) := sprintf("%s creation of pods in %s, and what runs there its own: %s; %s", [
	{"cycle": "catches", "may_cycle": "may catch"}[finding.reason],
	_some(finding.namespaces),
	{"cycle": "once down they stay down", "may_cycle": "once down they may stay down"}[finding.reason],
	"exclude namespaces of webhooks in namespaceSelector",
])

_problem(_, finding) := sprintf("%s %s, with failurePolicy Fail: while it is down, nodes may be lost; %s", [
	{"blocks_nodes": "catches", "may_block_nodes": "may catch"}[finding.reason],
	_some(finding.requests),
	"leave nodes and leases out of its rules",
])

_problem(_, finding) := sprintf("%s %s of pods in %s, with failurePolicy Fail: while it is down they stay down; %s", [
	{"blocks_protected": "catches", "may_block_protected": "may catch"}[finding.reason],
	_some(finding.requests),
	_some(finding.namespaces),
	"exclude them by name in namespaceSelector",
])

_problem(entry, finding) := sprintf("%s up %s for %d s while it is down, with any failurePolicy; %s", [
	{"slow": "holds", "may_be_slow": "may hold"}[finding.reason],
	_some(finding.requests),
	entry.timeoutSeconds,
	"leases run out after 10: set timeoutSeconds to at most 10",
])

_exclude_own := "exclude its namespace by name in namespaceSelector"

_some([]) := "protected namespaces"

_some(names) := messages.shortened(messages.printable(names[0]), 30) if count(names) == 1

_some(names) := sprintf("%s and %d more", [messages.shortened(messages.printable(names[0]), 30), count(names) - 1]) if {
	count(names) > 1
}

_message_of_binding(reason) := messages.fitted(
	"binding of policy \"",
	object.get(input.review.object, ["spec", "policyName"], null),
	sprintf("\": %s while its parameters are missing; set parameterNotFoundAction to Allow", [
		{
			"needs_parameters": "denies pods, nodes or leases",
			"may_need_parameters": "may deny pods, nodes or leases",
		}[reason],
	]),
)
