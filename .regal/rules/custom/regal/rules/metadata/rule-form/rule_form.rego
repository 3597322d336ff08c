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
			regex.match(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, object.get(rule, "id", "")),
			"An id is words in lower case joined by hyphens, such as pull-policy-always",
		],
		[
			object.get(rule, "severity", "") in {"low", "medium", "high", "critical"},
			"A severity is low, medium, high or critical",
		],
		[regex.match(`^\S[^\n]*$`, object.get(rule, "title", "")), "The title of a rule is one line of text"],
	]
	not is_sound
]
