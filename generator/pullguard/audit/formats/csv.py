"""Audits as CSV (RFC 4180), for spreadsheets: a row for each object that violates."""

import csv
from typing import TextIO

from pullguard.audit.model import AuditReport, total
from pullguard.core.formats.text import inert, printable

_HEADER = (
    "severity", "namespace", "workloadKind", "workload", "rule", "policy", "constraints", "enforcementAction",
    "objectKind", "object", "idle", "message", "advice", "change", "violationsShown", "violationsTotal",
)  # fmt: skip

# Spreadsheets treat text that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report. The last two columns count the violations of all constraints of the kind, "" if not known."""
    writer = csv.writer(stream)
    writer.writerow(_HEADER)
    for found in report.findings:
        own = [entry for entry in report.constraints if entry.constraint.kind == found.kind]
        counts = (sum(entry.shown for entry in own), total(own))
        for member in found.members:
            row = (
                found.severity, found.workload.namespace, found.workload.kind, found.workload.name, found.rule,
                found.policy, " ".join(found.constraints), found.action, member.object.kind, member.object.name,
                str(member.idle).lower(), found.message, found.advice, found.change,
                *("" if count is None else str(count) for count in counts),
            )  # fmt: skip
            writer.writerow([_plain(cell) for cell in row])


def _plain(text: str) -> str:
    cell = "\n".join(inert(printable(line)) for line in text.split("\n"))
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
