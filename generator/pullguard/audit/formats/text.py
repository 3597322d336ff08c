"""Audits for people on a terminal or in a log: tables, with the worst findings first."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import AuditFinding, AuditReport
from pullguard.core.formats.text import printable, wants_colours, write_lines

_COLOURS = {"critical": "31;1", "high": "31", "medium": "33", "low": "36"}
_GAP = "  "


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report, in colour if the stream is a terminal that supports it."""
    write_lines(_lines(report, coloured=wants_colours(stream)), stream)


def _lines(report: AuditReport, *, coloured: bool) -> Iterator[str]:
    idle = [found for found in report.findings if found.idle]
    yield from _findings(report.active, coloured=coloured)
    if idle:
        yield "Not running:"
        yield ""
        yield from _findings(idle, coloured=coloured)
    if report.since is not None and report.since.gone:
        rows = [
            (words.gone(entry), words.place(entry.workload), words.workload(entry.workload), entry.message)
            for entry in report.since.gone
        ]
        yield from _table(("GONE", "NAMESPACE", "WORKLOAD", "WHAT IT WAS"), rows)
        yield ""
    if report.constraints:
        constraints = [
            (
                entry.constraint.kind,
                entry.constraint.name,
                entry.action,
                words.shown(entry),
                words.run(entry),
                ", ".join(entry.sources),
            )
            for entry in report.constraints
        ]
        yield from _table(("CONSTRAINT", "NAME", "ACTION", "SHOWN", "AUDITED", "READ FROM"), constraints)
        yield ""
    for problem in report.errors:
        yield f"error: {printable(words.error(problem))}"
    if report.errors:
        yield ""
    yield printable(words.summary(report))
    if report.since is not None:
        yield printable(words.since(report))
    yield from (f"Note: {printable(note)}" for note in report.notes)


def _findings(findings: Sequence[AuditFinding], *, coloured: bool) -> Iterator[str]:
    if not findings:
        return
    header = ("SEVERITY", "NAMESPACE", "WORKLOAD", "RULE", "ACTION", "SAID BY", "CHANGE")
    rows = [
        (found.severity, words.place(found.workload), words.workload(found.workload), found.rule, found.action,
         words.said_by(found), words.change(found))
        for found in findings
    ]  # fmt: skip
    lines = _table(header, rows)
    yield next(lines)
    for found, line in zip(findings, lines, strict=True):
        yield _coloured(found.severity, line) if coloured else line
        yield from (f"{_GAP}{printable(part)}" for part in found.message.splitlines())
        yield f"{_GAP}{printable(found.advice)}"
        if found.command:
            yield f"{_GAP}$ {printable(found.command)}"
        yield ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table without its empty columns."""
    cells = [[printable(cell) for cell in row] for row in rows]
    kept = [index for index in range(len(header)) if any(row[index] for row in cells)]
    widths = {index: max(len(header[index]), *(len(row[index]) for row in cells)) for index in kept}
    for row in (list(header), *cells):
        yield _GAP.join(row[index].ljust(widths[index]) for index in kept).rstrip()


def _coloured(severity: str, line: str) -> str:
    code = _COLOURS.get(severity)
    return f"\x1b[{code}m{severity}\x1b[0m{line[len(severity) :]}" if code else line
