# METADATA
# title: The Services that the API server depends on
# description: |
#   Asks the policy protected_webhook_host, with no namespace protected: whatever it then finds is a Service that the
#   API server calls. Loaded together with the modules of its template, without the rest of discover.
# scope: package
package discover.hosts

import data.gatekeeper.driver
import data.gatekeeper.review

# METADATA
# title: What calls which Service, and the policy's reason
# description: |
#   input is {policy (key below data.policies), objects (what may call Services)}. [{kind, name, path, webhook,
#   namespace, service, reason}]: `path` is where the object names the Service; `webhook` is null for what is none. A
#   Service without a namespace is left out.
# entrypoint: true
found := [host |
	some called in input.objects
	some violation in driver.violations(input.policy, {}, review.from_object(called, ""), {})
	is_string(violation.details.namespace)
	host := object.union(
		{"kind": called.kind, "name": review.name_of(called)},
		object.filter(violation.details, ["path", "webhook", "namespace", "service", "reason"]),
	)
]
