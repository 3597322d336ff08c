"""Audits as reports: one file per format, and a table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.audit.formats import csv, html, json, junit, markdown, metrics, policyreport, sarif, text, words
from pullguard.audit.model import AuditReport
from pullguard.core.formats.text import printable, write_lines

#: The function that writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[AuditReport, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "csv": csv.write,
    "html": html.write,
    "junit": junit.write,
    "markdown": markdown.write,
    "metrics": metrics.write,
    "policyreport": policyreport.write,
    "sarif": sarif.write,
}

#: The formats without room for errors and notes, which go to stderr.
WITHOUT_ERRORS = frozenset({"csv", "metrics", "policyreport"})


def write_errors(report: AuditReport, stream: TextIO) -> None:
    """Write only the errors and notes."""
    errors = [f"error: {words.error(problem)}" for problem in report.errors]
    write_lines((f"pullguard: {printable(line)}" for line in (*errors, *report.notes)), stream)
