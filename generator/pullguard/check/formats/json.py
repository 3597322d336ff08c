"""Reports as JSON, for programs. Fields are never left out; null means that there is no value."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from pullguard.core.findings import (
    REASONS,
    Built,
    Compared,
    ContainerRef,
    Exempted,
    Finding,
    ObjectRef,
    Report,
    Unjudged,
    Value,
)
from pullguard.core.formats.json import error_value

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-check/v1"


def write(report: Report, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: Report) -> dict[str, Any]:
    """Return a report as a JSON value: findings, what does not count, errors and summary."""
    return {
        "format": FORMAT,
        "findings": [_finding(found) for found in report.findings],
        "exempt": [_exempt(entry) for entry in report.exempt],
        "baseline": None if report.baseline is None else _baseline(report.baseline),
        "errors": [error_value(error) for error in report.errors],
        "unjudged": [_unjudged(entry) for entry in report.unjudged],
        "summary": {
            "files": report.files,
            "documents": report.documents,
            "objects": report.objects,
            "findings": len(report.findings),
            "exempt": len(report.exempt),
            "known": 0 if report.baseline is None else len(report.baseline.known),
            "errors": len(report.errors),
            "unjudged": _by_reason(report),
        },
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "severity": found.severity,
        "policy": found.policy,
        "constraints": list(found.constraints),
        "enforcementAction": found.action,
        "file": found.file,
        "line": found.line,
        "document": found.document,
        "object": _object(found.object),
        "container": _container(found.container),
        "image": found.image,
        "message": found.message,
        "details": found.details,
        "fingerprint": found.fingerprint,
        "namespaceAssumed": found.namespace_assumed,
        "remark": found.remark or None,
        "template": None if found.template is None else asdict(found.template),
        "values": [_value(value) for value in found.values],
        "builds": [_built(build) for build in found.builds],
    }


def _object(obj: ObjectRef) -> dict[str, Any]:
    return {"apiVersion": obj.api_version, "kind": obj.kind, "namespace": obj.namespace, "name": obj.name}


def _container(container: ContainerRef | None) -> dict[str, Any] | None:
    if container is None:
        return None
    return {"list": container.list, "name": container.name, "index": container.index}


def _value(value: Value) -> dict[str, Any]:
    where = value.location
    return {
        "key": value.key,
        "file": None if where is None else where.file,
        "line": None if where is None else where.line,
        "isTag": value.is_tag,
    }


def _built(build: Built) -> dict[str, Any]:
    return {
        "kind": build.kind,
        "path": build.path,
        "installer": build.installer or None,
        "object": _object(build.object),
        "container": _container(build.container),
        "hook": build.hook or None,
    }


def _exempt(entry: Exempted) -> dict[str, Any]:
    return {
        "reason": entry.reason,
        "until": None if entry.until is None else entry.until.isoformat(),
        "finding": _finding(entry.finding),
    }


def _baseline(compared: Compared) -> dict[str, Any]:
    return {
        "file": compared.file,
        "written": compared.written,
        "known": [_finding(found) for found in compared.known],
        "gone": [asdict(entry) for entry in compared.gone],
    }


def _unjudged(entry: Unjudged) -> dict[str, Any]:
    where = entry.location
    return {
        "reason": entry.reason,
        "count": entry.count,
        "names": list(entry.names),
        "file": None if where is None else where.file,
        "line": None if where is None else where.line,
        "message": entry.message,
    }


def _by_reason(report: Report) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(REASONS, 0)
    for entry in report.unjudged:
        counts[entry.reason] += entry.count
    return counts
