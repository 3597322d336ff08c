"""Assertions of cases; every combination is compared with gator in tests/oracles/test_suites.py."""

import pytest

from pullguard.suites.assertions import MatchedMessage, expressions, judge
from pullguard.suites.report import CaseResult
from pullguard.suites.suite_files import Assertion, Case


def _case(*assertions: Assertion) -> Case:
    return Case("c", "o.yaml", (), assertions, skip=False)


_TWO = (
    MatchedMessage("b", {"x": True, "y": False, "(": None}),
    MatchedMessage("a", {"x": False, "y": False, "(": None}),
)


@pytest.mark.parametrize(
    ("asserted", "outcome", "message"),
    [
        (Assertion("yes", None), "passed", ""),
        (Assertion("no", None), "failed", "2 violations, expected none; the messages are: a | b"),
        (Assertion(2, None), "passed", ""),
        (Assertion(0, None), "failed", "2 violations, expected exactly 0; the messages are: a | b"),
        (Assertion("yes", "x"), "passed", ""),
        (Assertion(1, "x"), "passed", ""),
        (Assertion(2, "x"), "failed", "1 violations that match x, expected exactly 2; the messages are: a | b"),
        (Assertion("yes", "y"), "failed", "0 violations that match y, expected at least 1; the messages are: a | b"),
        (Assertion("no", "y"), "passed", ""),
        (Assertion("yes", "("), "error", "the message ( is not a regular expression of RE2"),
        (Assertion(-1, None), "error", "violations is -1, but must be yes, no, or a number from 0"),
        (Assertion("maybe", None), "error", "violations is 'maybe', but must be yes, no, or a number from 0"),
        (Assertion("2", None), "error", "violations is '2', but must be yes, no, or a number from 0"),
    ],
)
def test_one_assertion(asserted: Assertion, outcome: str, message: str) -> None:
    result = judge(_case(asserted), _TWO, 0.5)
    assert (result.name, result.outcome, result.message, result.seconds) == ("c", outcome, message, 0.5)


def test_expression_that_nothing_needs_may_be_wrong() -> None:
    assert judge(_case(Assertion("no", "(")), (), 0.0) == CaseResult("c", "passed")
    assert judge(_case(Assertion("yes", "(")), (), 0.0).message == (
        "0 violations that match (, expected at least 1; there are none at all"
    )


def test_first_assertion_that_is_not_met_counts() -> None:
    case = _case(Assertion("yes", None), Assertion("no", "x"), Assertion("yes", "("))
    assert expressions(case) == ["x", "("]
    assert judge(case, _TWO, 0.0).outcome == "failed"
    assert judge(_case(*reversed(case.assertions)), _TWO, 0.0).outcome == "error"


def test_many_messages_are_cut() -> None:
    many = [MatchedMessage(f"{number:02}", {}) for number in range(23)]
    message = judge(_case(Assertion("no", None)), many, 0.0).message
    shown = " | ".join(f"{number:02}" for number in range(20))
    assert message == f"23 violations, expected none; the messages are: {shown} and 3 more"
