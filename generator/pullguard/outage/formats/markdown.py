"""Forecasts as Markdown, for issues, wikis and the summaries of CI jobs."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from pullguard.core.formats.markdown import code, table, text
from pullguard.core.formats.text import counted, write_lines
from pullguard.forecasting import words as forecast_words
from pullguard.forecasting.model import EVENTS, Event
from pullguard.outage.formats import words
from pullguard.outage.model import Cascade, OutageReport, Workload


def write(report: OutageReport, stream: TextIO) -> None:
    """Write a report."""
    write_lines(_lines(report), stream)


def _lines(report: OutageReport) -> Iterator[str]:
    yield "# Without registries"
    yield ""
    yield f"{text(words.premise(report))}:"
    yield ""
    rows = []
    for event in report.events:
        number, total = words.survivors(report, event)
        rows.append([event, text(EVENTS[event]), f"{number} of {total}"])
    yield from table(("Event", "What happens", "Protected workloads that come back"), rows)
    errors = list(words.errors(report))
    if errors:
        yield ""
        yield "**Something could not be read, and what depends on it is unknown:**"
        yield ""
        yield from (f"- {text(error)}" for error in errors)
    steps = words.first_steps(report)
    if steps:
        yield ""
        yield "## Do first"
        yield ""
        for number, (remedy, workloads, examples) in enumerate(steps, 1):
            more = ", ..." if workloads > len(examples) else ""
            shown = ", ".join(map(code, examples))
            yield f"{number}. {text(remedy)}: {counted(workloads, 'workload')} ({shown}{more})"
    yield from _section(report, words.LOST, words.lost(report, protected=True))
    yield from _section(report, words.LOST_OTHERS, words.lost(report, protected=False))
    for event in report.events:
        if not words.is_said(report, event):
            yield from _repair(report.cascades[event], event)
    if report.notes:
        yield ""
        yield from (f"- {text(note)}" for note in report.notes)


def _section(report: OutageReport, title: str, workloads: Sequence[Workload]) -> Iterator[str]:
    if not workloads:
        return
    yield ""
    yield f"## {title}"
    yield ""
    rows = [
        [
            code(str(workload.ref)),
            event,
            text(words.state(workload, event)),
            "<br>".join(_reasons(workload, event)),
        ]
        for workload in workloads
        for event in report.events
        if not workload.comes_back(event)
    ]
    yield from table(("Workload", "Event", "Pods", "Why"), rows)


def _reasons(workload: Workload, event: Event) -> Iterator[str]:
    for outcome, use in words.bad_uses(workload, event):
        yield f"{text(forecast_words.use(use))} {code(use.image)}: {text(words.reason(use, outcome))}"
    if event in workload.fallen:
        yield text(words.fallen(workload.fallen[event]))


def _repair(cascade: Cascade, event: Event) -> Iterator[str]:
    yield ""
    yield f"## {words.repair_title(cascade, event)}"
    yield ""
    for number, edit in enumerate(cascade.repair, 1):
        yield f"{number}. {text(edit.text)}: {code(edit.command)}"
    if cascade.left:
        yield f"- no such edit brings back {', '.join(map(code, cascade.left))}"
