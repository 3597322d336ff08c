package scope.judge_test

import data.scope.judge

test_messages if {
	messages := judge.messages with input as {
		"policy": "judge_echo",
		"inventory": {},
		"parameters": [{"says": ["b", "a"]}, {}],
		"cases": [
			{"source": 0, "review": {}},
			{"source": 1, "review": {"object": "x"}},
			{"source": 1, "review": {}},
		],
	}
	messages == [{"a", "b"}, {"x"}, set()]
}
