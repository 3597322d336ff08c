# METADATA
# title: A policy for the tests of batch
# description: Reports the object and the parameters that it receives.
# scope: package
package policies.batch_echo

import rego.v1

violation contains {"msg": msg, "details": input.parameters} if {
	kind := input.review.kind
	msg := sprintf("%s/%s/%s", [kind.group, kind.version, kind.kind])
	not input.review.object.metadata.labels.good
}
