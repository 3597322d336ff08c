# A policy for the tests of data.scope.judge: it says what its parameters say.
package policies.scope_judge_echo_test

violation contains {"msg": msg} if some msg in input.parameters.says

violation contains {"msg": input.review.object} if input.review.object
