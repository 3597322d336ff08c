# METADATA
# title: Protected webhook host
# description: |
#   Servers of admission, conversion and aggregated APIs run in protected namespaces, because the API server depends on
#   them: while they are down, requests fail or are not checked. So they must restart without a registry. A webhook with
#   a URL is judged if its host is that of a Service, such as `https://name.namespace.svc`. For audit and CI only,
#   because the API server never sends webhook configurations to webhooks.
# scope: package
# custom:
#   kind: K8sProtectedWebhookHost
#   version: 1.1.0
#   rules:
#     fail:
#       id: webhook-host-unprotected-fail
#       severity: high
#       title: A webhook with failurePolicy Fail runs in a namespace that is not protected
#     custom:
#       id: webhook-host-unprotected-custom
#       severity: medium
#       title: A webhook with failurePolicy Fail for custom resources only runs in a namespace that is not protected
#     ignore:
#       id: webhook-host-unprotected-ignore
#       severity: low
#       title: A webhook with failurePolicy Ignore runs in a namespace that is not protected
#     conversion:
#       id: conversion-host-unprotected
#       severity: high
#       title: The conversion webhook of a custom resource runs in a namespace that is not protected
#     aggregated:
#       id: api-host-unprotected
#       severity: medium
#       title: What serves an aggregated API runs in a namespace that is not protected
#     undecided:
#       id: webhook-host-undecided
#       severity: low
#       title: Whether the namespace of a webhook is protected depends on labels that are not known
#     invalid:
#       id: webhook-host-invalid
#       severity: medium
#       title: The Service of a webhook names no namespace
#   include: lib.protection
#   match:
#     kinds:
#       - apiGroups: [admissionregistration.k8s.io]
#         kinds: [MutatingWebhookConfiguration, ValidatingWebhookConfiguration]
#       - apiGroups: [apiextensions.k8s.io]
#         kinds: [CustomResourceDefinition]
#       - apiGroups: [apiregistration.k8s.io]
#         kinds: [APIService]
#     scope: Cluster
#     namespacesToParameter: protectedNamespaces
#   enforcement: [audit, warn]
#   requiresSyncData:
#     - - groups: [""]
#         versions: [v1]
#         kinds: [Namespace]
package policies.protected_webhook_host

import data.lib.messages
import data.lib.protection
import data.lib.webhooks

# METADATA
# title: A Service that the API server depends on, in a namespace that is not protected
violation contains {"msg": _message(host, reason), "details": details} if {
	not object.get(input.review, "operation", "") in {"DELETE", "CONNECT"}
	some host in _hosts
	reason := _reason(host)
	details := {
		"path": host.path,
		"webhook": host.webhook,
		"namespace": host.service.namespace,
		"service": host.service.name,
		"failurePolicy": host.failurePolicy,
		"reason": reason,
	}
}

# Every Service that the API server calls because of the object, with the purpose as `use`.
_hosts contains host if {
	some served in webhooks.served(input.review.object, input.review.kind)
	host := {
		"path": sprintf("webhooks[%d].clientConfig.%s", [served.index, served.field]),
		"webhook": served.name,
		"service": served.service,
		"failurePolicy": served.failurePolicy,
		"use": _use(served),
	}
}

_hosts contains _converter("webhook.clientConfig", webhooks.host(_conversion.webhook.clientConfig))

# The form of v1beta1.
_hosts contains _converter("webhookClientConfig", webhooks.host(_conversion.webhookClientConfig))

_hosts contains _host("spec.service", service, "aggregated") if {
	input.review.kind.group == "apiregistration.k8s.io"
	input.review.kind.kind == "APIService"
	service := webhooks.service(input.review.object.spec.service)
}

# Pods come back without requests about custom resources.
_use(served) := "custom" if {
	served.failurePolicy == "Fail"
	count(served.webhook.rules) > 0
	every rule in served.webhook.rules {
		count(rule.apiGroups) > 0
		every group in rule.apiGroups {
			webhooks.is_custom(group)
		}
	}
} else := lower(served.failurePolicy)

_conversion := conversion if {
	input.review.kind.group == "apiextensions.k8s.io"
	input.review.kind.kind == "CustomResourceDefinition"
	conversion := input.review.object.spec.conversion
	not _calls_nothing(conversion)
}

_calls_nothing(conversion) if conversion.strategy == "None"

_converter(path, host) := _host(sprintf("spec.conversion.%s.%s", [path, host.field]), host.service, "conversion")

_host(path, service, use) := {"path": path, "webhook": null, "service": service, "failurePolicy": null, "use": use}

# Undefined if the namespace is protected.
_reason(host) := "invalid" if {
	host.service.namespace == null
} else := {"mismatch": host.use, "unknown": "undecided"}[_protection(host.service.namespace)]

_protection(namespace) := protection.verdict(input.parameters, namespace, _namespace_object(namespace))

# The labels of a Namespace are not known if the inventory is missing or lacks it.
_namespace_object(name) := found if {
	found := data.inventory.cluster.v1.Namespace[name]
} else := null

_message(host, reason) := messages.fitted(
	sprintf("%s service \"", [_noun(host)]),
	webhooks.shown(host.service),
	sprintf("\": %s", [_problems[reason]]),
)

_noun(host) := sprintf("webhook \"%s\"", [messages.shortened(messages.printable(host.webhook), 63)]) if {
	not host.use in {"aggregated", "conversion"}
} else := _nouns[host.use]

_nouns := {"aggregated": "aggregated API", "conversion": "conversion webhook"}

_problems := {
	"fail": sprintf(_unprotected, ["requests fail (failurePolicy Fail)"]),
	"custom": sprintf(_unprotected, ["requests about custom resources fail (failurePolicy Fail)"]),
	"ignore": sprintf(_unprotected, ["requests pass without it (failurePolicy Ignore)"]),
	"conversion": sprintf(_unprotected, ["custom resources cannot be converted"]),
	"aggregated": sprintf(_unprotected, ["its API is gone"]),
	"undecided": concat(" ", [
		"cannot tell whether its namespace is protected, as the labels are not in the inventory;",
		"sync Namespaces, or protect it by name",
	]),
	"invalid": "names no namespace, so nobody can tell whether it is protected; set service.namespace",
}

_unprotected := "its namespace is not protected: without its registry it may stay down, and %s; protect the namespace"
