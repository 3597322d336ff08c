# METADATA
# title: What the rules on METADATA have in common
# description: The METADATA of the module under review, if it is that of a policy, and where it says what.
# scope: package
package custom.policies

import data.regal.result

# METADATA
# title: The METADATA of a policy
# description: Undefined for other modules.
annotations := input.package.annotations[0] if {
	input.package.path[1].value == "policies"
	not endswith(input.regal.file.name, "_test.rego")
}

# METADATA
# title: What the policy says of itself beyond what OPA knows
custom := annotations.custom

# METADATA
# title: The location of a text in the METADATA, for messages
# description: The first line that has it, or the first of all.
location(text) := result.location(sprintf("%d:1:%d:%d", [row, row, count(line) + 1])) if {
	rows := [number |
		some number, line in input.regal.file.lines
		startswith(line, "#")
		contains(line, text)
	]
	row := array.concat(rows, [0])[0] + 1
	line := input.regal.file.lines[row - 1]
}

# METADATA
# title: What is found at a text in the METADATA
# description: What result.fail takes.
finding(text, description) := object.union(location(text), {"description": description})
