# METADATA
# title: Protected namespaces as a parameter
# description: |
#   What the policies about cluster-scoped objects share. A policy with `include: lib.protection` has the match,
#   operations and parameters below.
# scope: package
# custom:
#   match:
#     kinds:
#       - apiGroups: [admissionregistration.k8s.io]
#         kinds: [MutatingWebhookConfiguration, ValidatingWebhookConfiguration, ValidatingAdmissionPolicyBinding]
#     scope: Cluster
#     namespacesToParameter: protectedNamespaces
#   operations: [CREATE, UPDATE]
#   parameters:
#     type: object
#     properties:
#       protectedNamespaces:
#         description: |
#           The namespaces whose pods must restart without a registry: those that `names` or `selector` selects. The
#           selector needs the Namespaces in data.inventory. Without both, no namespace is protected.
#         type: object
#         minProperties: 1
#         properties:
#           names:
#             description: |
#               Names of namespaces. An asterisk at the start or the end stands for anything, as in `kube-*`.
#             type: array
#             items:
#               type: string
#               minLength: 1
#               pattern: ^\*?[-:a-z0-9]*\*?$
#           selector:
#             description: A label selector for Namespaces; an empty one selects all of them.
#             type: object
#             properties:
#               matchLabels:
#                 description: Labels, each with the value that it must have.
#                 type: object
#                 additionalProperties:
#                   type: string
#               matchExpressions:
#                 description: Conditions that must all hold.
#                 type: array
#                 items:
#                   type: object
#                   required: [key, operator]
#                   properties:
#                     key:
#                       description: The label.
#                       type: string
#                       minLength: 1
#                     operator:
#                       description: How the label relates to the values.
#                       type: string
#                       enum: [In, NotIn, Exists, DoesNotExist]
#                     values:
#                       description: Values of the label, for In and NotIn only.
#                       type: array
#                       items:
#                         type: string
package lib.protection

import data.lib.globs
import data.lib.namespaces

# METADATA
# title: Whether a namespace is protected
# description: |
#   "match", "mismatch" or "unknown", by the parameters of a policy and the Namespace object, which is null if it is not
#   known. Without protectedNamespaces, no namespace is protected.
verdict(parameters, name, namespace) := "match" if {
	globs.match_any(parameters.protectedNamespaces.names, name)
} else := namespaces.verdict(selector, name, namespace) if {
	selector := parameters.protectedNamespaces.selector
	selector != null
} else := "mismatch"
