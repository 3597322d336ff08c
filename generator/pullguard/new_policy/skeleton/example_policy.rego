# METADATA
# title: Example policy
# description: |
#   In protected namespaces no image is one of those that a parameter lists. Say here what yours demands, and why.
# scope: package
# custom:
#   kind: K8sExamplePolicy
#   version: 0.1.0
#   rules:
#     unwanted:
#       id: example-policy-unwanted
#       severity: medium
#       title: The image is one of those that are unwanted
#   include: lib.uses
#   parameters:
#     type: object
#     properties:
#       unwantedImages:
#         description: |
#           Images that no pod uses: exactly as the manifest writes them, or a prefix that ends in `*`.
#         type: array
#         default: []
#         items:
#           type: string
#           minLength: 1
#           pattern: ^[^*]*\*?$
package policies.example_policy

import data.lib.globs
import data.lib.uses

# METADATA
# title: A container or an image volume with an unwanted image
violation contains {"msg": msg, "details": details} if {
	some use in uses.current(input)
	globs.match_any(input.parameters.unwantedImages, use.image)
	not uses.is_excused(use, input)
	not _is_kept(use)
	msg := uses.message(use, "is unwanted; use another image")
	details := {"path": uses.path(use), "image": use.image, "reason": "unwanted"}
}

# What stays as it was must not block an unrelated edit.
_is_kept(use) if [uses.identity(use)] in _kept

_kept := uses.kept(
	[[uses.identity(use)] | some use in uses.current(input)],
	[[uses.identity(use)] | some use in uses.earlier(input)],
)
