# METADATA
# title: Policies for the tests of the rules on METADATA
# scope: package
package custom.policies_test

import data.custom.policies

# METADATA
# title: A policy without fault
module := concat("\n", [
	"# METADATA",
	"# title: A title",
	"# description: A description.",
	"# scope: package",
	"# custom:",
	"#   kind: K8sGood",
	"#   version: 1.0.0",
	"#   rules:",
	"#     missing: {id: label-missing, severity: low, title: It is missing}",
	"#   operations: [CREATE]",
	"#   enforcement: [audit]",
	"#   parameters:",
	"#     type: object",
	"#     properties:",
	"#       label:",
	"#         description: Text.",
	"#         type: string",
	"package policies.good",
	"",
	"import data.lib.names",
	"",
	"violation contains names.a",
	"",
])

# METADATA
# title: A policy with one text in the place of another
changed(old, new) := parsed("good", replace(module, old, new))

# METADATA
# title: The policy of some name
parsed(name, text) := regal.parse_module(sprintf("rego/policies/%s/%s.rego", [name, name]), text)

test_a_policy_has_metadata if {
	policies.custom.kind == "K8sGood" with input as parsed("good", module)
}

test_others_are_no_policies[name] if {
	some name, input_module in {
		"a test": regal.parse_module("rego/policies/good/good_test.rego", module),
		"a lib": regal.parse_module("rego/lib/good/good.rego", replace(module, "policies.good", "lib.good")),
	}
	not policies.annotations with input as input_module
}

test_where_a_text_stands[name] if {
	some name, [text, row] in {
		"in the METADATA": ["version:", 7],
		"nowhere": ["nothing:", 1],
		"in the Rego": ["violation", 1],
	}
	found := policies.finding(text, "It is so.") with input as parsed("good", module)
	[found.location.row, found.description] == [row, "It is so."]
}
