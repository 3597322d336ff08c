"""Audits as JSON, for machines and for `--since`. Fields are never omitted."""

import json
from typing import Any, TextIO

from pullguard.audit.model import Audited, AuditFinding, AuditReport, Fixed
from pullguard.audit.since import FORMAT
from pullguard.core.findings import ObjectRef
from pullguard.core.formats.json import error_value


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: AuditReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    since = report.since
    return {
        "format": FORMAT,
        "source": report.source,
        "complete": report.complete,
        "findings": [_finding(found) for found in report.findings],
        "constraints": [_constraint(entry) for entry in report.constraints],
        "since": None if since is None else {"report": since.report, "gone": [_gone(entry) for entry in since.gone]},
        "errors": [error_value(error) for error in report.errors],
        "notes": list(report.notes),
        "summary": {
            "findings": len(report.findings),
            "idle": len(report.findings) - len(report.active),
            "shown": report.shown,
            "total": report.total,
            "errors": len(report.errors),
        },
    }


def _finding(found: AuditFinding) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "severity": found.severity,
        "policy": found.policy,
        "kind": found.kind,
        "constraints": list(found.constraints),
        "enforcementAction": found.action,
        "workload": _ref(found.workload),
        "idle": found.idle,
        "objects": [{**_ref(member.object), "idle": member.idle} for member in found.members],
        "message": found.message,
        "advice": found.advice,
        "command": found.command,
        "fingerprint": found.fingerprint,
        "change": found.change or None,
    }


def _constraint(entry: Audited) -> dict[str, Any]:
    return {
        "kind": entry.constraint.kind,
        "name": entry.constraint.name,
        "policy": entry.policy,
        "enforcementAction": entry.action,
        "auditedAt": entry.run or None,
        "sources": list(entry.sources),
        "shown": entry.shown,
        "total": entry.total,
    }


def _gone(entry: Fixed) -> dict[str, Any]:
    return {
        "severity": entry.severity,
        "policy": entry.policy,
        "kind": entry.kind,
        "workload": _ref(entry.workload),
        "message": entry.message,
        "certain": entry.certain,
    }


def _ref(ref: ObjectRef) -> dict[str, str]:
    return {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
