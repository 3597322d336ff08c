# METADATA
# title: What the cases of Suites evaluate
# description: >-
#   The part of running Suites that no template takes part in. It stands apart from data.gatekeeper.suite because OPA
#   compiles everything that it holds for each module that it is given: beside the templates, only the little that must
#   be there.
# scope: package
package gatekeeper.plan

import rego.v1

import data.gatekeeper.enforcement
import data.gatekeeper.hook
import data.gatekeeper.match
import data.gatekeeper.review

# METADATA
# title: What each case of each test evaluates
# description: >-
#   input.tests is a list of {"constraint", "cases"}, each case one of {"object"} or {"admission": the request of an
#   AdmissionReview}, with "namespaces": Namespaces by name. For each test: its parameters, and for each case
#   {"review"} where the policy is to be run, {"rejected": message} where Gatekeeper cannot match, or {} where
#   the constraint does not apply.
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
#   For each of input.patterns, true or false for each of input.texts, or null if the pattern is not an RE2 expression.
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
