# METADATA
# title: Webhook that blocks itself
# description: |
#   A webhook with failurePolicy Fail that catches the creation of pods in the namespace of its own Service keeps itself
#   down: while none of its pods runs, none can be created. Where that depends on what the configuration does not show
#   (labels of the namespace or of the pods, matchConditions), it may. For audit and CI: admission never shows webhook
#   configurations to webhooks.
# scope: package
# custom:
#   kind: K8sWebhookSelfBlock
#   version: 1.0.0
#   rules:
#     blocks:
#       id: webhook-self-block
#       severity: high
#       title: The webhook blocks the creation of its own pods while it is down
#     may_block:
#       id: webhook-self-block-possible
#       severity: low
#       title: The webhook may block the creation of its own pods while it is down
#   match:
#     kinds:
#       - apiGroups: [admissionregistration.k8s.io]
#         kinds: [MutatingWebhookConfiguration, ValidatingWebhookConfiguration]
#     scope: Cluster
#   operations: [CREATE, UPDATE]
#   enforcement: [audit, warn]
#   requiresSyncData:
#     - - groups: [""]
#         versions: [v1]
#         kinds: [Namespace]
#   parameters:
#     type: object
#     properties: {}
package policies.webhook_self_block

import data.lib.messages
import data.lib.namespaces
import data.lib.selectors
import data.lib.webhooks

# METADATA
# title: A webhook that catches the creation of its own pods, or may do so
violation contains {"msg": _message(served, reason, undecided), "details": details} if {
	not object.get(input.review, "operation", "") in {"DELETE", "CONNECT"}
	some served in webhooks.served(input.review.object, input.review.kind)
	served.failurePolicy == "Fail"
	rules := _rules_for_pods(served.webhook)
	count(rules) > 0
	verdict := _namespace_verdict(served)
	verdict != "mismatch"
	undecided := _undecided(served.webhook, verdict)
	reason := _reason(undecided)
	details := {
		"path": sprintf("webhooks[%d]", [served.index]),
		"webhook": served.name,
		"namespace": served.service.namespace,
		"service": served.service.name,
		"rules": rules,
		"undecided": undecided,
		"reason": reason,
	}
}

_reason([]) := "blocks"

_reason(undecided) := "may_block" if undecided != []

# The indices of the rules that catch the creation of pods. Pods are served in one version of one group only, so
# matchPolicy makes no difference. A rule of the wrong type, which the API server refuses, catches nothing.
_rules_for_pods(webhook) := [index |
	is_array(webhook.rules)
	some index, rule in webhook.rules
	_names(rule.operations, {"*", "CREATE"})
	_names(rule.apiGroups, {"*", ""})
	_names(rule.apiVersions, {"*", "v1"})

	# To the API server, an asterisk for subresources stands for none too.
	_names(rule.resources, {"*", "*/*", "pods", "pods/*"})
	object.get(rule, "scope", null) in {null, "*", "Namespaced"}
]

_names(items, wanted) if {
	is_array(items)
	some item in items
	item in wanted
}

# What namespaceSelector says of the namespace of the webhook's own Service.
_namespace_verdict(served) := namespaces.verdict(selector, name, _namespace_object(name)) if {
	selector := _selector(served.webhook, "namespaceSelector")
	name := served.service.namespace # null where it is missing: an empty selector catches it all the same
}

# Without the inventory, and where it does not hold the Namespace, its labels are not known.
_namespace_object(name) := found if {
	found := data.inventory.cluster.v1.Namespace[name]
} else := null

# What stands between the webhook and its own pods, and cannot be seen from here.
_undecided(webhook, namespace_verdict) := [field |
	some field in ["namespaceSelector", "objectSelector", "matchConditions"]
	_is_undecided(field, webhook, namespace_verdict)
]

_is_undecided("namespaceSelector", _, "unknown")

# The labels of pods are not known.
_is_undecided("objectSelector", webhook, _) if {
	selectors.verdict(_selector(webhook, "objectSelector"), {}, false) == "unknown"
}

_is_undecided("matchConditions", webhook, _) if not object.get(webhook, "matchConditions", null) in {null, []}

# A selector that is not there selects everything.
_selector(webhook, field) := {} if {
	object.get(webhook, field, null) == null
} else := webhook[field]

_message(served, reason, undecided) := messages.fitted(head, webhooks.shown(served.service), sprintf("\": %s; %s", [
	_problem(reason, undecided),
	"exclude its namespace by name in namespaceSelector",
])) if {
	head := sprintf("webhook \"%s\" service \"", [messages.shortened(messages.printable(served.name), 40)])
}

_problem("blocks", _) := "catches creation of its own pods, with failurePolicy Fail: once down it stays down"

_problem("may_block", undecided) := sprintf(
	"may catch creation of its own pods (%s decide): once down it may stay down",
	[concat(", ", undecided)],
)
