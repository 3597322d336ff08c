# METADATA
# title: What falls with a Service
# description: |
#   input is {webhooks ([{kind, object}]), policies, bindings, definitions, apis, namespaces, pods, services}: webhook
#   configurations, ValidatingAdmissionPolicies, their bindings, CustomResourceDefinitions, APIServices, Namespaces by
#   their names, [{namespace, labels, complete}], and [{namespace, name, selector}] with null for no selector.
# scope: package
package outage.cascade

import data.lib.namespaces
import data.lib.recovery
import data.lib.requests
import data.lib.selectors
import data.lib.webhooks

# METADATA
# title: What falls with Services, and what they select
# description: |
#   {guards, apis, conversions, selected}. Guards refuse something while their Service is down: [{kind, name, index,
#   webhook, service, by, pods, namespaces, nodes}]. `by` is "Service", or "conversion" for admission policies whose
#   parameters are custom resources. `pods` are those that they do not let be made, bound to a node or get tokens, as
#   [number, verdict]; `namespaces` those in which they refuse what makes pods ready, as [name, verdict]; `nodes` is the
#   verdict on nodes and leases. apis and conversions are [{name, service}]; selected are the pods of each Service.
# entrypoint: true
contents := {
	"guards": [object.union(guard, _caught(guard.fields)) | some guard in array.concat(_webhooks, _policies)],
	"apis": [{"name": api.metadata.name, "service": service} |
		some api in input.apis
		service := webhooks.service(api.spec.service)
	],
	"conversions": [{"name": definition.metadata.name, "service": service} |
		some definition in input.definitions
		service := _conversion(definition)
	],
	"selected": [_selected(service) | some service in input.services],
}

_webhooks := [{
	"kind": configuration.kind,
	"name": configuration.object.metadata.name,
	"index": entry.index,
	"webhook": entry.name,
	"service": entry.service,
	"by": "Service",
	"fields": {"webhook": entry.webhook},
} |
	some configuration in input.webhooks
	[_, version] := split(configuration.object.apiVersion, "/")
	some entry in webhooks.served(configuration.object, {
		"group": "admissionregistration.k8s.io",
		"version": version,
		"kind": configuration.kind,
	})
	entry.failurePolicy == "Fail"
]

# A policy whose parameters cannot be read denies, as does one whose webhook is down.
_policies := [{
	"kind": "ValidatingAdmissionPolicy",
	"name": policy.metadata.name,
	"index": 0,
	"webhook": null,
	"service": service,
	"by": "conversion",
	"fields": {"policy": policy, "binding": binding},
} |
	some policy in input.policies
	object.get(policy, ["spec", "failurePolicy"], null) in {null, "Fail"}
	service := _converter(policy.spec.paramKind)
	some binding in input.bindings
	binding.spec.policyName == policy.metadata.name
	binding.spec.paramRef
	"Deny" in binding.spec.validationActions
]

_converter(kind) := service if {
	some definition in input.definitions
	[definition.spec.group, definition.spec.names.kind] == [split(kind.apiVersion, "/")[0], kind.kind]
	service := _conversion(definition)
}

_conversion(definition) := webhooks.host(definition.spec.conversion.webhook.clientConfig).service if {
	definition.spec.conversion.strategy == "Webhook"
}

_caught(fields) := {
	"pods": [[number, verdict] |
		count(making) > 0
		some number, pod in input.pods
		verdict := requests.any_of({answer | some part in making; answer := _answer(fields, part, pod)})
		verdict != "mismatch"
	],
	"namespaces": [[name, verdict] |
		count(readying) > 0
		some name in _names
		pod := {"namespace": name, "labels": {}, "complete": false}
		verdict := requests.any_of({answer | some part in readying; answer := _answer(fields, part, pod)})
		verdict != "mismatch"
	],
	"nodes": requests.any_of({answer | some part in _nodes; answer := _verdict(fields, part.request)}),
} if {
	making := _relevant(fields, {"creation", "binding", "tokens"})
	readying := _relevant(fields, {"status", "endpoints"})
}

# What the rules are about, whatever the namespace: of most, nothing.
_relevant(fields, wanted) := [part |
	some part in recovery.of_pods(namespaces.known(null, null))
	part.what in wanted
	_verdict(fields, part.request) != "mismatch"
]

_answer(fields, part, pod) := _verdict(fields, object.union_n([
	part.request,
	{"namespace": _namespaces[pod.namespace]},
	_labels(part, pod),
]))

# Only what makes a pod has its labels.
_labels(part, pod) := {"labels": pod.labels, "labelsComplete": pod.complete} if {
	part.what == "creation"
} else := {}

_verdict(fields, request) := requests.webhook(fields.webhook, request).verdict

_verdict(fields, request) := requests.bound(fields.policy, fields.binding, request).verdict

_names contains pod.namespace if some pod in input.pods

_namespaces[name] := namespaces.known(name, object.get(input.namespaces, name, null)) if {
	some name in (_names | recovery.lease_namespaces)
}

_nodes := recovery.of_nodes({name: _namespaces[name] | some name in recovery.lease_namespaces})

# Endpoints of a Service without a selector are not made of pods.
_selected(service) := null if {
	not is_object(service.selector)
} else := null if {
	count(service.selector) == 0
} else := [number |
	some number, pod in input.pods
	pod.namespace == service.namespace
	selectors.verdict({"matchLabels": service.selector}, pod.labels, true) == "match"
]
