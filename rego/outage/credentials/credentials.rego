# METADATA
# title: Who may use an image that is on a node
# description: |
#   Since Kubernetes 1.35 an image that the kubelet has pulled is for pods that have the credentials it was pulled with,
#   and that spell its name in the same way. Which pod has pulled it nobody tells: any that uses it may have. input is
#   {images (data.outage.images.found), users: [{image (an index), credentials, policies}]}, each once.
# scope: package
package outage.credentials

# METADATA
# title: What keeps each of the users from an image that is there
# description: |
#   {doubt, others}: "" for nothing; "credentials" if somebody who may have pulled it has others, and "spelling" if
#   somebody may have pulled it by another name. `others` are some of these credentials or repositories.
# entrypoint: true
found := [_answer(user) | some user in input.users]

_answer(user) := {"doubt": "spelling", "others": _some(others)} if {
	others := _repositories[user.image] - {input.images[user.image].repository}
	count(others) > 0
} else := {"doubt": "credentials", "others": _some(others)} if {
	others := _credentials[user.image] - {credential | some credential in user.credentials}
	count(others) > 0
} else := {"doubt": "", "others": []}

# By image: what those that may be the same have been pulled as, and with. Never pulls nothing.
_repositories := [{input.images[alias].repository | some alias in _pulled(_pullers, image.aliases)} |
	some image in input.images
]

_credentials := [used |
	some image in input.images
	used := _used(_pullers, image.aliases) - {""}
]

# Handed over as a value, a table is made once; otherwise OPA would go through all users for each key.
_pulled(table, keys) := {key | some key in keys; count(table[key]) > 0}

_used(table, keys) := {value |
	some key in keys
	some value in table[key]
}

_pullers := {image: credentials |
	some pair in _pulls
	image := pair[0]
	credentials := {credential | some other in _pulls; other[0] == image; credential := other[1]}
}

# "" stands for a user without credentials.
_pulls contains [user.image, credential] if {
	some user in input.users
	user.policies != ["Never"]
	some credential in array.concat([""], user.credentials)
}

_some(others) := array.slice([other | some other in others], 0, 3)
