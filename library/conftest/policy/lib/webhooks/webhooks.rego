# METADATA
# title: Admission webhooks
# description: ValidatingWebhookConfigurations and MutatingWebhookConfigurations, and the Services behind them.
# scope: package
package lib.webhooks

# METADATA
# title: The webhooks of a configuration
# description: |
#   An array of {index, name, failurePolicy, timeoutSeconds, service, field, webhook}: `failurePolicy` and
#   `timeoutSeconds` are those in force, `service` and `field` are as in host(), null where there is no Service, and
#   `webhook` is the whole entry. A list or an entry of the wrong type, which the API server refuses, has none; nor have
#   other kinds.
entries(configuration, kind) := [entry |
	kind.group == "admissionregistration.k8s.io"
	kind.kind in {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
	is_array(configuration.webhooks)
	some index, webhook in configuration.webhooks
	is_object(webhook)
	entry := object.union(_host_or_none(object.get(webhook, "clientConfig", null)), {
		"index": index,
		"name": object.get(webhook, "name", null),
		"failurePolicy": _failure_policy(object.get(webhook, "failurePolicy", null), kind),
		"timeoutSeconds": _timeout(object.get(webhook, "timeoutSeconds", null), kind),
		"webhook": webhook,
	})
]

# METADATA
# title: The webhooks of a configuration that have a Service
# description: Those of entries() whose `service` is not null.
served(configuration, kind) := [entry |
	some entry in entries(configuration, kind)
	entry.service != null
]

# METADATA
# title: The Service that a clientConfig names
# description: |
#   {service, field}: `field` is what names it, "service" or "url", as the host of a URL may be that of a Service.
#   Undefined where there is none.
host(client) := {"service": named, "field": "service"} if {
	named := service(client.service)
} else := {"service": of_url(client.url), "field": "url"}

# METADATA
# title: The Service whose name in the cluster's DNS a URL has as its host
# description: Undefined for other URLs. The domain of the cluster is taken to be cluster.local.
of_url(url) := {"namespace": namespace, "name": name} if {
	pattern := `^https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?\.?(?::[0-9]+)?(?:[/?#].*)?$`
	[[_, name, namespace]] := regex.find_all_string_submatch_n(pattern, lower(url), 1)
}

# METADATA
# title: A reference to a Service
# description: |
#   {namespace, name}. A field that is not a string is null; so are both if the reference is of the wrong type.
#   Undefined for null.
service(reference) := {"namespace": _text(reference, "namespace"), "name": _text(reference, "name")} if {
	reference != null
}

# METADATA
# title: A Service as messages name it
shown(reference) := sprintf("%s/%s", [_or_none(reference.namespace), _or_none(reference.name)])

# METADATA
# title: Whether an API group is none of Kubernetes' own
# description: |
#   Its kinds are custom resources, or those of an aggregated API. An asterisk stands for Kubernetes' own groups too.
is_custom(group) if {
	is_string(group)
	not group in {
		"", "*", "apps", "autoscaling", "batch", "extensions", "policy",
		"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
		"authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
		"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io",
		"rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
		"storagemigration.k8s.io",
	}
}

_host_or_none(client) := host(client)

_host_or_none(client) := {"service": null, "field": null} if not host(client)

# The API server's default is Ignore in v1beta1 and Fail in v1. A value that it does not know counts as Fail.
_failure_policy(stated, kind) := "Ignore" if {
	stated == "Ignore"
} else := "Ignore" if {
	stated == null
	kind.version == "v1beta1"
} else := "Fail"

# The API server's default is 30 in v1beta1 and 10 in v1.
_timeout(stated, kind) := stated if {
	is_number(stated)
} else := 30 if {
	kind.version == "v1beta1"
} else := 10

_text(reference, field) := text if {
	text := reference[field]
	is_string(text)
	text != ""
} else := null

_or_none(text) := "(none)" if {
	text == null
} else := text
