"""The report on Suites as JUnit's XML."""

from collections.abc import Iterator, Mapping
from typing import TextIO

from pullguard.core.formats import junit
from pullguard.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult, name_of

_OUTCOMES: Mapping[Outcome, junit.Outcome] = {
    "passed": "passed",
    "failed": "failure",
    "error": "error",
    "skipped": "skipped",
}


def write(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as JUnit's XML; a test or Suite without cases is a testcase."""
    suites = [junit.Suite(suite.path, list(_testcases(suite)), suite.seconds) for suite in report.suites]
    junit.write("pullguard test", suites, stream, seconds=report.seconds)


def _testcases(suite: SuiteResult) -> Iterator[junit.Case]:
    if not suite.tests:
        yield _testcase(suite.path, "Suite", suite)
    for number, test in enumerate(suite.tests):
        name = name_of(test, number)
        if not test.cases:
            yield _testcase(suite.path, name, test)
        for place, case in enumerate(test.cases):
            yield _testcase(name, name_of(case, place), case)


def _testcase(group: str, name: str, result: SuiteResult | TestResult | CaseResult) -> junit.Case:
    return junit.Case(group, name, _OUTCOMES[result.outcome], result.message, seconds=result.seconds)
