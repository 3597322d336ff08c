"""Audits as metrics in Prometheus' text format, for a Pushgateway or the textfile collector of a node exporter."""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import AuditReport
from pullguard.core.formats.metrics import gauge

_PREFIX = "pullguard_audit"


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report."""
    stream.writelines(f"{line}\n" for line in _lines(report))


def _lines(report: AuditReport) -> Iterator[str]:
    own = [
        (entry, {"kind": entry.constraint.kind, "constraint": entry.constraint.name, "action": entry.action})
        for entry in report.constraints
    ]
    yield from gauge(
        f"{_PREFIX}_violations",
        "Violations of a constraint that exist, as far as Gatekeeper or a rescan counted them.",
        ((labels, entry.total) for entry, labels in own if entry.total is not None),
    )
    yield from gauge(
        f"{_PREFIX}_violations_shown",
        "Violations of a constraint that are known one by one.",
        ((labels, entry.shown) for entry, labels in own),
    )
    yield from gauge(
        f"{_PREFIX}_last_run_timestamp_seconds",
        "When the audit of a constraint began.",
        ((labels, words.seconds(entry.run)) for entry, labels in own if entry.run),
    )
    findings = Counter(
        (found.workload.namespace, found.policy, found.rule, found.severity, str(found.idle).lower())
        for found in report.findings
    )
    names = ("namespace", "policy", "rule", "severity", "idle")
    yield from gauge(
        f"{_PREFIX}_findings",
        "Findings, folded to workloads; idle: nothing of the workload that violates runs.",
        ((dict(zip(names, values, strict=True)), number) for values, number in sorted(findings.items())),
    )
    yield from gauge(
        f"{_PREFIX}_errors", "What could not be read; the other figures may be too low.", [({}, len(report.errors))]
    )
    yield from gauge(f"{_PREFIX}_complete", "1 if every violation is known, else 0.", [({}, int(report.complete))])
