"""Audits as one self-contained HTML page."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import SEVERITIES, AuditFinding, AuditReport
from pullguard.core.formats.html import write_page

_FOLDER = Path(__file__).resolve().parent / "page"

# As many namespaces as people can compare at a glance; the table below the bars has all of them.
_BARS = 12
_BAR_UNITS = 1000
_HEAT_LEVELS = 4
_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar; start and length are thousandths of the longest bar."""

    severity: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The findings of one namespace as a bar."""

    namespace: str
    text: str
    total: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A number in the table of namespaces and policies; `heat` is from 0 (none) to 4 (the most)."""

    number: int
    heat: int


@dataclass(frozen=True, slots=True)
class Row:
    """A namespace in that table."""

    namespace: str
    cells: tuple[Cell, ...]
    total: int


def write(report: AuditReport, stream: TextIO) -> None:
    """Write the page."""
    write_page(
        _FOLDER,
        "audit",
        stream,
        report=report,
        words=words,
        severities=SEVERITIES,
        members=_MEMBERS,
        errors=[words.error(problem) for problem in report.errors],
        **_figures(report),
    )


def bars(findings: Iterable[AuditFinding]) -> list[Bar]:
    """Return the namespaces with the most and the worst findings, the worst first."""
    counts: dict[str, Counter[str]] = {}
    for found in findings:
        counts.setdefault(words.place(found.workload), Counter())[found.severity] += 1
    ranked = sorted(counts, key=lambda name: ([-counts[name][severity] for severity in SEVERITIES], name))[:_BARS]
    longest = max((counts[name].total() for name in ranked), default=1)
    return [_bar(name, counts[name], longest) for name in ranked]


def matrix(findings: Iterable[AuditFinding]) -> tuple[list[str], list[Row], list[int]]:
    """Return the policies, a row for each namespace, and the totals of the policies."""
    counts = Counter((words.place(found.workload), found.policy) for found in findings)
    policies = sorted({policy for _, policy in counts})
    most = max(counts.values(), default=1)
    rows = [
        Row(
            namespace,
            tuple(_cell(counts[namespace, policy], most) for policy in policies),
            sum(counts[namespace, policy] for policy in policies),
        )
        for namespace in sorted({name for name, _ in counts})
    ]
    return policies, rows, [sum(row.cells[index].number for row in rows) for index in range(len(policies))]


def _figures(report: AuditReport) -> Mapping[str, Any]:
    policies, rows, totals = matrix(report.active)
    return {
        "bars": bars(report.active),
        "policies": policies,
        "rows": rows,
        "totals": totals,
        "namespaces": sorted({words.place(found.workload) for found in report.findings}),
        "all_policies": sorted({found.policy for found in report.findings}),
        "present": [
            severity for severity in SEVERITIES if any(found.severity == severity for found in report.findings)
        ],
        "ranks": {severity: rank for rank, severity in enumerate(SEVERITIES)},
        "workloads": words.workloads(report),
        "worst": next(
            (severity for severity in SEVERITIES if any(found.severity == severity for found in report.active)), ""
        ),
    }


def _bar(namespace: str, counts: Counter[str], longest: int) -> Bar:
    segments = []
    start = 0
    for severity in SEVERITIES:
        length = round(counts[severity] * _BAR_UNITS / longest)
        if length:
            segments.append(Segment(severity, start, length))
        start += length
    text = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    return Bar(namespace, text, counts.total(), tuple(segments))


def _cell(number: int, most: int) -> Cell:
    return Cell(number, -(-number * _HEAT_LEVELS // most))
