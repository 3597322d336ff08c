# METADATA
# title: What falls with a Service
# description: |
#   input is {webhooks ([{kind, object}]), policies, bindings, definitions, apis, namespaces, pods, services,
#   registries}: webhook configurations, ValidatingAdmissionPolicies, their bindings, CustomResourceDefinitions,
#   APIServices, Namespaces by their names, [{namespace, labels, complete}], [{namespace, name, selector}] with null for
#   no selector, and as [{namespace, name}] the Services from which pods pull images.
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
#   webhook, service, by, makes, pods, mounts, readies, nodes}]. `by` is "Service", or "conversion" for admission
#   policies whose parameters are custom resources. `makes` are the namespaces whose pods they do not let be made, bound
#   to a node or get tokens, as [name, verdict]; if they look at labels, `pods` are these pods, as [number, verdict].
#   `mounts` are the namespaces whose pods they do not let get tokens: not each needs one, so these are never certain.
#   `readies` are the namespaces in which they refuse what makes pods ready; `nodes` is the verdict on nodes and leases.
#   apis and conversions are [{name, service}]; selected are the pods of each Service, null for one that nothing needs.
# entrypoint: true
contents := {
	"guards": [object.union(guard, caught) |
		some index, guard in _guards
		caught := {
			"makes": object.get(_makes, index, []),
			"pods": object.get(_pods, index, []),
			"mounts": _mounts[index],
			"readies": _readies[index],
			"nodes": _of_nodes[index],
		}
	],
	"apis": _apis,
	"conversions": _conversions,
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

# Two definitions may claim one kind; the API server serves one of them.
_converter(kind) := [service |
	some definition in input.definitions
	[definition.spec.group, definition.spec.names.kind] == [split(kind.apiVersion, "/")[0], kind.kind]
	service := _conversion(definition)
][0]

_conversion(definition) := webhooks.host(definition.spec.conversion.webhook.clientConfig).service if {
	definition.spec.conversion.strategy == "Webhook"
}

_guards := array.concat(_webhooks, _policies)

_makes[index] := _in_namespaces(_selected_by[index], _anywhere(guard.fields, _making[index], {})) if {
	some index, guard in _guards
	not _asks_for_labels(guard.fields)
}

_pods[index] := [[number, verdict] |
	likes := _likes[index]
	some number, like in likes
	of_namespace := _selected_by[index][input.pods[number].namespace]
	verdict := requests.together({of_namespace, verdicts[like]})
	verdict != "mismatch"
] if {
	some index, guard in _guards
	_asks_for_labels(guard.fields)

	# Of thousands of pods few are unlike in the labels that a guard asks for.
	verdicts := {like: verdict |
		some like in {like | some like in _likes[index]}
		verdict := _anywhere(guard.fields, _making[index], like)
	}
}

_likes[index] := {number: like |
	some name in object.keys(_selected_by[index])
	some number in _asked_about(guard.fields, _making[index], name)
	like := object.union(input.pods[number], {"namespace": "", "labels": object.filter(input.pods[number].labels, keys)})
} if {
	some index, guard in _guards
	keys := {key | some selector in _object_selectors(guard.fields); some key in _keys(selector)}
}

# A selector that demands one of some labels leaves out all pods but those that have one, or may.
_asked_about(fields, parts, namespace) := _numbers[namespace] & candidates if {
	every part in parts {
		part.what == "creation"
	}
	demanded := [labels | some selector in _object_selectors(fields); some labels in _demands(selector)][0]
	candidates := _incomplete | {number | some label in demanded; some number in _having[label]}
} else := _numbers[namespace]

_incomplete contains number if {
	some number, pod in input.pods
	not pod.complete
}

_having := {label: having |
	some pair in _labels_of_pods
	label := pair[0]
	having := {number | some other in _labels_of_pods; other[0] == label; number := other[1]}
}

_labels_of_pods contains [[key, value], number] if {
	some number, pod in input.pods
	some key, value in pod.labels
}

_demands(selector) := array.concat(
	[{[key, value]} |
		some key, value in selector.matchLabels
		is_string(key)
		is_string(value)
	],
	[labels |
		some expression in selector.matchExpressions
		expression.operator == "In"
		labels := {[expression.key, value] | some value in expression.values; is_string(value)}
		count(labels) > 0
		count(labels) == count(expression.values)
	],
)

_keys(selector) := {key | some key in object.keys(selector.matchLabels)} | {key |
	some expression in selector.matchExpressions
	key := expression.key
}

_mounts[index] := _in_namespaces(_selected_by[index], _anywhere(guard.fields, _mounting[index], {})) if {
	some index, guard in _guards
}

_readies[index] := _in_namespaces(_selected_by[index], _anywhere(guard.fields, _readying[index], {})) if {
	some index, guard in _guards
}

_of_nodes[index] := requests.any_of({answer | some part in _nodes; answer := _verdict(guard.fields, part.request)}) if {
	some index, guard in _guards
}

_making[index] := _relevant(guard.fields, {"creation", "binding", "tokens"}) if some index, guard in _guards

_mounting[index] := _relevant(guard.fields, {"tokens"}) if some index, guard in _guards

_readying[index] := _relevant(guard.fields, {"status", "endpoints"}) if some index, guard in _guards

# What the namespace has to do with it, and what all else has, are asked apart: the first for each namespace.
_selected_by[index] := {name: verdict |
	count(_making[index]) + count(_readying[index]) > 0
	some name in _names
	verdict := _of_namespace(guard.fields, _namespaces[name])
	verdict != "mismatch"
} if {
	some index, guard in _guards
}

_in_namespaces(namespaces_selected, verdict) := [[name, together] |
	some name, of_namespace in namespaces_selected
	together := requests.together({of_namespace, verdict})
	together != "mismatch"
]

_of_namespace(fields, namespace) := requests.together({verdict |
	some path in _namespace_selectors
	selector := object.get(fields, path, null)
	verdict := requests.namespace_selected(selector, {"namespace": namespace})
})

_anywhere(fields, parts, pod) := requests.any_of({verdict |
	some part in parts
	verdict := _needed(part.what, _verdict(
		json.remove(fields, [concat("/", path) | some path in _namespace_selectors]),
		object.union(part.request, _labels(part, pod)),
	))
})

# Not each pod asks for a token.
_needed("tokens", "match") := "unknown"

_needed("tokens", verdict) := verdict if verdict != "match"

_needed(what, verdict) := verdict if what != "tokens"

_namespace_selectors := [
	["webhook", "namespaceSelector"],
	["policy", "spec", "matchConstraints", "namespaceSelector"],
	["binding", "spec", "matchResources", "namespaceSelector"],
]

_asks_for_labels(fields) if count(_object_selectors(fields)) > 0

_object_selectors(fields) := {selector |
	some path in [
		["webhook", "objectSelector"],
		["policy", "spec", "matchConstraints", "objectSelector"],
		["binding", "spec", "matchResources", "objectSelector"],
	]
	selector := object.get(fields, path, null)
	not selector in {null, {}}
}

# What the rules are about, whatever the namespace: of most, nothing.
_relevant(fields, wanted) := [part |
	some part in recovery.of_pods(namespaces.known(null, null))
	part.what in wanted
	_verdict(fields, part.request) != "mismatch"
]

# Only what makes a pod has its labels.
_labels(part, pod) := {"labels": pod.labels, "labelsComplete": pod.complete} if {
	part.what == "creation"
} else := {}

_verdict(fields, request) := requests.webhook(fields.webhook, request).verdict

_verdict(fields, request) := requests.bound(fields.policy, fields.binding, request).verdict

_names contains pod.namespace if some pod in input.pods

# Tables of thousands of pods are comprehensions: for each entry of a rule like _numbers[namespace], OPA goes through
# all that were there before.
_numbers := {name: of_namespace |
	some name in _names
	of_namespace := {number | some number, pod in input.pods; pod.namespace == name}
}

_namespaces[name] := namespaces.known(name, object.get(input.namespaces, name, null)) if {
	some name in (_names | recovery.lease_namespaces)
}

_nodes := recovery.of_nodes({name: _namespaces[name] | some name in recovery.lease_namespaces})

# Nobody asks for the pods of other Services. Endpoints of one without a selector are not made of pods.
_selected(service) := null if {
	not {"namespace": service.namespace, "name": service.name} in _serving
} else := null if {
	object.get(service, "selector", null) in {null, {}}
} else := [number |
	label := [[key, value] | some key, value in service.selector][0]
	candidates := _numbers[service.namespace] & _having[label]
	some number in candidates
	selectors.verdict({"matchLabels": service.selector}, input.pods[number].labels, true) == "match"
]

_serving contains entry.service if {
	some entry in array.flatten([_guards, _apis, _conversions])
}

_serving contains service if some service in input.registries

_apis := [{"name": api.metadata.name, "service": service} |
	some api in input.apis
	service := webhooks.service(api.spec.service)
]

_conversions := [{"name": definition.metadata.name, "service": service} |
	some definition in input.definitions
	service := _conversion(definition)
]
