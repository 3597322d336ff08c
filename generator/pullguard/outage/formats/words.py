"""The words in which every format says what becomes of workloads."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pullguard.core.formats.text import counted
from pullguard.forecasting.drilled import Drilled
from pullguard.forecasting.model import REASONS, REMEDIES, VERDICTS, Event, Forecast, Outcome, Use
from pullguard.outage.model import Cascade, Fallen, OutageReport, Workload

#: What stands above the workloads that are lost.
LOST = "Protected workloads that do not come back, or may not"
LOST_OTHERS = "Others that do not come back, or may not"

_SHOWN = 5
_KEEP_UP = "keep up what they fall with, or leave their namespaces out of it: see the repair"


def registries(report: OutageReport) -> str:
    """Return which registries are gone."""
    return "all registries" if report.registries == ("*",) else ", ".join(report.registries)


def premise(report: OutageReport) -> str:
    """Return what is forecast."""
    nodes = "" if report.nodes is None else f", on {several(report.nodes)}"
    return f"Forecast from {report.source}, if {registries(report)} were gone now{nodes}"


def comeback(report: OutageReport, event: Event) -> str:
    """Return how many protected workloads come back in an event."""
    number, total = survivors(report, event)
    if not report.protected:
        return "no workload is protected"
    if not total:
        return "nothing of the protected workloads starts anew"
    others = len(report.protected) - total
    idle = f"; nothing of {counted(others, 'other')} starts anew" if others else ""
    return f"{number} of {counted(total, 'protected workload')} {'comes' if total == 1 else 'come'} back{idle}"


def errors(report: OutageReport) -> Iterator[str]:
    """Yield what could not be read."""
    for problem in report.errors:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        yield f"{place}: error: {problem.message}"
    for kind, why in report.unreadable.items():
        yield f"error: {kind} could not be read: {why}"


def lost(report: OutageReport, *, protected: bool) -> list[Workload]:
    """Return the workloads that do not come back, or may not."""
    return [
        workload
        for workload in report.workloads
        if workload.protected == protected and not all(map(workload.comes_back, report.events))
    ]


def reason(found: Use, outcome: Outcome) -> str:
    """Return why a container starts or does not, with the numbers behind it."""
    text = REASONS[found.reason]
    if found.others:
        return f"{text} ({', '.join(found.others)})"
    if found.without is not None and found.reason == "registry-reachable":
        service = found.without.service
        return f"{text}: it is Service/{service['namespace']}/{service['name']}"
    if not outcome.bound and found.reason.startswith(("image-on", "listing")):
        return f"{text} ({found.present} of {counted(outcome.nodes, 'node')})"
    return text


def pods(forecast: Forecast) -> str:
    """Return how many pods of a workload have which verdict."""
    numbers = {verdict: forecast.pods(verdict) for verdict in VERDICTS}
    parts = [f"{counted(number, 'pod')} {_verb(verdict, number)}" for verdict, number in numbers.items() if number]
    return ", ".join(parts)


def state(workload: Workload, event: Event) -> str:
    """Return what becomes of the pods of a workload, by their images, and by what else falls."""
    own = pods(workload.forecasts[event])
    return own if event not in workload.fallen else f"{workload.fallen[event].verdict} (by its images alone: {own})"


def fallen(found: Fallen) -> str:
    """Return with what a thing falls."""
    verb = "falls" if found.verdict == "stays down" else "may fall"
    return f"{verb} with {several(found.because)}" if found.because else verb


def falls(cascade: Cascade) -> bool:
    """Tell whether anything falls with pods, or comes back in an order."""
    return bool(cascade.fallen or cascade.knots or len(cascade.order) > 1)


#: What stands before the workloads that come back one after another.
ORDER = "the others come back in this order"


def knot(names: Sequence[str]) -> str:
    """Return that workloads keep each other down."""
    return f"{'keep each other' if len(names) > 1 else 'keeps itself'} down: {several(names)}"


def several(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def repair_title(cascade: Cascade, event: Event) -> str:
    """Return what a repair is called."""
    proven = "Smallest repair" if cascade.proven else "A repair, not proven to be the smallest"
    return f"{proven} ({event}, cost {cascade.cost})"


def left(cascade: Cascade, event: Event) -> str:
    """Return what no edit brings back."""
    return f"No edit that pullguard knows brings back ({event}): {several(cascade.left)}"


#: How a forecast and what a drill has seen go together.
AGREEMENTS = {
    "as forecast": "as forecast",
    "left open": "the forecast was open",
    "contradicted": "not as forecast",
    "changed": "changed on its way in",
    "not seen": "not seen",
}


def drill(shown: Drilled) -> str:
    """Return what was tried in a drill."""
    return f"{shown.node} without {several(shown.registries)}, for {shown.lasted:.0f} seconds"


def step(concerned: int, examples: Sequence[str]) -> str:
    """Return which workloads a remedy is for."""
    more = ", ..." if concerned > len(examples) else ""
    return f"{counted(concerned, 'workload')} ({', '.join(examples)}{more})"


def is_said(report: OutageReport, event: Event) -> bool:
    """Tell whether an earlier event has the same repair, or there is nothing to repair."""
    cascade = report.cascades[event]
    earlier = report.events[: report.events.index(event)]
    said = [(report.cascades[each].repair, report.cascades[each].left) for each in earlier]
    return (cascade.repair, cascade.left) in said or not (cascade.repair or cascade.left)


def _verb(verdict: str, number: int) -> str:
    return {
        "stays down": "stays down" if number == 1 else "stay down",
        "unknown": "unknown",
        "starts": "starts" if number == 1 else "start",
    }[verdict]


def bad_uses(workload: Workload, event: Event) -> Iterator[tuple[Outcome, Use]]:
    """Yield the containers of a workload that do not start, or may not, each reason once."""
    seen = set()
    for outcome in workload.forecasts[event].outcomes if event in workload.forecasts else ():
        for found in outcome.uses:
            key = (found.list, found.name, found.reason)
            if found.verdict != "starts" and key not in seen:
                seen.add(key)
                yield outcome, found


def remedy(found: Use) -> str:
    """Return what to do about a container that does not start, or may not."""
    return REMEDIES[found.reason]


def first_steps(report: OutageReport) -> list[tuple[str, int, list[str]]]:
    """Return what to do first: remedies, how many workloads each is for, and some of these; the most first.

    It is about protected workloads, and others that take these with them.
    """
    wanted: dict[str, dict[str, None]] = {}
    weight: Counter[str] = Counter()
    behind = {name for workload in report.protected for found in workload.fallen.values() for name in found.because}
    for workload in report.workloads:
        if not workload.protected and str(workload.ref) not in behind:
            continue
        for event in report.events:
            for _, found in bad_uses(workload, event):
                wanted.setdefault(remedy(found), {})[str(workload.ref)] = None
                weight[remedy(found)] += found.verdict == "stays down"
    if not wanted:  # otherwise, what falls with something else comes back with that
        for workload in report.protected:
            if workload.fallen:
                wanted.setdefault(_KEEP_UP, {})[str(workload.ref)] = None
    order = sorted(wanted, key=lambda each: (not weight[each], -len(wanted[each]), each))
    return [(each, len(wanted[each]), list(wanted[each])[:3]) for each in order]


def survivors(report: OutageReport, event: Event) -> tuple[int, int]:
    """Return how many protected workloads come back, and of how many: those of which something starts anew."""
    concerned = [workload for workload in report.protected if event in workload.forecasts or event in workload.fallen]
    return sum(workload.comes_back(event) for workload in concerned), len(concerned)
