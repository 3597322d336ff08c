"""A forecast for people: what to do first, then what does not come back."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import counted, printable, write_lines
from pullguard.forecasting import words as forecast_words
from pullguard.forecasting.model import EVENTS, Event
from pullguard.outage.formats import words
from pullguard.outage.model import OutageReport, Workload


def write(report: OutageReport, stream: TextIO) -> None:
    """Write a report for people."""
    write_lines(map(printable, _lines(report)), stream)


def write_one(report: OutageReport, workload: Workload, stream: TextIO) -> None:
    """Write all that is known of one workload."""
    write_lines(map(printable, _one(report, workload)), stream)


def _lines(report: OutageReport) -> Iterator[str]:
    yield f"{words.premise(report)}:"
    for event in report.events:
        yield f"  {event:<8} {words.comeback(report, event)} ({EVENTS[event]})"
    yield from words.errors(report)
    steps = words.first_steps(report)
    if steps:
        yield ""
        yield "Do first:"
        for number, (remedy, concerned, examples) in enumerate(steps, 1):
            yield f"  {number}. {remedy}: {words.step(concerned, examples)}"
    for event in report.events:
        yield from _repair(report, event)
    for title, is_protected in ((words.LOST, True), (words.LOST_OTHERS, False)):
        workloads = words.lost(report, protected=is_protected)
        if workloads:
            yield ""
            yield f"{title}:"
            for workload in workloads:
                yield from _workload(report, workload)
    for event in report.events:
        yield from _falling(report, event)
    if report.notes:
        yield ""
        yield from (f"Note: {note}" for note in report.notes)


def _workload(report: OutageReport, workload: Workload) -> Iterator[str]:
    yield f"  {workload.ref}"
    for event in report.events:
        if not workload.comes_back(event):
            yield f"    {event}: {words.state(workload, event)}"
            for outcome, use in words.bad_uses(workload, event):
                yield f"      {forecast_words.use(use)} ({use.image}): {words.reason(use, outcome)}"
            if event in workload.fallen:
                yield f"      {words.fallen(workload.fallen[event])}"


def _falling(report: OutageReport, event: Event) -> Iterator[str]:
    """Yield what falls in an event, and the way back."""
    cascade = report.cascades[event]
    if not words.falls(cascade):
        return
    yield ""
    yield f"What falls with it ({event}):"
    yield from (f"  {each.name}: {words.fallen(each)}" for each in cascade.fallen)
    for knot in cascade.knots:
        yield f"  {words.knot(knot)}"
    if len(cascade.order) > 1:
        yield f"  {words.ORDER}:"
        for number, names in enumerate(cascade.order, 1):
            yield f"    {number}. {words.several(names)}"


def _repair(report: OutageReport, event: Event) -> Iterator[str]:
    """Yield the repair of an event, unless an earlier one has the same."""
    cascade = report.cascades[event]
    if words.is_said(report, event):
        return
    yield ""
    if cascade.repair:
        yield f"{words.repair_title(cascade, event)}:"
        for number, edit in enumerate(cascade.repair, 1):
            yield f"  {number}. {edit.text}"
            yield f"     {edit.command}"
    if cascade.left:
        yield words.left(cascade, event)


def _one(report: OutageReport, workload: Workload) -> Iterator[str]:
    yield f"{workload.ref}{' (protected)' if workload.protected else ''}, if {words.registries(report)} were gone"
    for event in report.events:
        yield f"{event}: {EVENTS[event]}"
        if event in workload.fallen:
            yield f"  {words.fallen(workload.fallen[event])}"
        if event not in workload.forecasts:
            yield "  nothing of it starts anew"
            continue
        for outcome in workload.forecasts[event].outcomes:
            examples = ", ".join(
                f"{name or 'a new pod'}{f' on {node}' if node else ''}" for name, node in outcome.examples
            )
            more = ", ..." if outcome.pods > len(outcome.examples) else ""
            yield f"  {counted(outcome.pods, 'pod')}: {outcome.verdict} ({examples}{more})"
            for use in outcome.uses:
                yield f"    {forecast_words.use(use)} ({use.image}, {' or '.join(use.policies)}): {use.verdict}"
                yield f"      {use.reason}: {words.reason(use, outcome)}"
                if outcome.nodes >= 0:
                    yield (
                        f"      of {counted(outcome.nodes, 'node')} that it may come to: "
                        f"{use.present} have the image, {use.missing} do not, {use.unknown} are not known"
                    )
