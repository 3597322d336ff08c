package gatekeeper.suite_test

import data.gatekeeper.suite

test_answers if {
	answers := suite.answers with input as {
		"policy": "hook_echo",
		"parameters": ["{}", `{"details": true, "number": true}`],
		"inventories": [`{"cluster": {}}`, "{}"],
		"cases": [
			{"review": `{"object": 1e+06, "kind": 2}`, "parameters": 0, "inventory": 0, "patterns": ["cluster", "[", "^x"]},
			{"review": `{"object": 3, "kind": 4}`, "parameters": 1, "inventory": 1, "patterns": []},
			{"review": "{}", "parameters": 0, "inventory": 0, "patterns": []},
		],
	}
	answers == [
		[{"msg": `[1e+06,{},{"cluster":{}}]`, "matches": [true, null, false]}],
		[
			{"msg": 5, "matches": []},
			{"msg": `[3,{"details":true,"number":true},{}]`, "matches": []},
			{"msg": "with details", "matches": []},
		],
		[],
	]
}
