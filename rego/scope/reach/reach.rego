# METADATA
# title: Whether Gatekeeper is asked about a request
# description: |
#   By its webhooks, and by its Config. role is "validation" or "mutation"; requests are those of data.lib.requests.
# scope: package
package scope.reach

import data.lib.requests
import data.scope.gatekeeper
import data.scope.steps

# METADATA
# title: The reason why Gatekeeper is not asked about a request
# description: Undefined if it is asked, or may be.
barrier(role, request) := _barrier(_webhooks[role], role, request)

# METADATA
# title: Reasons why it is not certain that Gatekeeper is asked about a request
# description: An array of undecided effects, as defined by data.scope.steps.
doubts(role, request) := array.concat(config_doubts, _webhook_doubts(_webhooks[role], role, request))

# METADATA
# title: The undecided effect of a Config that could not be read
config_doubts := [steps.unknown("any", "Gatekeeper's Config could not be read") | "Config" in input.unknown]

_webhooks := {
	"validation": gatekeeper.webhooks(input.validatingWebhooks, "validation"),
	"mutation": gatekeeper.webhooks(input.mutatingWebhooks, "mutation"),
}

_kinds := {"validation": "ValidatingWebhookConfiguration", "mutation": "MutatingWebhookConfiguration"}

_processes := {"validation": "webhook", "mutation": "mutation-webhook"}

_strongest := {"validation": "deny", "mutation": "mutate"}

_barrier([], role, _) := "Gatekeeper has no webhook for this" if not _kinds[role] in input.unknown

_barrier(webhooks, role, request) := text if {
	count(webhooks) > 0
	text := _refusal(webhooks, request)
} else := text if {
	count(webhooks) > 0
	text := _exclusion(_processes[role], request.namespace.name)
}

_refusal(webhooks, request) := sprintf("%s is not asked due to its %s", [webhooks[0].configuration, answers[0].by]) if {
	answers := [requests.webhook(entry.webhook, request) | some entry in webhooks]
	every answer in answers {
		answer.verdict == "mismatch"
	}
}

_exclusion(process, namespace) := sprintf("Gatekeeper's Config excludes %s from %s", [pattern, process]) if {
	pattern := gatekeeper.exclusion(input.configs, process, namespace)
}

_webhook_doubts([], role, _) := [steps.unknown(_strongest[role], text)] if {
	text := sprintf("Gatekeeper's %s could not be read", [_kinds[role]])
}

_webhook_doubts(webhooks, role, request) := [steps.unknown(_strongest[role], text) |
	answers := [requests.webhook(entry.webhook, request) | some entry in webhooks]
	requests.any_of({answer.verdict | some answer in answers}) == "unknown"
	by := [answer.by | some answer in answers; answer.verdict == "unknown"][0]
	text := sprintf("it cannot be decided here whether %s is asked, because of its %s", [webhooks[0].configuration, by])
] if {
	count(webhooks) > 0
}
