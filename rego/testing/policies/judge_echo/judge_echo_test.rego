# A policy for the tests of data.scope.judge. It reports its parameters.
package policies.judge_echo

violation contains {"msg": msg} if some msg in input.parameters.says

violation contains {"msg": input.review.object} if input.review.object
