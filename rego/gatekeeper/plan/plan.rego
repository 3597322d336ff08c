# METADATA
# title: What the cases of Suites have to evaluate
# description: >-
#   The part of running Suites that does not depend on a template. It is separate from data.gatekeeper.suite because OPA
#   recompiles everything whenever it is given a module. Only what is needed is loaded together with templates.
# scope: package
package gatekeeper.plan

import rego.v1

import data.gatekeeper.enforcement
import data.gatekeeper.hook
import data.gatekeeper.match
import data.gatekeeper.review

# METADATA
# title: What each case of each test has to evaluate
# description: >-
#   input.tests is a list of {"constraint", "cases"}. A case is {"object"} or {"admission": the request of an
#   AdmissionReview}, with "namespaces": Namespaces by name. For each test, the result has its parameters and, for each
#   case, {"review"} if the policy must be evaluated, {"rejected": message} if Gatekeeper's match fails, or {} if the
#   constraint does not match.
# entrypoint: true
tests := [{"parameters": hook.parameters(test.constraint), "cases": cases} |
	some test in input.tests
	cases := [_planned(test.constraint, request) |
		some case in test.cases
		request := _request(case)
	]
]

# METADATA
# title: Which texts match which patterns
# description: >-
#   For each of input.patterns, true or false for each of input.texts, or null if the pattern is not valid RE2.
# entrypoint: true
matching := [matches |
	some pattern in input.patterns
	matches := _matching(pattern, input.texts)
]

_point := "gator.gatekeeper.sh"

_planned(constraint, request) := {} if {
	enforcement.actions(constraint, _point) == set()
} else := _outcome(match.outcome(object.get(constraint, ["spec", "match"], {}), request), request)

_outcome({"matches": true}, request) := {"review": request.review}

_outcome({"matches": false}, _) := {}

_outcome({"error": reason}, _) := {"rejected": hook.autorejection(reason)}

_request(case) := review.request(reviewed, namespace) if {
	reviewed := _review(case)
	namespace := object.get(case.namespaces, object.get(reviewed, "namespace", null), null)
}

_review(case) := review.from_object(case.object, "")

_review(case) := review.from_admission(case.admission)

_matching(pattern, texts) := [regex.match(pattern, text) | some text in texts] if {
	regex.is_valid(pattern)
} else := null
