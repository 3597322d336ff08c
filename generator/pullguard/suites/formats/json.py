"""The report on Suites as one JSON object."""

import json
from typing import Any, TextIO

from pullguard.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-test/v1"


def write(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as one JSON object, in ASCII."""
    counts = {outcome: report.count(outcome) for outcome in _OUTCOMES}
    document = {
        "format": FORMAT,
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


def _suite(suite: SuiteResult) -> dict[str, Any]:
    return {"path": suite.path, **_result(suite), "tests": [_test(test) for test in suite.tests]}


def _test(test: TestResult) -> dict[str, Any]:
    cases = [{"name": case.name, **_result(case)} for case in test.cases]
    return {"name": test.name, **_result(test), "cases": cases}


def _result(result: SuiteResult | TestResult | CaseResult) -> dict[str, Any]:
    return {"outcome": result.outcome, "message": result.message, "seconds": round(result.seconds, 6)}
