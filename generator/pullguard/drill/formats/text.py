"""A plan and a drill for people."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.drill.formats import words
from pullguard.drill.model import DrillReport, Plan, Planned
from pullguard.forecasting import words as forecast_words


def write_plan(plan: Plan, stream: TextIO) -> None:
    """Write a plan for people."""
    write_lines(map(printable, _plan(plan)), stream)


def write(report: DrillReport, stream: TextIO) -> None:
    """Write the report of a drill for people."""
    write_lines(map(printable, _report(report)), stream)


def _plan(plan: Plan) -> Iterator[str]:
    yield f"Plan of a drill on {plan.node}, from {plan.source}; without {', '.join(sorted(plan.registries))}:"
    for planned in plan.pods:
        yield f"  {words.forecast(planned.verdict):<15} {words.pods(planned)}"
        yield from _reasons(planned)
    yield from words.errors(plan)
    yield ""
    yield "What `pullguard drill run` does:"
    yield from (f"  {step}" for step in words.steps(plan))
    yield from _notes(plan.notes)


def _report(report: DrillReport) -> Iterator[str]:
    yield f"{words.title(report)}:"
    for seen in report.seen:
        yield f"  {words.AGREEMENTS[seen.agreement]:<13} {words.pods(seen.planned)}"
        yield f"    forecast: {words.forecast(seen.planned.verdict)}"
        yield from (f"  {line}" for line in _reasons(seen.planned))
        yield f"    seen:     {words.sight(seen.sight)}"
        for container in seen.containers:
            if container.sight != "starts":
                yield f"      {container.name} ({container.image}): {container.why or 'nothing was seen of it in time'}"
        if seen.why:
            yield f"      {seen.why}"
        yield from (f"      changed on its way in: {change}" for change in seen.changed)
    yield ""
    yield words.summary(report)
    yield from words.errors(report.plan)
    yield from (f"error: {problem}" for problem in report.problems)
    yield from _notes((*report.notes, *report.plan.notes))


def _reasons(planned: Planned) -> Iterator[str]:
    for use in planned.uses:
        if use.verdict != "starts":
            yield f"    {forecast_words.use(use)} ({use.image}): {words.reason(use)}"


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    if notes:
        yield ""
        yield from (f"Note: {note}" for note in notes)
