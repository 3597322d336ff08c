# METADATA
# description: Rule id that the history of ids does not know, or knows as that of something else
package custom.regal.rules.metadata["id-history"]

import data.custom.ids
import data.custom.policies
import data.regal.result

report contains violation if {
	some reason, rule in policies.custom.rules
	some id in array.concat([rule.id], object.get(rule, "aliases", []))
	description := _fault(id, reason)
	violation := result.fail(rego.metadata.chain(), policies.finding(sprintf("%s:", [reason]), description))
}

report contains violation if {
	some reason, rule in policies.custom.rules
	sinces := [ids.history[id].since | some id in array.concat(object.get(rule, "aliases", []), [rule.id])]
	some index, since in sinces
	semver.compare(sinces[index - 1], since) > 0
	violation := result.fail(rego.metadata.chain(), policies.finding(
		sprintf("%s:", [reason]),
		"Aliases stand in the order in which the rule had them: findings are recognised by the first",
	))
}

# METADATA
# description: collects ids that rules have or had, those of rules to use instead, and where the history has which id
aggregate contains result.aggregate(rego.metadata.chain(), {
	"present": _present,
	"former": _former,
	"uses": _uses,
	"history": _places,
})

# METADATA
# scope: rule
# description: reports ids of the history that are gone from METADATA, and rules to use instead that are not there
# schemas:
#   - input: schema.regal.aggregate
aggregate_report contains violation if {
	some entry in input.aggregate
	some use in entry.aggregate_data.uses
	not use.name in _collected("present")
	violation := result.fail(rego.metadata.chain(), {
		"location": use.location,
		"description": sprintf("%s, which is to be used instead, is no rule", [use.name]),
	})
}

# METADATA
# scope: rule
# schemas:
#   - input: schema.regal.aggregate
aggregate_report contains violation if {
	some entry in input.aggregate
	some id, location in entry.aggregate_data.history
	_retired(id) == ""
	not id in (_collected("present") | _collected("former"))
	violation := result.fail(rego.metadata.chain(), {
		"location": location,
		"description": sprintf("No rule has or had %s any more: make it an alias of its rule, or retire it here", [id]),
	})
}

_collected(list) := {id | some entry in input.aggregate; some id in entry.aggregate_data[list]}

_fault(id, _) := sprintf("%s is not in the history: add it to .regal/rules/custom/ids/ids.rego", [id]) if {
	not ids.history[id]
}

_fault(id, _) := sprintf("%s is retired since %s: no rule ever has it again", [id, _retired(id)]) if {
	_retired(id) != ""
}

_fault(id, reason) := sprintf("%s is the id of %s for good", [id, known.rule]) if {
	known := ids.history[id]
	_retired(id) == ""
	not known.rule in {sprintf("%s.%s", [name, reason]) | some name in _policy_names}
}

# The version since which no rule has an id; "" if one has it.
_retired(id) := object.get(ids.history, [id, "retired"], "")

_policy_names := {input.package.path[2].value} | {name | some name in policies.custom.aliases}

_present := [rule.id | some rule in policies.custom.rules]

_former := [id | some rule in policies.custom.rules; some id in rule.aliases]

_uses := [{"name": name, "location": policies.location(sprintf("%s:", [reason])).location} |
	some reason, rule in policies.custom.rules
	name := rule.deprecated.use
]

_is_history if [step.value | some step in array.slice(input.package.path, 1, 3)] == ["custom", "ids"]

_places[id] := result.location(sprintf("%d:1:%d:%d", [row, row, count(line) + 1])).location if {
	_is_history
	some number, line in input.regal.file.lines
	some [_, id, _] in regex.find_all_string_submatch_n(`^\s*"([^"]+)": \{("rule"|$)`, line, 1)
	row := number + 1
}
