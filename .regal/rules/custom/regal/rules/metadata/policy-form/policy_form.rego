# METADATA
# description: METADATA of a policy that users would trip over
package custom.regal.rules.metadata["policy-form"]

import data.custom.policies
import data.regal.result

report contains violation if {
	some [text, description] in _faults
	violation := result.fail(rego.metadata.chain(), policies.finding(text, description))
}

_faults contains ["title:", "The title is one line of text"] if not _is_line(policies.annotations.title)

_faults contains ["kind:", "A kind is written in CamelCase, such as K8sProtectedPullPolicy"] if {
	not regex.match(`^[A-Z][A-Za-z0-9]{0,62}$`, policies.custom.kind)
}

_faults contains ["version:", "A version is a semantic one, such as 1.0.0"] if {
	not regex.match(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\w.-]+)?$`, policies.custom.version)
}

_faults contains ["enforcement:", "A policy offers the levels from the mildest one on: audit, warn, deny"] if {
	enforcement := policies.custom.enforcement
	not enforcement in [["audit"], ["audit", "warn"], ["audit", "warn", "deny"]]
}

_faults contains ["operations:", sprintf("%v is not an operation of admission", [operation])] if {
	some operation in policies.custom.operations
	not operation in {"CREATE", "UPDATE", "DELETE", "CONNECT"}
}

_faults contains [sprintf("%s:", [name]), sprintf("The parameter %s has no description", [name])] if {
	some name, schema in policies.custom.parameters.properties
	not schema.description
}

_is_line(text) if regex.match(`^\S[^\n]*$`, text)
