# METADATA
# title: Gatekeeper's enforcement actions
# scope: package
package gatekeeper.enforcement

import rego.v1

# METADATA
# title: The actions of a constraint at an enforcement point
# description: >-
#   A set of actions, such as {"deny"}. It is empty if scopedEnforcementActions do not include the point; the
#   constraint is then not evaluated there.
actions(constraint, point) := scoped if {
	constraint.spec.enforcementAction == "scoped"
	scoped := {object.get(scope, "action", "") |
		some scope in object.get(constraint, ["spec", "scopedEnforcementActions"], [])
		some enforcement_point in object.get(scope, "enforcementPoints", [])
		enforcement_point.name in {point, "*"}
	}
} else := {object.get(constraint, ["spec", "enforcementAction"], "deny")}
