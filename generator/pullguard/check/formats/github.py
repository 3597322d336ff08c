"""Reports as the commands by which a step of GitHub Actions annotates lines of a change."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.findings import Finding, Report
from pullguard.core.formats.text import inert_within, printable, write_commands
from pullguard.judging import words

_COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def write(report: Report, stream: TextIO) -> None:
    """Write an annotation for each finding and error, and one for the whole."""
    write_commands(_lines(report), stream)


def _lines(report: Report) -> Iterator[str]:
    if report.doubt:
        yield _command("warning", report.doubt, title="pullguard: library")
    for found in report.findings:
        text = "\n".join((words.subject(found), words.message(found), words.constraints(found)))
        yield _command(_COMMANDS.get(found.severity, "warning"), text, title=found.rule, **_place(found))
    for problem in report.errors:
        line = {} if problem.line is None else {"line": str(problem.line)}
        yield _command("error", problem.message, title="pullguard: error", file=problem.file, **line)
    for entry in report.exempt:
        text = f"{words.subject(entry.finding)}\n{words.exemption(entry)}"
        yield _command("notice", text, title=entry.finding.rule, **_place(entry.finding))
    gone = () if report.baseline is None else report.baseline.gone
    whole = [
        words.summary(report),
        *words.uncounted(report),
        *words.unjudged(report),
        *(f"gone: {words.gone(entry)}" for entry in gone),
        f"Library: {report.library}",
        *report.notes,
        *words.hints(report.findings),
    ]
    yield _command("notice", "\n".join(whole), title="pullguard")


def _place(found: Finding) -> dict[str, str]:
    return {"file": found.file, "line": str(found.line)}


def _command(name: str, text: str, **properties: str) -> str:
    values = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {values}::{_data(text)}"


def _data(text: str) -> str:
    """Return a text as the data of a command, in which only line ends have a meaning."""
    lines = (inert_within(printable(line)) for line in text.split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
