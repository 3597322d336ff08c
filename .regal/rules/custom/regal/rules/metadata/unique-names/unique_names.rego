# METADATA
# description: Kind, policy or rule id, present or former, that something else has already
package custom.regal.rules.metadata["unique-names"]

import data.custom.policies
import data.regal.result

# METADATA
# description: collects what a policy has to name in clusters and in reports, with the places
aggregate contains result.aggregate(rego.metadata.chain(), {"names": _names})

# METADATA
# description: reports all but the first that has a name, in whatever case
# schemas:
#   - input: schema.regal.aggregate
aggregate_report contains violation if {
	every_place := [place | some entry in input.aggregate; some place in entry.aggregate_data.names]
	some name in {lower(place.name) | some place in every_place}
	places := sort([[place.location.file, place.location.row, place] |
		some place in every_place
		lower(place.name) == name
	])
	some number, [_, _, place] in places
	number > 0
	violation := result.fail(rego.metadata.chain(), {
		"location": place.location,
		"description": sprintf("%s is used by %s already", [place.name, places[0][0]]),
	})
}

_names := [_place(name, text) | some [name, text] in array.concat(_of_policy, _of_rules)]

_of_policy := array.concat(
	[[policies.custom.kind, "kind:"], [input.package.path[2].value, "title:"]],
	[[name, "aliases:"] | some name in policies.custom.aliases],
)

_of_rules := [[name, sprintf("%s:", [reason])] |
	some reason, rule in policies.custom.rules
	some name in array.concat([rule.id], object.get(rule, "aliases", []))
]

_place(name, text) := {"name": name, "location": policies.location(text).location}
