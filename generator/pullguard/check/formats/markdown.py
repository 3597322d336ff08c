"""Reports as Markdown, for a comment on a pull request or the summary of a job."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from pullguard.core.findings import Exempted, Finding, KnownFinding, Report
from pullguard.core.formats.markdown import code, table, text
from pullguard.core.formats.text import write_lines
from pullguard.core.inputs.problems import InputError
from pullguard.judging import words

# What all tables may take together: GitHub refuses comments of more than 65,536 characters.
_MAX_CHARACTERS = 50_000

# Its title, its headers, and its rows as cells.
_Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


def write(report: Report, stream: TextIO) -> None:
    """Write a report: tables of what was found, and the numbers."""
    write_lines(_lines(report), stream)


def _lines(report: Report) -> Iterator[str]:
    yield "### pullguard"
    yield ""
    if report.doubt:
        yield from (f"**Warning: {text(report.doubt)}**", "")
    yield f"**{text(words.summary(report))}**"
    yield from _shortened([entry for entry in _tables(report) if entry[2]])
    yield ""
    yield from (f"- {text(line)}" for line in (*words.uncounted(report), *words.unjudged(report)))
    yield f"- Library: {text(report.library)}"
    yield from (f"- {code(rule.explain)}" for rule in words.explained(report))
    yield from (f"- {text(note)}" for note in (*report.notes, *words.hints(report.findings)))


def _tables(report: Report) -> Iterator[_Table]:
    """Yield the tables of a report, from the most to the least important one."""
    headers = ("severity", "rule", "place", "object", "what is wrong")
    yield "", headers, [_finding(found) for found in report.findings]
    yield "Errors", ("place", "what is wrong"), [_error(problem) for problem in report.errors]
    yield "Exempt", ("rule", "place", "object", "why"), [_exempt(entry) for entry in report.exempt]
    gone = () if report.baseline is None else report.baseline.gone
    yield "Gone since the baseline", ("rule", "file", "object"), [_gone(entry) for entry in gone]


def _shortened(tables: Sequence[_Table]) -> Iterator[str]:
    """Yield the lines of tables; each may use what the others leave, and says how many rows were cut off."""
    room = _MAX_CHARACTERS
    for place, (title, headers, rows) in enumerate(tables):
        yield from ("", f"#### {title}", "") if title else ("",)
        share = room // (len(tables) - place)
        left = len(rows) + 2
        for line in table(headers, rows):
            if len(line) >= share:
                yield from ("", f"And {left} more.")
                break
            yield line
            share -= len(line) + 1
            room -= len(line) + 1
            left -= 1


def _finding(found: Finding) -> tuple[str, ...]:
    return (
        found.severity,
        code(found.rule),
        code(words.place(found)),
        code(words.subject(found)),
        text(words.message(found)),
    )


def _error(problem: InputError) -> tuple[str, ...]:
    return code(words.place(problem)), text(problem.message)


def _gone(entry: KnownFinding) -> tuple[str, ...]:
    return code(entry.rule), code(entry.file), code(", ".join(filter(None, (entry.object, entry.container))))


def _exempt(entry: Exempted) -> tuple[str, ...]:
    found = entry.finding
    return code(found.rule), code(words.place(found)), code(words.subject(found)), text(words.exemption(entry))
