"""What running Suites gave, as text, JSON and JUnit's XML."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult

if TYPE_CHECKING:
    from pullguard.core.formats.junit import Case
    from pullguard.core.formats.junit import Outcome as JunitOutcome

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")
_WORDS: Mapping[Outcome, str] = {"passed": "ok", "failed": "FAIL", "error": "ERROR", "skipped": "skip"}
_JUNIT: Mapping[Outcome, "JunitOutcome"] = {
    "passed": "passed",
    "failed": "failure",
    "error": "error",
    "skipped": "skipped",
}


def write_text(report: SuiteReport, stream: TextIO) -> None:
    """Write a line for each Suite, what has not passed in it, and the sums."""
    write_lines(map(printable, _lines(report)), stream)


def write_json(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as one JSON object, in ASCII."""
    counts = {outcome: report.count(outcome) for outcome in _OUTCOMES}
    document = {
        "engine": report.engine,
        "suites": [_suite(suite) for suite in report.suites],
        "summary": {
            "suites": len(report.suites),
            "tests": sum(len(suite.tests) for suite in report.suites),
            "cases": sum(1 for _ in report.cases),
            "passed": counts["passed"],
            "failed": counts["failed"],
            "error": counts["error"],
            "skipped": counts["skipped"],
            "seconds": round(report.seconds, 3),
        },
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def write_junit(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as JUnit's XML; what has no cases stands as a testcase of its own."""
    from pullguard.core.formats import junit  # noqa: PLC0415 - only this format needs it

    suites = [junit.Suite(suite.path, list(_testcases(suite)), suite.seconds) for suite in report.suites]
    junit.write("pullguard test", suites, stream, seconds=report.seconds)


#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[SuiteReport, TextIO], None]] = {
    "text": write_text,
    "json": write_json,
    "junit": write_junit,
}


def _lines(report: SuiteReport) -> Iterator[str]:
    for suite in report.suites:
        said = f": {suite.message}" if suite.message else ""
        yield f"{_WORDS[suite.outcome]:<5} {suite.path}{said}"
        for number, test in enumerate(suite.tests):
            cases = [(place, case) for place, case in enumerate(test.cases) if case.outcome != "passed"]
            if test.message or cases:
                said = f": {test.message}" if test.message else ""
                yield f"  {_WORDS[test.outcome]:<5} {_name(test, number)}{said}"
            for place, case in cases:
                yield f"    {_WORDS[case.outcome]:<5} {_name(case, place)}: {case.message}"
    counts = ", ".join(f"{report.count(outcome)} {_plural(outcome)}" for outcome in _OUTCOMES if report.count(outcome))
    yield f"{counts}: {sum(1 for _ in report.cases)} cases in {len(report.suites)} Suites ({report.seconds:.2f} s)"


def _plural(outcome: Outcome) -> str:
    return "with errors" if outcome == "error" else outcome


def _suite(suite: SuiteResult) -> dict[str, Any]:
    return {"path": suite.path, **_result(suite), "tests": [_test(test) for test in suite.tests]}


def _test(test: TestResult) -> dict[str, Any]:
    cases = [{"name": case.name, **_result(case)} for case in test.cases]
    return {"name": test.name, **_result(test), "cases": cases}


def _result(result: SuiteResult | TestResult | CaseResult) -> dict[str, Any]:
    return {"outcome": result.outcome, "message": result.message, "seconds": round(result.seconds, 6)}


def _testcases(suite: SuiteResult) -> "Iterator[Case]":
    if not suite.tests:
        yield _testcase(suite.path, "Suite", suite)
    for number, test in enumerate(suite.tests):
        name = _name(test, number)
        if not test.cases:
            yield _testcase(suite.path, name, test)
        for place, case in enumerate(test.cases):
            yield _testcase(name, _name(case, place), case)


def _testcase(group: str, name: str, result: SuiteResult | TestResult | CaseResult) -> "Case":
    from pullguard.core.formats.junit import Case  # noqa: PLC0415 - as above

    return Case(group, name, _JUNIT[result.outcome], result.message, seconds=result.seconds)


def _name(result: TestResult | CaseResult, place: int) -> str:
    """Return a name, or the 1-based place of what has none."""
    return result.name or f"#{place + 1}"
