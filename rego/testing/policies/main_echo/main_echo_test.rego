# METADATA
# title: A policy for the tests of main
# scope: package
package policies.main_echo

import rego.v1

violation contains {"msg": "not good", "details": {"group": input.review.kind.group}} if input.review.object.kind

violation contains {"msg": "perhaps not good", "details": {"onlyIfCertain": true}} if {
	input.review.object.metadata.labels.perhaps
}
