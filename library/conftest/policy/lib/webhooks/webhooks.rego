# METADATA
# title: Admission webhooks
# description: ValidatingWebhookConfigurations and MutatingWebhookConfigurations, and the Services behind them.
# scope: package
package lib.webhooks

# METADATA
# title: The webhooks of a configuration that have a Service
# description: |
#   An array of {index, name, failurePolicy, service, webhook}: `failurePolicy` is the one in force, `service` is as in
#   service(), `webhook` is the whole entry. A webhook with a URL has no Service; nor has a list or an entry of the
#   wrong type, which the API server refuses. None for other kinds.
served(configuration, kind) := [entry |
	kind.group == "admissionregistration.k8s.io"
	kind.kind in {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
	is_array(configuration.webhooks)
	some index, webhook in configuration.webhooks
	is_object(webhook)
	entry := {
		"index": index,
		"name": object.get(webhook, "name", null),
		"failurePolicy": _failure_policy(object.get(webhook, "failurePolicy", null), kind),
		"service": service(webhook.clientConfig.service),
		"webhook": webhook,
	}
]

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

# The API server's default is Ignore in v1beta1 and Fail in v1. A value that it does not know counts as Fail.
_failure_policy(stated, kind) := "Ignore" if {
	stated == "Ignore"
} else := "Ignore" if {
	stated == null
	kind.version == "v1beta1"
} else := "Fail"

_text(reference, field) := text if {
	text := reference[field]
	is_string(text)
	text != ""
} else := null

_or_none(text) := "(none)" if {
	text == null
} else := text
