# METADATA
# description: Parameters that policies share and do not state once
package custom.regal.rules.metadata["shared-parameters"]

import data.custom.policies
import data.regal.result

# METADATA
# description: collects the parameters of policies, the libs that they import and include, and the libs that offer more
aggregate contains result.aggregate(rego.metadata.chain(), {
	"parameters": _parameters,
	"imports": _imports,
	"offers": _offers,
})

# METADATA
# description: reports parameters that several policies state
# schemas:
#   - input: schema.regal.aggregate
aggregate_report contains violation if {
	some entry in input.aggregate
	some name, location in entry.aggregate_data.parameters
	others := [other |
		some other in input.aggregate
		other.aggregate_data.parameters[name].file != location.file
	]
	count(others) > 0
	description := sprintf("Other policies have the parameter %s, too: state it in a lib, and include that", [name])
	violation := result.fail(rego.metadata.chain(), {"location": location, "description": description})
}

# METADATA
# description: reports policies that import a lib and leave out what its METADATA offers
# schemas:
#   - input: schema.regal.aggregate
aggregate_report contains violation if {
	some entry in input.aggregate
	some lib, location in entry.aggregate_data.imports
	some other in input.aggregate
	other.aggregate_data.offers == lib
	description := sprintf("%s has METADATA for the policies that import it: write `include: %s`", [lib, lib])
	violation := result.fail(rego.metadata.chain(), {"location": location, "description": description})
}

_parameters[name] := policies.location(sprintf("%s:", [name])).location if {
	some name, _ in policies.custom.parameters.properties
}

# Those that the policy does not include.
_imports[lib] := result.location(imported.path).location if {
	policies.custom
	some imported in input.imports
	lib := concat(".", [term.value | some term in array.slice(imported.path.value, 1, 100)])
	startswith(lib, "lib.")
	object.get(policies.custom, "include", "") != lib
}

default _offers := ""

_offers := concat(".", [term.value | some term in array.slice(input.package.path, 1, 100)]) if {
	input.package.path[1].value == "lib"
	input.package.annotations[0].custom.parameters
}
