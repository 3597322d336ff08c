# METADATA
# title: What gives the next pod another pull policy
# description: |
#   The admission plugin AlwaysPullImages, pullguard's MutatingAdmissionPolicy and Gatekeeper's Assigns. input is that
#   of data.scope.plan, and of data.scope.report: {unknown, mutatingWebhooks, configs, mutatingPolicies,
#   mutatingBindings, assigns}. Of pods, those of API servers count, and the namespaces of others.
# scope: package
package outage.admission

import data.scope.mutation
import data.scope.plan
import data.scope.tools

# METADATA
# title: What is known of namespaces
# description: "{protected (names), mutations}."
# entrypoint: true
contents := {"protected": [namespace.name | some namespace in plan.protected], "mutations": found}

# METADATA
# title: What changes pull policies, by namespace
# description: |
#   [{by, value, certain, onlyPinned}], in the order in which the API server comes to it. Nothing of it reaches a static
#   pod. What asks a webhook is never certain: the webhook may be gone itself. Where the plugin AlwaysPullImages is on,
#   nothing else counts: in the end, it refuses every pod that does not say Always.
found[namespace.name] := changes if {
	some namespace in plan.namespaces
	changes := _changes(namespace)
}

_changes(namespace) := mutation.policies_set(namespace, "pod") if {
	_plugins == []
} else := _plugins

_plugins := [{"by": by, "value": "Always", "certain": true, "onlyPinned": false} | some by in tools.plugins]
