# METADATA
# title: Other tools that change pods
# description: The tools that may have changed the pods of a namespace at admission.
# scope: package
package scope.tools

import data.lib.requests
import data.scope.gatekeeper
import data.scope.policies
import data.scope.probes

# METADATA
# title: The changes in a namespace, and the suspects
# description: "{changed, suspects}. Without changes there are no suspects."
at_work(namespace) := {"changed": changed, "suspects": suspects} if {
	changed := [object.remove(change, ["namespace"]) |
		some change in input.plan.changed
		change.namespace == namespace.name
	]
	suspects := [suspect | count(changed) > 0; some suspect in _suspects(namespace, changed)]
}

_suspects(namespace, changed) := array.flatten([
	[plugin | some plugin in plugins; _changes_policies(changed)],
	_webhooks(probes.next_pod_request(namespace)),
	_policies(probes.next_pod_request(namespace)),
])

# METADATA
# title: The admission plugins that change pull policies
# description: Known by the arguments of API servers that run as pods.
plugins := [sprintf("the admission plugin AlwaysPullImages, which the pod %s turns on", [name]) |
	some pod in input.pods
	_turns_on_always_pull_images(pod)
	name := sprintf("%s/%s", [pod.metadata.namespace, pod.metadata.name])
]

# AlwaysPullImages changes containers, but injects none.
_changes_policies(changed) if {
	some change in changed
	change.policy != null
}

_webhooks(request) := [sprintf("the MutatingWebhookConfiguration %s", [configuration.metadata.name]) |
	some configuration in input.mutatingWebhooks
	_changes_pods(configuration, request)
]

_policies(request) := [sprintf("the MutatingAdmissionPolicy %s", [policy.metadata.name]) |
	some policy in input.mutatingPolicies
	not policies.written_for(policy)
	policies.applied(policy, input.mutatingBindings, request).verdict != "mismatch"
]

_turns_on_always_pull_images(pod) if {
	some container in pod.spec.containers
	some field in ["command", "args"]
	some argument in container[field]
	startswith(argument, "--enable-admission-plugins=")
	"AlwaysPullImages" in split(trim_prefix(argument, "--enable-admission-plugins="), ",")
}

_changes_pods(configuration, request) if {
	some webhook in configuration.webhooks
	requests.webhook(webhook, request).verdict != "mismatch"
	_is_suspect(configuration, webhook)
}

# Gatekeeper's own webhook is explained by its mutators.
_is_suspect(configuration, webhook) if {
	not webhook in {entry.webhook | some entry in gatekeeper.webhooks([configuration], "mutation")}
} else if {
	count(input.assigns) > 0
}
