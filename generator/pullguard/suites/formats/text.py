"""The report on Suites, for people."""

from collections.abc import Iterator, Mapping
from typing import TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.suites.report import Outcome, SuiteReport, name_of

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")
_WORDS: Mapping[Outcome, str] = {"passed": "ok", "failed": "FAIL", "error": "ERROR", "skipped": "skip"}


def write(report: SuiteReport, stream: TextIO) -> None:
    """Write a line for each Suite, the tests and cases in it that have not passed, and the totals."""
    write_lines(map(printable, _lines(report)), stream)


def _lines(report: SuiteReport) -> Iterator[str]:
    for suite in report.suites:
        said = f": {suite.message}" if suite.message else ""
        yield f"{_WORDS[suite.outcome]:<5} {suite.path}{said}"
        for number, test in enumerate(suite.tests):
            cases = [(place, case) for place, case in enumerate(test.cases) if case.outcome != "passed"]
            if test.message or cases:
                said = f": {test.message}" if test.message else ""
                yield f"  {_WORDS[test.outcome]:<5} {name_of(test, number)}{said}"
            for place, case in cases:
                yield f"    {_WORDS[case.outcome]:<5} {name_of(case, place)}: {case.message}"
    counts = ", ".join(f"{report.count(outcome)} {_plural(outcome)}" for outcome in _OUTCOMES if report.count(outcome))
    yield f"{counts}: {sum(1 for _ in report.cases)} cases in {len(report.suites)} Suites ({report.seconds:.2f} s)"


def _plural(outcome: Outcome) -> str:
    return "with errors" if outcome == "error" else outcome
