"""Audits as JUnit's XML: a suite for each constraint, a testcase for each finding about it."""

from typing import TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import Audited, AuditFinding, AuditReport
from pullguard.core.formats import junit
from pullguard.core.formats.junit import Case, Suite


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report. Findings about idle workloads are skipped; errors are a suite of their own."""
    suites = [Suite(_name(entry), _cases(report, entry)) for entry in report.constraints]
    if report.errors:
        errors = [Case("audit", problem.file, "error", problem.message) for problem in report.errors]
        suites.append(Suite("what could not be read", errors))
    junit.write("pullguard audit", suites, stream)


def _cases(report: AuditReport, entry: Audited) -> list[Case]:
    cases = [
        _case(entry, found)
        for found in report.findings
        if found.kind == entry.constraint.kind and entry.constraint.name in found.constraints
    ]
    if not entry.complete:
        cases.append(Case(_name(entry), "violations that are not shown", "failure", words.violations_shown(entry)))
    return cases or [Case(_name(entry), "no violations", "passed")]


def _case(entry: Audited, found: AuditFinding) -> Case:
    text = "\n".join(part for part in (words.said_by(found), found.advice, found.command) if part)
    return Case(
        group=_name(entry),
        name=words.full(found.workload),
        outcome="skipped" if found.idle else "failure",
        message=found.message,
        text=text,
    )


def _name(entry: Audited) -> str:
    return f"{entry.constraint.kind}/{entry.constraint.name}"
