# METADATA
# title: Admission policies
# description: |
#   Which requests ValidatingAdmissionPolicies and MutatingAdmissionPolicies are asked about, by their bindings, and
#   what is known of those that pullguard has written.
# scope: package
package scope.policies

import data.lib.selectors
import data.scope.kubernetes
import data.scope.steps

# METADATA
# title: The policy that is CEL's twin of a policy in Rego
# description: Its name in pullguard's library, by the annotation that pullguard writes. Undefined for others.
written_for(policy) := policy.metadata.annotations["pullguard/policy"] if {
	is_string(policy.metadata.annotations["pullguard/policy"])
}

# METADATA
# title: The parameters that pullguard has written into an admission policy
# description: Variables whose expression is a text or a list of texts, by name.
parameters(policy) := {variable.name: json.unmarshal(variable.expression) |
	some variable in policy.spec.variables
	variable.name in {"allowedPolicies", "controlledPods", "exemptImages"}
	json.is_valid(variable.expression)
}

# METADATA
# title: Whether an admission policy of pullguard takes a namespace for a protected one
# description: |
#   Read from its variable isProtected, as pullguard writes it: names, globs, a label selector. Unknown in other words.
protects(policy, namespace) := kubernetes.any_of({_alternative(trim_space(alternative), namespace) |
	some alternative in split(_is_protected(policy), "||")
})

_is_protected(policy) := expressions[0] if {
	expressions := [variable.expression |
		some variable in policy.spec.variables
		variable.name == "isProtected"
		is_string(variable.expression)
	]
	count(expressions) == 1
} else := ""

_alternative(text, namespace) := "match" if {
	text == "true"
} else := _named(namespace.name, json.unmarshal(list)) if {
	list := regex.find_all_string_submatch_n(`^request\.namespace in (\[[^\]]*\])$`, text, 1)[0][1]
	json.is_valid(list)
} else := _affixed(found[1], namespace.name, json.unmarshal(found[2])) if {
	found := regex.find_all_string_submatch_n(_affix, text, 1)[0]
} else := selectors.verdict({"matchExpressions": requirements}, namespace.labels, namespace.labelsComplete) if {
	found := regex.find_all_string_submatch_n(_requirement, text, -1)
	count(found) > 0
	concat(" && ", [match[0] | some match in found]) == text
	requirements := [_requirement_of(match) | some match in found]
} else := "unknown"

_affix := `^request\.namespace\.(contains|startsWith|endsWith)\(("[^"]*")\)$`

_named(name, names) := "match" if {
	name in names
} else := "mismatch"

_affixed(operator, name, text) := "match" if {
	_has(operator, name, text)
} else := "mismatch"

# One condition on a label, as pullguard writes it: whether it is there, among which values it is, or neither.
_requirement := concat("", [
	`(!\()?"([^"]*)" in namespaceObject\.metadata\.\?labels\.orValue\(\{\}\)`,
	`(?: && namespaceObject\.metadata\.labels\["[^"]*"\] in (\[[^\]]*\]))?\)?`,
])

_requirement_of(match) := {"key": match[2], "operator": operator} if {
	match[3] == ""
	operator := {"": "Exists", "!(": "DoesNotExist"}[match[1]]
} else := {"key": match[2], "operator": operator, "values": json.unmarshal(match[3])} if {
	operator := {"": "In", "!(": "NotIn"}[match[1]]
}

_has("contains", name, text) if contains(name, text)

_has("startsWith", name, text) if startswith(name, text)

_has("endsWith", name, text) if endswith(name, text)

# METADATA
# title: The effect of a policy that pullguard has not written
# description: Nobody counts it.
foreign := steps.unknown("", "is not pullguard's: what its CEL does cannot be decided here")

# METADATA
# title: Whether a policy is asked about a request
# description: |
#   {"verdict", "by"}: by any of the bindings; `by` is what says no or leaves it open. namespace is the request's.
applied(policy, bindings, request) := answers[0] if {
	own := [binding | some binding in bindings; binding.spec.policyName == policy.metadata.name]
	by_binding := [_by_binding(policy, binding, request) | some binding in own]
	answers := [answer |
		some wanted in ["match", "unknown", "mismatch"]
		some answer in array.concat(by_binding, [{"verdict": "mismatch", "by": "no binding"}])
		answer.verdict == wanted
	]
}

_by_binding(policy, binding, request) := answers[0] if {
	parts := [
		kubernetes.resources(object.get(policy, ["spec", "matchConstraints"], null), request),
		kubernetes.resources(object.get(binding, ["spec", "matchResources"], null), request),
		_own_answer(policy, request.namespace),
	]
	answers := [answer |
		some wanted in ["mismatch", "unknown", "match"]
		some answer in parts
		answer.verdict == wanted
	]
}

# What CEL asks beyond its scope: only what pullguard has written is known.
_own_answer(policy, namespace) := {"verdict": protects(policy, namespace), "by": "isProtected"} if {
	written_for(policy)
} else := {"verdict": "match", "by": ""}
