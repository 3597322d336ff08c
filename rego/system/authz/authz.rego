# METADATA
# title: Who may use an OPA server of pullguard
# description: Only who has the token that pullguard gave the server in its environment.
# scope: package
package system.authz

import rego.v1

default allow := false

allow if {
	token := opa.runtime().env.PULLGUARD_OPA_TOKEN
	token != ""
	input.identity == token
}
