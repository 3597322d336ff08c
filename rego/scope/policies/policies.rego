# METADATA
# title: Admission policies
# description: |
#   The requests that ValidatingAdmissionPolicies and MutatingAdmissionPolicies apply to, by their bindings, and what
#   is known of the policies that pullguard has generated.
# scope: package
package scope.policies

import data.lib.globs
import data.lib.requests
import data.scope.steps

# METADATA
# title: The Rego policy that a CEL policy corresponds to
# description: Its name in pullguard's library, from pullguard's annotation. Undefined for other policies.
written_for(policy) := policy.metadata.annotations["pullguard/policy"] if {
	is_string(policy.metadata.annotations["pullguard/policy"])
}

# METADATA
# title: The pull policy that a CEL policy of pullguard sets in all namespaces but the protected ones
# description: From pullguard's annotation. Undefined for other policies.
set_elsewhere(policy) := value if {
	written_for(policy)
	value := policy.metadata.annotations["pullguard/elsewhere"]
	is_string(value)
}

# METADATA
# title: The parameters that pullguard has generated into an admission policy
parameters(policy) := stated if {
	stated := _summary(policy).parameters
} else := {}

# METADATA
# title: Whether an admission policy of pullguard protects a namespace
# description: By name, glob or label. Unknown if the CEL has been edited.
protects(policy, namespace) := requests.any_of({_named(protected, namespace), _selected(protected, namespace)}) if {
	protected := _summary(policy).protectedNamespaces
} else := "unknown"

_named(protected, namespace) := "match" if {
	globs.match_any(protected.names, namespace.name)
} else := "mismatch"

_selected(protected, namespace) := "mismatch" if {
	object.get(protected, "selector", null) == null
} else := requests.selected(protected.selector, namespace)

# pullguard's summary of the policy's variables, which makes it unnecessary to parse CEL. Undefined if they have been
# edited.
_summary(policy) := summary if {
	summary := json.unmarshal(policy.metadata.annotations["pullguard/summary"])
	summary.sha256 == crypto.sha256(concat("\n", [variable.expression | some variable in policy.spec.variables]))
}

# METADATA
# title: The effect of a policy that pullguard has not generated
# description: It has no influence on the outcome.
foreign := steps.unknown("", "is not pullguard's: the effect of its CEL cannot be decided here")

# METADATA
# title: Whether a policy applies to a request
# description: |
#   {"verdict", "by"}, for any of the bindings; `by` is the field that decides against it or leaves it open.
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
		requests.bound(policy, binding, request),
		_own_answer(policy, request.namespace),
	]
	answers := [answer |
		some wanted in ["mismatch", "unknown", "match"]
		some answer in parts
		answer.verdict == wanted
	]
}

# CEL is not evaluated here, so the conditions of a policy are only known if pullguard has generated it.
_own_answer(policy, namespace) := {"verdict": _opposite[protects(policy, namespace)], "by": "isProtected"} if {
	set_elsewhere(policy)
} else := {"verdict": protects(policy, namespace), "by": "isProtected"} if {
	written_for(policy)
} else := {"verdict": "match", "by": ""}

_opposite := {"match": "mismatch", "mismatch": "match", "unknown": "unknown"}
