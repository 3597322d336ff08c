# METADATA
# title: Who may use an OPA server of pullguard
# description: |
#   Only who has the token whose hash pullguard gave the server. Everybody may ask for the nonce that pullguard gave it:
#   that is how the server shows whose it is, before it is told the token.
# scope: package
package system.authz

import rego.v1

default allow := false

allow if crypto.sha256(input.identity) == data.pullguard.server.tokenHash

allow if {
	input.method == "GET"
	input.path == ["v1", "data", "pullguard", "server", "nonce"]
}
