# METADATA
# description: Rule of a policy that reports cannot name
package custom.regal.rules.metadata["rule-form"]

import data.custom.policies
import data.regal.result

report contains violation if {
	some reason, rule in policies.custom.rules
	some description in _faults(reason, rule)
	violation := result.fail(rego.metadata.chain(), policies.finding(sprintf("%s:", [reason]), description))
}

_faults(reason, rule) := [description |
	some [is_sound, description] in [
		[regex.match(`^[a-z][a-z0-9_-]*$`, reason), "A reason is a word in lower case"],
		[
			_is_id(object.get(rule, "id", "")),
			"An id is words in lower case joined by hyphens, such as pull-policy-always",
		],
		[
			object.get(rule, "severity", "") in {"low", "medium", "high", "critical"},
			"A severity is low, medium, high or critical",
		],
		[_is_line(object.get(rule, "title", "")), "The title of a rule is one line of text"],
		[
			count([alias | some alias in object.get(rule, "aliases", []); not _is_id(alias)]) == 0,
			"An alias is an id that the rule had: words in lower case joined by hyphens",
		],
		[
			regex.match(
				`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`,
				object.get(rule, ["deprecated", "since"], "0.0.0"),
			),
			"A rule is deprecated since a version of pullguard, such as 0.2.0",
		],
		[
			_is_line(object.get(rule, ["deprecated", "because"], "x")),
			"What a rule is deprecated for is one line of text",
		],
		[
			object.get(rule, ["deprecated", "use"], null) != object.get(rule, "id", ""),
			"A rule to use instead is another one",
		],
	]
	not is_sound
]

_is_id(text) := regex.match(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, text)

_is_line(text) := regex.match(`^\S[^\n]*$`, text)
