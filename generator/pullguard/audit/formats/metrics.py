"""Audits as metrics in Prometheus' text format, for a Pushgateway or the textfile collector of a node exporter."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from pullguard.audit.formats import words
from pullguard.audit.model import AuditReport
from pullguard.core.formats.text import inert, printable

_PREFIX = "pullguard_audit"


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report."""
    stream.writelines(f"{line}\n" for line in _lines(report))


def _lines(report: AuditReport) -> Iterator[str]:
    own = [
        (entry, {"kind": entry.constraint.kind, "constraint": entry.constraint.name, "action": entry.action})
        for entry in report.constraints
    ]
    yield from _gauge(
        "violations",
        "Violations of a constraint that exist, as far as Gatekeeper or a rescan counted them.",
        ((labels, entry.total) for entry, labels in own if entry.total is not None),
    )
    yield from _gauge(
        "violations_shown",
        "Violations of a constraint that are known one by one.",
        ((labels, entry.shown) for entry, labels in own),
    )
    yield from _gauge(
        "last_run_timestamp_seconds",
        "When the audit of a constraint began.",
        ((labels, words.seconds(entry.run)) for entry, labels in own if entry.run),
    )
    findings = Counter(
        (found.workload.namespace, found.policy, found.rule, found.severity, str(found.idle).lower())
        for found in report.findings
    )
    names = ("namespace", "policy", "rule", "severity", "idle")
    yield from _gauge(
        "findings",
        "Findings, folded to workloads; idle: nothing of the workload that violates runs.",
        ((dict(zip(names, values, strict=True)), number) for values, number in sorted(findings.items())),
    )
    yield from _gauge("errors", "What could not be read; the other figures may be too low.", [({}, len(report.errors))])
    yield from _gauge("complete", "1 if every violation is known, else 0.", [({}, int(report.complete))])


def _gauge(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], int]]) -> Iterator[str]:
    yield f"# HELP {_PREFIX}_{name} {text}"
    yield f"# TYPE {_PREFIX}_{name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{_PREFIX}_{name}{f'{{{inside}}}' if inside else ''} {value}"


def _escaped(text: str) -> str:
    shown = "\n".join(inert(printable(line)) for line in text.split("\n"))
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
