package outage.credentials_test

import data.outage.credentials

_images := [
	{"repository": "quay.io/a", "aliases": [0]},
	{"repository": "nginx", "aliases": [1, 2]},
	{"repository": "docker.io/library/nginx", "aliases": [1, 2]},
]

_user(image, names, policies) := {"image": image, "credentials": names, "policies": policies}

_doubts(users) := [[answer.doubt, answer.others] |
	found := credentials.found with input as {"images": _images, "users": users}
	some answer in found
]

test_doubts[name] if {
	some name, case in {
		"alone": {
			"users": [_user(0, ["Secret a/s"], ["IfNotPresent"])],
			"doubts": [["", []]],
		},
		"all have the same": {
			"users": [_user(0, ["Secret a/s"], ["IfNotPresent"]), _user(0, ["Secret a/s"], ["Always"])],
			"doubts": [["", []], ["", []]],
		},
		"one has more": {
			"users": [_user(0, ["Secret a/s", "Secret a/t"], ["IfNotPresent"]), _user(0, ["Secret a/s"], ["Never"])],
			"doubts": [["", []], ["credentials", ["Secret a/t"]]],
		},
		"one has none": {
			"users": [_user(0, [], ["IfNotPresent"]), _user(0, ["Secret b/s"], ["IfNotPresent"])],
			"doubts": [["credentials", ["Secret b/s"]], ["", []]],
		},
		"who never pulls leaves nothing": {
			"users": [_user(0, [], ["IfNotPresent"]), _user(0, ["Secret b/s"], ["Never"])],
			"doubts": [["", []], ["", []]],
		},
		"another name": {
			"users": [_user(1, [], ["IfNotPresent"]), _user(2, [], ["IfNotPresent"])],
			"doubts": [["spelling", ["docker.io/library/nginx"]], ["spelling", ["nginx"]]],
		},
		"another name that is never pulled": {
			"users": [_user(1, [], ["IfNotPresent"]), _user(2, [], ["Never"])],
			"doubts": [["", []], ["spelling", ["nginx"]]],
		},
	}
	_doubts(case.users) == case.doubts
}
