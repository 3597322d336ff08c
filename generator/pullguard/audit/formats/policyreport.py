"""Audits as PolicyReports (wgpolicyk8s.io/v1alpha2), one for each namespace, as YAML that `kubectl apply` takes."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import yaml

from pullguard.audit.formats import words
from pullguard.audit.model import Audited, AuditFinding, AuditReport
from pullguard.core.findings import ObjectRef

_API_VERSION = "wgpolicyk8s.io/v1alpha2"
_NAME = "pullguard-audit"
_SOURCE = "pullguard"
_RESULTS = ("pass", "fail", "warn", "error", "skip")

# kubectl stores what it applies in an annotation, and all annotations together may have 256 KiB.
_MOST_BYTES = 200_000
_MOST_MESSAGE = 1_024
_MOST_RESOURCES = 100


def write(report: AuditReport, stream: TextIO) -> None:
    """Write the reports, long ones in several parts. Without findings and constraints, nothing is written."""
    runs = {entry.constraint.kind: entry for entry in report.constraints}
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for found in report.findings:
        by_namespace.setdefault(found.workload.namespace, []).append(_result(found, runs.get(found.kind)))
    objects = [
        obj
        for namespace, results in sorted(by_namespace.items())
        for number, part in enumerate(_parts(results), start=1)
        for obj in [_report(report, namespace, number, part)]
    ]
    yaml.dump_all(objects, stream, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=False, explicit_start=True)


def _report(report: AuditReport, namespace: str, number: int, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts = Counter(result["result"] for result in results)
    metadata: dict[str, Any] = {"name": _NAME if number == 1 else f"{_NAME}-{number}"}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"app.kubernetes.io/managed-by": _SOURCE}
    metadata["annotations"] = {
        "pullguard/complete": str(report.complete).lower(),
        "pullguard/shown": str(report.shown),
        "pullguard/total": "unknown" if report.total is None else str(report.total),
    }
    return {
        "apiVersion": _API_VERSION,
        "kind": "PolicyReport" if namespace else "ClusterPolicyReport",
        "metadata": metadata,
        "summary": {result: counts[result] for result in _RESULTS},
        "results": list(results),
    }


def _parts(results: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for result in results:
        own = len(json.dumps(result))
        if part and size + own > _MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(result)
        size += own
    yield part


def _result(found: AuditFinding, entry: Audited | None) -> dict[str, Any]:
    members = [_resource(member.object) for member in found.members[:_MOST_RESOURCES]]
    return {
        "source": _SOURCE,
        "policy": found.policy,
        "rule": found.rule,
        "severity": found.severity,
        "result": "skip" if found.idle else "fail",
        "scored": True,
        "message": found.message[:_MOST_MESSAGE],
        **({"timestamp": {"seconds": words.seconds(entry.run), "nanos": 0}} if entry is not None and entry.run else {}),
        "resources": [_resource(found.workload), *(entry for entry in members if entry != _resource(found.workload))],
        "properties": {
            "advice": found.advice,
            "constraints": ", ".join(found.constraints),
            "enforcementAction": found.action,
            "fingerprint": found.fingerprint,
            "kind": found.kind,
        },
    }


def _resource(ref: ObjectRef) -> dict[str, str]:
    fields = {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
    return {field: value for field, value in fields.items() if value}
