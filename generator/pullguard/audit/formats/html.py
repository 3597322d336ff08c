"""Audits as one self-contained HTML page, which needs no network and no other file.

All data on the page is escaped text or attributes. Style and script are two constant texts, and the page's
Content-Security-Policy names them by their hashes, so nothing else on the page can run.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pullguard import __version__
from pullguard.audit.formats import words
from pullguard.audit.model import SEVERITIES, AuditFinding, AuditReport
from pullguard.core.formats.text import counted, printable

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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only this format needs it
    from markupsafe import Markup  # noqa: PLC0415 - as above

    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        loader=FileSystemLoader(_FOLDER),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    style, script = ((_FOLDER / name).read_text("utf-8") for name in ("audit.css", "audit.js"))
    text = environment.get_template("audit.html.j2").render(
        report=report,
        words=words,
        counted=counted,
        version=__version__,
        severities=SEVERITIES,
        members=_MEMBERS,
        policy="; ".join(
            (
                "default-src 'none'",
                f"style-src '{_hash(style)}'",
                f"script-src '{_hash(script)}'",
                "base-uri 'none'",
                "form-action 'none'",
            )
        ),
        style=Markup(style),  # noqa: S704 - a constant text of ours
        script=Markup(script),  # noqa: S704 - as above
        **_figures(report),
    )
    # In ASCII, the page is the same in every encoding.
    stream.write(text.encode("ascii", "xmlcharrefreplace").decode() + "\n")


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


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _finalize(value: object) -> object:
    """Escape invisible characters and those that change the writing direction, so that no name imitates another."""
    return printable(value) if type(value) is str else value
