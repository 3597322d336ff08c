# METADATA
# title: Protected pull policy
# description: |
#   In protected namespaces no container may have the effective pull policy Always, stated or implied. With Always the
#   kubelet asks the registry before it starts a container, even if the image is on the node, so the pod does not start
#   without its registry. A policy that the API server would fill in counts as stated.
# scope: package
# custom:
#   kind: K8sProtectedPullPolicy
#   version: 1.1.0
#   rules:
#     always:
#       id: pull-policy-always
#       severity: high
#       title: The pull policy is Always, so the pod cannot start without its registry
#     invalid:
#       id: pull-policy-invalid
#       severity: medium
#       title: The stated pull policy is none that Kubernetes knows
#     disallowed:
#       id: pull-policy-disallowed
#       severity: medium
#       title: The pull policy is not in allowedPolicies
#     implied:
#       id: pull-policy-implied
#       severity: low
#       title: The pull policy is implied, so that a live object keeps the one that was stored, be it Always
#     unjudged:
#       id: pull-policy-unjudged
#       severity: medium
#       title: There are more containers than can be judged in time
#   include: lib.uses
#   parameters:
#     type: object
#     properties:
#       allowedPolicies:
#         description: The pull policies that containers may have.
#         type: array
#         minItems: 1
#         default: [IfNotPresent, Never]
#         items:
#           type: string
#           enum: [IfNotPresent, Never]
#       impliedPolicy:
#         description: |
#           What to do if an allowed pull policy is implied, not stated: a live object that was made with another image
#           keeps the policy that was filled in then. `audit` reports it in audit and CI, `deny` at admission as well,
#           `allow` lets it pass.
#         type: string
#         enum: [allow, audit, deny]
#         default: audit
package policies.protected_pull_policy

import data.lib.images
import data.lib.kinds
import data.lib.messages
import data.lib.pods
import data.lib.uses

# Most objects under review are pods, and nearly all of them pass. So the rule first makes cheap checks, without
# functions or sets, and judges a pod in full only if one of them is positive: a container does not state IfNotPresent,
# there is an image volume, or IfNotPresent may not be allowed.

# METADATA
# title: A container or an image volume whose pull policy is not allowed
violation contains found if {
	_is_suspect
	some found in _violations
}

_is_suspect if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in input.review.object.spec[list]
	not container.imagePullPolicy == "IfNotPresent"
}

_is_suspect if input.review.object.spec.volumes[_].image

_is_suspect if not input.parameters.allowedPolicies[0] == "IfNotPresent"

_is_suspect if {
	input.review.kind != {"group": "", "version": "v1", "kind": "Pod"}
	_is_suspect_template
}

# The same checks for an object of any kind.
_is_suspect_template if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in _spec[list]
	not container.imagePullPolicy == "IfNotPresent"
}

_is_suspect_template if _spec.volumes[_].image

_is_suspect_template if {
	some custom in input.parameters.customKinds
	custom.kind == input.review.kind.kind
}

_is_suspect_template if kinds.known[input.review.kind.group][input.review.kind.kind]

_spec := pods.spec(input.review.object, input.review.kind)

_violations contains {"msg": _message(use, effective, reason), "details": details} if {
	not _is_past
	some use in uses.current(input)
	effective := images.effective_policy(use.stated, use.image)
	reason := _reason(use, effective)
	not uses.is_excused(use, input)
	not _is_kept(use)
	details := object.union(_certainty(reason), {
		"path": uses.pulled_path(use),
		"stated": use.stated,
		"effective": effective,
		"image": use.image,
		"reason": reason,
		"fix": _fix(use, reason),
	})
}

_violations contains {"msg": msg, "details": {"reason": "unjudged"}} if msg := uses.unjudged(input)

# Most manifests leave the policy to the API server. That matters only if the namespace is known to be protected.
_certainty(reason) := {"onlyIfCertain": true} if {
	reason == "implied"
} else := {}

# Audit leaves out what is done. At admission nothing is done yet.
_is_past if {
	not uses.is_admission(input)
	pods.is_finished(input.review.object, input.review.kind)
}

# Undefined if the use of the image is allowed.
_reason(use, effective) := _disallowed(effective) if {
	not effective in _allowed
} else := "implied" if {
	not use.stated == effective
	_tells_implied
	images.is_reference(use.image) # a patch or a template may get an image later, and a policy
}

_tells_implied if input.parameters.impliedPolicy == "deny"

_tells_implied if {
	not object.get(input, ["parameters", "impliedPolicy"], "audit") in {"allow", "deny"}
	not uses.is_admission(input)
}

_disallowed(effective) := "always" if {
	effective == "Always"
} else := "invalid" if {
	not effective in images.valid_policies
} else := "disallowed"

default _allowed := ["IfNotPresent", "Never"]

_allowed := input.parameters.allowedPolicies if is_array(input.parameters.allowedPolicies)

_is_kept(use) if _key(use) in _kept

_kept := uses.kept(
	[_key(use) | some use in uses.current(input)],
	[_key(use) | some use in uses.earlier(input)],
)

# For a policy that is not allowed, it does not matter how it is written.
_key(use) := [uses.identity(use), effective, _is_implied(use, effective)] if {
	effective := images.effective_policy(use.stated, use.image)
}

_is_implied(use, effective) if {
	effective in _allowed
	not use.stated == effective
} else := false

_message(use, effective, reason) := uses.message(use, sprintf("%s; %s", [
	_problem(use, effective, reason),
	_remedy(use),
]))

_problem(use, effective, "always") := sprintf("%s: cannot start without its registry", [cause]) if {
	cause := _cause(use, effective)
}

_problem(use, effective, "invalid") := sprintf("%s \"%s\" is not one of Always, IfNotPresent, Never", [
	use.field,
	messages.shortened(messages.printable(effective), 16),
])

_problem(use, _, "implied") := sprintf("no %s, so a live object keeps the one it has, be it Always", [use.field])

_problem(use, effective, "disallowed") := sprintf("%s is %s, not %s", [use.field, effective, concat(" or ", _allowed)])

_cause(use, effective) := sprintf("%s is Always", [use.field]) if {
	use.stated == effective
} else := sprintf("no %s and tag %s mean Always", [use.field, images.tag(use.image)]) if {
	images.tag(use.image)
} else := sprintf("no %s and no tag mean Always", [use.field])

_remedy(use) := sprintf("set %s: %s", [use.field, _target]) if {
	images.pinned(use.image)
} else := sprintf("pin it first (tag or digest), then set %s: %s", [use.field, _target])

# The value that tools may set in the manifest without asking. An image that is not pinned must be pinned by its author
# first, and only the author knows what an invalid policy or image means, such as the placeholder of a template.
_fix(use, reason) := {"path": uses.policy_path(use), "value": _target} if {
	reason != "invalid"
	images.is_reference(use.image)
	images.pinned(use.image)
} else := null

default _target := "Never"

_target := "IfNotPresent" if "IfNotPresent" in _allowed
