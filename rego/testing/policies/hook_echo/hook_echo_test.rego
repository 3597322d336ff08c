# METADATA
# title: A policy for the tests of hook, suite and plan
# description: Reports its input. Some of its results are not violations for Gatekeeper.
# scope: package
package policies.hook_echo

violation contains {"msg": json.marshal([input.review.object, input.parameters, data.inventory])}

violation contains {"msg": "with details", "details": {"kind": input.review.kind}} if input.parameters.details

violation contains {"msg": 5} if input.parameters.number

violation contains {"details": "without a message"}

violation contains "no object"
