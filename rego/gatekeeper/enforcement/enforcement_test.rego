package gatekeeper.enforcement_test

import data.gatekeeper.enforcement

_scoped(actions) := {"enforcementAction": "scoped", "scopedEnforcementActions": actions}

test_actions[name] if {
	some name, [spec, expected] in {
		"nothing stated": [{}, {"deny"}],
		"stated": [{"enforcementAction": "warn", "scopedEnforcementActions": [{"action": "deny"}]}, {"warn"}],
		"here and there": [
			_scoped([
				{"action": "warn", "enforcementPoints": [{"name": "there"}, {"name": "here"}]},
				{"action": "deny", "enforcementPoints": [{"name": "*"}]},
				{"action": "dryrun", "enforcementPoints": [{"name": "there"}]},
				{"action": "nowhere"},
			]),
			{"warn", "deny"},
		],
		"no action": [_scoped([{"enforcementPoints": [{"name": "here"}]}]), {""}],
		"nowhere": [_scoped([]), set()],
		"scoped to nothing": [{"enforcementAction": "scoped"}, set()],
	}
	enforcement.actions({"spec": spec}, "here") == expected
}

test_constraint_without_spec if enforcement.actions({}, "here") == {"deny"}
