# METADATA
# title: Admission policies
# description: |
#   Which requests ValidatingAdmissionPolicies and MutatingAdmissionPolicies are asked about, by their bindings, and
#   what is known of those that pullguard has written.
# scope: package
package scope.policies

import data.lib.globs
import data.lib.requests
import data.scope.steps

# METADATA
# title: The policy that is CEL's twin of a policy in Rego
# description: Its name in pullguard's library, by the annotation that pullguard writes. Undefined for others.
written_for(policy) := policy.metadata.annotations["pullguard/policy"] if {
	is_string(policy.metadata.annotations["pullguard/policy"])
}

# METADATA
# title: The parameters that pullguard has written into an admission policy
parameters(policy) := stated if {
	stated := _summary(policy).parameters
} else := {}

# METADATA
# title: Whether an admission policy of pullguard protects a namespace
# description: By name, glob or label. Unknown if its CEL was edited since.
protects(policy, namespace) := requests.any_of({_named(protected, namespace), _selected(protected, namespace)}) if {
	protected := _summary(policy).protectedNamespaces
} else := "unknown"

_named(protected, namespace) := "match" if {
	globs.match_any(protected.names, namespace.name)
} else := "mismatch"

_selected(protected, namespace) := "mismatch" if {
	object.get(protected, "selector", null) == null
} else := requests.selected(protected.selector, namespace)

# The summary of the variables that pullguard writes, so that nobody has to read CEL. Undefined if they were edited
# since.
_summary(policy) := summary if {
	summary := json.unmarshal(policy.metadata.annotations["pullguard/summary"])
	summary.sha256 == crypto.sha256(concat("\n", [variable.expression | some variable in policy.spec.variables]))
}

# METADATA
# title: The effect of a policy that pullguard has not written
# description: It does not count.
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
		requests.bound(policy, binding, request),
		_own_answer(policy, request.namespace),
	]
	answers := [answer |
		some wanted in ["mismatch", "unknown", "match"]
		some answer in parts
		answer.verdict == wanted
	]
}

# CEL is not evaluated here: what else a policy asks is known only if pullguard wrote it.
_own_answer(policy, namespace) := {"verdict": protects(policy, namespace), "by": "isProtected"} if {
	written_for(policy)
} else := {"verdict": "match", "by": ""}
