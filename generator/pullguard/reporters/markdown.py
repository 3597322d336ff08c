"""Reports as Markdown, for a comment on a pull request or the summary of a job."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from pullguard.findings import Exempted, Finding, KnownFinding, Report
from pullguard.reporters import words
from pullguard.reporters.formats.markdown import code, table, text
from pullguard.reporters.formats.text import write_lines

# Rows of one table: GitHub refuses comments of more than 65,536 characters.
_MAX_ROWS = 100


def write(report: Report, stream: TextIO) -> None:
    """Write a report: tables of what was found, and the numbers."""
    write_lines(_lines(report), stream)


def _lines(report: Report) -> Iterator[str]:
    yield "### pullguard"
    yield ""
    yield f"**{text(words.summary(report))}**"
    if report.findings:
        headers = ("severity", "rule", "place", "object", "what is wrong")
        yield from _section("", headers, [_finding(found) for found in report.findings])
    if report.errors:
        rows = [(code(words.place(problem)), text(problem.message)) for problem in report.errors]
        yield from _section("Errors", ("place", "what is wrong"), rows)
    if report.exempt:
        yield from _section("Exempt", ("rule", "place", "object", "why"), [_exempt(entry) for entry in report.exempt])
    if report.baseline is not None and report.baseline.gone:
        gone = report.baseline.gone
        yield from _section("Gone since the baseline", ("rule", "file", "object"), [_gone(entry) for entry in gone])
    yield ""
    yield from (f"- {text(line)}" for line in words.uncounted(report))
    yield f"- Library: {text(report.library)}"
    yield from (f"- {code(rule.explain)}" for rule in words.explained(report))
    yield from (f"- {text(note)}" for note in (*report.notes, *words.hints(report.findings)))


def _section(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if title:
        yield ""
        yield f"#### {title}"
    yield ""
    yield from table(headers, rows[:_MAX_ROWS])
    if len(rows) > _MAX_ROWS:
        yield ""
        yield f"And {len(rows) - _MAX_ROWS} more."


def _finding(found: Finding) -> tuple[str, ...]:
    return (
        found.severity,
        code(found.rule),
        code(words.place(found)),
        code(words.subject(found)),
        text(words.message(found)),
    )


def _gone(entry: KnownFinding) -> tuple[str, ...]:
    return code(entry.rule), code(entry.file), code(", ".join(filter(None, (entry.object, entry.container))))


def _exempt(entry: Exempted) -> tuple[str, ...]:
    found = entry.finding
    return code(found.rule), code(words.place(found)), code(words.subject(found)), text(words.exemption(entry))
