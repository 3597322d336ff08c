"""Reports as JUnit's XML: a testsuite for each file, and one that has a testcase for each rule."""

from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from pullguard.core.findings import Finding, Report
from pullguard.core.formats import junit
from pullguard.core.inputs.problems import InputError
from pullguard.judging import words


def write(report: Report, stream: TextIO) -> None:
    """Write a report: findings fail, what could not be read is an error, what does not count is skipped."""
    by_file = groupby(sorted(_cases(report), key=lambda case: case.file), key=lambda case: case.file)
    suites = [junit.Suite(file, list(cases)) for file, cases in by_file]
    passed = junit.Suite("rules without findings", list(_passed(report)))
    junit.write("pullguard check", [*suites, *([passed] if passed.cases else [])], stream)


def _cases(report: Report) -> Iterator[junit.Case]:
    for found in report.findings:
        yield _case(found, "failure", words.message(found), words.constraints(found))
    for problem in report.errors:
        yield _error(problem)
    for entry in report.exempt:
        yield _case(entry.finding, "skipped", words.exemption(entry))
    if report.baseline is not None:
        for found in report.baseline.known:
            yield _case(found, "skipped", f"known: it is in the baseline {report.baseline.file}")


def _case(found: Finding, outcome: junit.Outcome, message: str, text: str = "") -> junit.Case:
    name = f"{found.rule}: {words.subject(found)}"
    return junit.Case(found.file, name, outcome, message, text, file=found.file, line=found.line)


def _error(problem: InputError) -> junit.Case:
    name = "error" if problem.line is None else f"error on line {problem.line}"
    return junit.Case(problem.file, name, "error", problem.message, file=problem.file, line=problem.line)


def _passed(report: Report) -> Iterator[junit.Case]:
    """Yield passed testcases for a run without findings: CI systems take an empty report for a failure."""
    found = {finding.rule for finding in report.findings}
    yield from (junit.Case(rule.policy, rule.id, "passed") for rule in report.rules if rule.id not in found)
