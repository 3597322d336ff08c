"""Reports for people on a terminal or in a log, grouped by file."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO

from pullguard.core.findings import Finding, Report
from pullguard.core.formats.text import printable, wants_colours, write_lines
from pullguard.judging import words

_COLOURS = {"critical": "31;1", "high": "31", "medium": "33", "low": "36", "error": "31;1", "place": "1", "quiet": "2"}


def write(report: Report, stream: TextIO) -> None:
    """Write a report; with colours and links if the stream is a terminal that wants them."""
    write_lines(_Text(report, styled=wants_colours(stream)).lines(), stream)


class _Text:
    """A report as lines; `styled` says whether it is for a terminal with colours and links."""

    def __init__(self, report: Report, *, styled: bool) -> None:
        self._report = report
        self._styled = styled
        self._pages = {rule.id: rule.page for rule in report.rules}

    def lines(self) -> Iterator[str]:
        report = self._report
        if report.doubt:
            yield f"{self._style('error', 'Warning')}: {printable(report.doubt)}"
            yield ""
        for _, findings in groupby(report.findings, key=lambda found: found.file):
            for found in findings:
                yield from self._finding(found)
            yield ""
        for entry in report.exempt:
            found = entry.finding
            yield f"{self._style('place', words.place(found))}: {self._style('quiet', 'exempt')}: {self._rule(found)}"
            yield f"  {printable(words.subject(found))}"
            yield f"  {printable(words.exemption(entry))}"
        if report.exempt:
            yield ""
        if report.baseline is not None and report.baseline.gone:
            yield from (f"gone: {printable(words.gone(entry))}" for entry in report.baseline.gone)
            yield ""
        if report.errors:
            for problem in report.errors:
                place, error = self._style("place", words.place(problem)), self._style("error", "error")
                yield f"{place}: {error}: {printable(problem.message)}"
            yield ""
        yield words.summary(report)
        yield from map(printable, (*words.uncounted(report), *words.unjudged(report)))
        yield f"Library: {printable(report.library)}"
        yield from map(printable, self._policies())
        yield from (f"Note: {printable(note)}" for note in (*report.notes, *words.hints(report.findings)))

    def _finding(self, found: Finding) -> Iterator[str]:
        severity = self._style(found.severity, found.severity)
        yield f"{self._style('place', words.place(found))}: {severity}: {self._rule(found)}"
        yield f"  {printable(words.subject(found))}"
        yield from (f"  {printable(line)}" for line in words.message(found).splitlines())
        yield f"  {printable(words.constraints(found))}"

    def _policies(self) -> Iterator[str]:
        """Yield where to read about the policies that have findings."""
        for rule in words.explained(self._report):
            # The page that comes with pullguard is in a folder where nobody looks.
            place = "" if Path(rule.page).is_absolute() else f"{rule.page}, or "
            yield f"{rule.policy}: see {place}`{rule.explain}`"

    def _rule(self, found: Finding) -> str:
        """Return the id of a rule; a terminal links it with the policy's page."""
        page = self._pages.get(found.rule)
        text = printable(found.rule)
        if not self._styled or not page:
            return text
        return f"\x1b]8;;{Path(page).absolute().as_uri()}\x1b\\{text}\x1b]8;;\x1b\\"

    def _style(self, name: str, text: str) -> str:
        shown = printable(text)
        return f"\x1b[{_COLOURS[name]}m{shown}\x1b[0m" if self._styled and name in _COLOURS else shown
