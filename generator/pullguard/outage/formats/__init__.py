"""A forecast in formats: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.outage.formats import html, json, markdown, metrics, text, words
from pullguard.outage.model import OutageReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[OutageReport, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "html": html.write,
    "markdown": markdown.write,
    "metrics": metrics.write,
}

#: The formats without room for errors and notes, which go to stderr.
WITHOUT_ERRORS = frozenset({"metrics"})


def write_errors(report: OutageReport, stream: TextIO) -> None:
    """Write only the errors and notes."""
    write_lines((f"pullguard: {printable(line)}" for line in (*words.errors(report), *report.notes)), stream)
