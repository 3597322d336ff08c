"""What a Suite's case expects, compared with the violations that it got; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pullguard.suites.report import CaseResult, Outcome
from pullguard.suites.suite_files import Assertion, Case

_SHOWN_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class MatchedMessage:
    """One violation of a case.

    Attributes:
        message: Its msg.
        matches: For each expression of the case's assertions: whether it matches the message; None if it is not RE2.
    """

    message: str
    matches: Mapping[str, bool | None]


def expressions(case: Case) -> list[str]:
    """Return the expressions of a case's assertions, each once."""
    return list(dict.fromkeys(asserted.message for asserted in case.assertions if asserted.message is not None))


def judge(case: Case, violations: Sequence[MatchedMessage], seconds: float) -> CaseResult:
    """Return the result of a case: that of the first assertion that is not met, or passed."""
    for asserted in case.assertions:
        outcome, message = _judge(asserted, violations)
        if outcome != "passed":
            return CaseResult(case.name, outcome, message, seconds)
    return CaseResult(case.name, "passed", "", seconds)


def _judge(asserted: Assertion, violations: Sequence[MatchedMessage]) -> tuple[Outcome, str]:
    matching = 0
    for violation in violations:
        matches = asserted.message is None or violation.matches[asserted.message]
        if matches is None:
            # As for gator, an expression that is never needed may be wrong.
            return "error", f"the message {asserted.message} is not a regular expression of RE2"
        matching += matches
    wanted = asserted.violations
    if wanted not in {"yes", "no"} and (isinstance(wanted, str) or wanted < 0):
        return "error", f"violations is {wanted!r}, but must be yes, no, or a number from 0"
    met = {"yes": matching > 0, "no": matching == 0}.get(str(wanted), matching == wanted)
    if met:
        return "passed", ""
    expected = {"yes": "at least 1", "no": "none"}.get(str(wanted), f"exactly {wanted}")
    matched = "" if asserted.message is None else f" that match {asserted.message}"
    return "failed", f"{matching} violations{matched}, expected {expected}{_listed(violations)}"


def _listed(violations: Sequence[MatchedMessage]) -> str:
    messages = sorted(violation.message for violation in violations)
    if not messages:
        return "; there are none at all"
    more = f" and {len(messages) - _SHOWN_MESSAGES} more" if len(messages) > _SHOWN_MESSAGES else ""
    return f"; the messages are: {' | '.join(messages[:_SHOWN_MESSAGES])}{more}"
