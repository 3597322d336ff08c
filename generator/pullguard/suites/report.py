"""What running Suites gave: the same values for every engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pullguard.core.errors import PullguardError
from pullguard.suites.suite_files import Suite

#: "failed": an expectation is not met; "error": it could not be read or run, so nothing is known.
Outcome = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One object, evaluated by a test's constraint.

    Attributes:
        name: The case's name, "" if it has none.
        outcome: Whether its assertions are met.
        message: Why it has not passed; "" if there is nothing to say.
        seconds: Time; cases that were evaluated together share theirs equally.
    """

    name: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TestResult:
    """One template and constraint with the cases.

    Attributes:
        name: The test's name, "" if it has none.
        outcome: That of the worst case; of its own, if its template or constraint could not be used.
        message: Why the test itself has not passed; "" if only its cases have messages.
        seconds: Time of all its cases.
        cases: In the order of the Suite; empty if the test itself could not be run.
    """

    # pytest collects classes whose name begins with Test.
    __test__ = False

    name: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    cases: tuple[CaseResult, ...] = ()


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One Suite.

    Attributes:
        path: Its file, as it is shown to users.
        outcome: That of the worst test; of its own, if it could not be read.
        message: Why the Suite itself has not passed; "" if only its tests have messages.
        seconds: Time of all its tests.
        tests: In the order of the Suite; empty if it is skipped or could not be read.
    """

    path: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    tests: tuple[TestResult, ...] = ()


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """All Suites of a run.

    Attributes:
        engine: What evaluated them: "opa" or "gator".
        suites: In the order of their paths.
        seconds: Time of the whole run.
    """

    engine: str
    suites: tuple[SuiteResult, ...]
    seconds: float = 0.0

    @property
    def cases(self) -> Iterator[CaseResult]:
        """All cases, in order."""
        return (case for suite in self.suites for test in suite.tests for case in test.cases)

    def count(self, outcome: Outcome) -> int:
        """Return how many cases have an outcome, and tests and Suites that have it without having cases."""
        return sum(found == outcome for suite in self.suites for found in _leaves(suite))

    @property
    def exit_code(self) -> int:
        """0: all passed or skipped; 1: something failed; 2: something could not be read or run."""
        if self.count("error"):
            return 2
        return 1 if self.count("failed") else 0


def suite_result(suite: Suite | PullguardError, tests: Sequence[TestResult]) -> SuiteResult:
    """Return the result of a Suite, or of a file that should have been one, from those of its tests."""
    if isinstance(suite, PullguardError):
        place = "" if suite.line is None else f"line {suite.line}: "
        remedy = f"; {suite.remedy}" if suite.remedy else ""
        return SuiteResult(suite.file or "", "error", f"{place}{suite.message}{remedy}")
    if suite.skip:
        return SuiteResult(suite.path, "skipped", "it says skip")
    seconds = sum(test.seconds for test in tests)
    return SuiteResult(suite.path, worst(test.outcome for test in tests), "", seconds, tuple(tests))


def worst(outcomes: Iterator[Outcome]) -> Outcome:
    """Return the outcome of something with parts: the worst one; "passed" if every part that was not skipped passed."""
    found = set(outcomes)
    order: tuple[Outcome, ...] = ("error", "failed", "passed", "skipped")
    return next((outcome for outcome in order if outcome in found), "passed")


def name_of(result: TestResult | CaseResult, place: int) -> str:
    """Return a name, or the 1-based position if there is none."""
    return result.name or f"#{place + 1}"


def _leaves(suite: SuiteResult) -> Iterator[Outcome]:
    if not suite.tests:
        yield suite.outcome
    for test in suite.tests:
        if test.cases:
            yield from (case.outcome for case in test.cases)
        else:
            yield test.outcome
