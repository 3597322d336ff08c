package system.authz_test

import data.system.authz

_server := {"tokenHash": crypto.sha256("secret"), "nonce": "n"}

test_token_is_let_in if {
	authz.allow with data.pullguard.server as _server with input as {"identity": "secret"}
}

test_others_are_not[name] if {
	some name, [server, request] in {
		"other token": [_server, {"identity": "other"}],
		"hash of the token": [_server, {"identity": _server.tokenHash}],
		"no token": [_server, {}],
		"token that is not a string": [_server, {"identity": ["secret"]}],
		"server without a token": [{}, {"identity": "secret"}],
		"server with an empty token": [{"tokenHash": ""}, {"identity": ""}],
		"writing the nonce": [_server, {"method": "PUT", "path": ["v1", "data", "pullguard", "server", "nonce"]}],
		"what is next to the nonce": [_server, {"method": "GET", "path": ["v1", "data", "pullguard", "server"]}],
		"nothing of a path": [_server, {"method": "GET", "path": []}],
	}
	not authz.allow with data.pullguard.server as server with input as request
}

test_everybody_gets_the_nonce if {
	request := {"method": "GET", "path": ["v1", "data", "pullguard", "server", "nonce"]}
	authz.allow with data.pullguard.server as _server with input as request
}
