"""A forecast as one self-contained HTML page, with a picture of what falls.

What is in it grows with workloads and namespaces, and never with pods; even so, there is a limit to everything.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from pullguard.core.formats.html import write_page
from pullguard.forecasting import words as forecast_words
from pullguard.forecasting.model import EVENTS, VERDICTS, Event, Verdict
from pullguard.outage.formats import words
from pullguard.outage.formats.picture import picture
from pullguard.outage.model import OutageReport, Workload

_FOLDER = Path(__file__).resolve().parent / "page"

# How much of each there is, at most.
ROWS = 10_000
_UNFOLDED_ROWS = 40
_NAMESPACES = 1_000
_EDITS = 200
_UNFOLDED_EDITS = 5
_FALLEN = 200
_STEPS = 50
_NAMES = 20
_REASONS = 5
_DRILLED = 1_000
_BAR_UNITS = 1000

_STYLES: Mapping[Verdict, str] = {"stays down": "down", "unknown": "unknown", "starts": "starts"}


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of a workload in events in which the same becomes of it, for the same reasons."""

    workload: Workload
    events: tuple[Event, ...]
    verdict: Verdict
    state: str
    reasons: tuple[tuple[str, str, str], ...]
    fallen: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar; start and length are thousandths of it."""

    verdict: Verdict
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Count:
    """What becomes of the workloads of a namespace in an event."""

    event: Event
    numbers: Mapping[Verdict, int]
    segments: tuple[Segment, ...]

    @property
    def survivors(self) -> int:
        """How many come back."""
        return self.numbers["starts"]


@dataclass(frozen=True, slots=True)
class Namespace:
    """The workloads of a namespace.

    Attributes:
        name: Its name.
        workloads: How many there are.
        counts: What becomes of them, by event.
        rows: Those that do not come back, the worst first, up to a limit.
        more: How many rows are left out.
        well: Some that come back in every event, and how many more there are.
    """

    name: str
    workloads: int
    counts: tuple[Count, ...]
    rows: tuple[Row, ...]
    more: int
    well: tuple[str, ...]
    also_well: int

    @property
    def is_lost(self) -> bool:
        """Whether some do not come back."""
        return any(count.survivors < self.workloads for count in self.counts)


def write(report: OutageReport, stream: TextIO) -> None:
    """Write the page."""
    protected = namespaces(report, protected=True)
    all_lost = [namespace for namespace in protected if namespace.is_lost]
    lost = limited(all_lost[:_NAMESPACES])
    shown = [row for namespace in lost for row in namespace.rows]
    write_page(
        _FOLDER,
        "outage",
        stream,
        scripts=[_FOLDER / "outage.js"],
        report=report,
        words=words,
        descriptions=EVENTS,
        styles=_STYLES,
        ranks={verdict: rank for rank, verdict in enumerate(VERDICTS)},
        errors=list(words.errors(report)),
        steps=words.first_steps(report),
        repairs=[event for event in report.events if not words.is_said(report, event)],
        falling=[event for event in report.events if words.falls(report.cascades[event])],
        pictures={event: picture(report, event) for event in report.events},
        lost=lost,
        also_lost=len(all_lost) - len(lost),
        well=[namespace for namespace in protected if not namespace.is_lost],
        unfolded=len(shown) <= _UNFOLDED_ROWS,
        names=[namespace.name for namespace in lost],
        verdicts=[verdict for verdict in VERDICTS if any(row.verdict == verdict for row in shown)],
        others=[namespace for namespace in namespaces(report, protected=False) if namespace.is_lost],
        most={
            "edits": _EDITS,
            "unfolded": _UNFOLDED_EDITS,
            "fallen": _FALLEN,
            "steps": _STEPS,
            "namespaces": _NAMESPACES,
            "reasons": _REASONS,
            "drilled": _DRILLED,
        },
    )


def namespaces(report: OutageReport, *, protected: bool) -> list[Namespace]:
    """Return the namespaces, those first of which the most workloads do not come back."""
    by_name: dict[str, list[Workload]] = {}
    for workload in report.workloads:
        if workload.protected == protected:
            by_name.setdefault(workload.ref.namespace, []).append(workload)
    found = [_namespace(report, name, workloads) for name, workloads in by_name.items()]
    return sorted(found, key=lambda each: (*_badness(each), each.name))


def limited(lost: Sequence[Namespace]) -> list[Namespace]:
    """Return namespaces with no more rows than there may be in all, which are shared as evenly as they are needed."""
    left = ROWS
    limits = {}
    for index, namespace in enumerate(sorted(lost, key=lambda each: len(each.rows))):
        limits[namespace.name] = min(len(namespace.rows), left // (len(lost) - index))
        left -= limits[namespace.name]
    return [
        replace(each, rows=each.rows[: limits[each.name]], more=len(each.rows) - limits[each.name]) for each in lost
    ]


def rows(report: OutageReport, workload: Workload) -> list[Row]:
    """Return what becomes of a workload that does not come back, events of which the same is said together."""
    found: dict[tuple[str, str, tuple[tuple[str, str, str], ...]], list[Event]] = {}
    for event in report.events:
        if not workload.comes_back(event):
            reasons = tuple(
                (forecast_words.use(use), use.image, words.reason(use, outcome))
                for outcome, use in words.bad_uses(workload, event)
            )
            fallen = words.fallen(workload.fallen[event]) if event in workload.fallen else ""
            found.setdefault((words.state(workload, event), fallen, reasons), []).append(event)
    return [
        Row(
            workload,
            tuple(events),
            workload.verdict(events[0]),
            state,
            reasons,
            fallen,
            tuple(dict.fromkeys(words.remedy(use) for _, use in words.bad_uses(workload, events[0]))),
        )
        for (state, fallen, reasons), events in found.items()
    ]


def _namespace(report: OutageReport, name: str, workloads: Sequence[Workload]) -> Namespace:
    well = [workload for workload in workloads if all(map(workload.comes_back, report.events))]
    lost = [row for workload in workloads if workload.protected for row in rows(report, workload)]
    lost.sort(key=lambda row: VERDICTS.index(row.verdict))
    return Namespace(
        name=name,
        workloads=len(workloads),
        counts=tuple(_count(event, workloads) for event in report.events),
        rows=tuple(lost),
        more=0,
        well=tuple(f"{workload.ref.kind} {workload.ref.name}" for workload in well[:_NAMES]),
        also_well=len(well[_NAMES:]),
    )


def _count(event: Event, workloads: Iterable[Workload]) -> Count:
    numbers = Counter(workload.verdict(event) for workload in workloads)
    segments = []
    start = 0
    for verdict in VERDICTS:
        length = round(numbers[verdict] * _BAR_UNITS / numbers.total())
        if length:
            segments.append(Segment(verdict, start, length))
        start += length
    return Count(event, {verdict: numbers[verdict] for verdict in VERDICTS}, tuple(segments))


def _badness(namespace: Namespace) -> tuple[int, int]:
    down, unknown = (sum(count.numbers[verdict] for count in namespace.counts) for verdict in VERDICTS[:2])
    return -down, -unknown
