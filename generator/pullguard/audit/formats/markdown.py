"""Audits as Markdown, for issues, wikis and the summaries of CI jobs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import SEVERITIES, AuditFinding, AuditReport
from pullguard.core.formats.markdown import code, table, text
from pullguard.core.formats.text import write_lines


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report."""
    write_lines(_lines(report), stream)


def _lines(report: AuditReport) -> Iterator[str]:
    yield "# Gatekeeper audit"
    yield ""
    yield f"{text(words.summary(report))}. Audited: {text(words.audited_at(report))}."
    if report.since is not None:
        yield ""
        yield f"{text(words.since(report))}."
    if report.errors:
        yield ""
        yield "**Something could not be read, so this report may lack violations:**"
        yield ""
        yield from (f"- {text(words.error(problem))}" for problem in report.errors)
    yield from _section("Findings", report.active)
    yield from _section("Not running", [found for found in report.findings if found.idle])
    if report.since is not None and report.since.gone:
        yield ""
        yield "## Gone"
        yield ""
        rows = [
            [
                words.gone(entry),
                code(words.place(entry.workload)),
                code(words.workload(entry.workload)),
                text(entry.message),
            ]
            for entry in report.since.gone
        ]
        yield from table(("Change", "Namespace", "Workload", "What it was"), rows)
    yield from _namespaces(report.findings)
    yield ""
    yield "## Constraints"
    yield ""
    constraints = [
        [
            code(f"{entry.constraint.kind}/{entry.constraint.name}"),
            text(entry.action),
            words.shown(entry),
            text(words.run(entry)),
        ]
        for entry in report.constraints
    ]
    yield from table(("Constraint", "Action", "Violations shown", "Audited"), constraints)
    if report.notes:
        yield ""
        yield from (f"- {text(note)}" for note in report.notes)


def _section(title: str, findings: Sequence[AuditFinding]) -> Iterator[str]:
    if not findings:
        return
    yield ""
    yield f"## {title}"
    yield ""
    rows = [
        [
            text(" ".join(part for part in (found.severity, words.change(found)) if part)),
            code(words.place(found.workload)),
            code(words.workload(found.workload)),
            f"{text(found.message)}<br>Said by: {text(words.said_by(found))}",
            "<br>".join(part for part in (text(found.advice), code(found.command)) if part),
        ]
        for found in findings
    ]
    yield from table(("Severity", "Namespace", "Workload", "What is wrong", "What to do"), rows)


def _namespaces(findings: Iterable[AuditFinding]) -> Iterator[str]:
    counts = Counter((words.place(found.workload), found.severity) for found in findings if not found.idle)
    names = sorted({name for name, _ in counts})
    if names:
        yield ""
        yield "## Namespaces"
        yield ""
        rows = [[code(name), *(str(counts[name, severity]) for severity in SEVERITIES)] for name in names]
        yield from table(("Namespace", *(severity.capitalize() for severity in SEVERITIES)), rows)
