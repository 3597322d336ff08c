package system.authz_test

import data.system.authz

_runtime := {"env": {"PULLGUARD_OPA_TOKEN": "secret"}}

test_token_is_let_in if {
	authz.allow with opa.runtime as _runtime with input as {"identity": "secret"}
}

test_others_are_not[name] if {
	some name, [runtime, request] in {
		"other token": [_runtime, {"identity": "other"}],
		"no token": [_runtime, {}],
		"server without a token": [{"env": {}}, {"identity": "secret"}],
		"server with an empty token": [{"env": {"PULLGUARD_OPA_TOKEN": ""}}, {"identity": ""}],
	}
	not authz.allow with opa.runtime as runtime with input as request
}
