# METADATA
# title: Who may use an OPA server of pullguard
# description: |
#   Only clients with the token whose hash pullguard gave to the server. Everybody may read the nonce that pullguard
#   gave to it, with which the server proves that it is pullguard's before it receives the token.
# scope: package
package system.authz

import rego.v1

default allow := false

allow if crypto.sha256(input.identity) == data.pullguard.server.tokenHash

allow if {
	input.method == "GET"
	input.path == ["v1", "data", "pullguard", "server", "nonce"]
}
