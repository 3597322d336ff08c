# METADATA
# title: Gatekeeper's enforcement actions
# scope: package
package gatekeeper.enforcement

import rego.v1

# METADATA
# title: What a constraint asks for at an enforcement point
# description: >-
#   A set of actions, such as {"deny"}; empty where scopedEnforcementActions do not reach the point, which
#   means that the constraint is not evaluated there.
actions(constraint, point) := scoped if {
	constraint.spec.enforcementAction == "scoped"
	scoped := {object.get(scope, "action", "") |
		some scope in object.get(constraint, ["spec", "scopedEnforcementActions"], [])
		some enforcement_point in object.get(scope, "enforcementPoints", [])
		enforcement_point.name in {point, "*"}
	}
} else := {object.get(constraint, ["spec", "enforcementAction"], "deny")}
