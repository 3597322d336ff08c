"""Reports as JSON, for machines. Fields are never left out; null is "there is none"."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from pullguard.core.findings import Compared, Exempted, Finding, Problem, Report


def write(report: Report, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: Report) -> dict[str, Any]:
    """Return a report as a JSON value: findings, what does not count, errors and summary."""
    return {
        "findings": [_finding(found) for found in report.findings],
        "exempt": [_exempt(entry) for entry in report.exempt],
        "baseline": None if report.baseline is None else _baseline(report.baseline),
        "errors": [_problem(problem) for problem in report.errors],
        "summary": {
            "files": report.files,
            "documents": report.documents,
            "objects": report.objects,
            "findings": len(report.findings),
            "exempt": len(report.exempt),
            "known": 0 if report.baseline is None else len(report.baseline.known),
            "errors": len(report.errors),
        },
    }


def _finding(found: Finding) -> dict[str, Any]:
    container = found.container
    return {
        "rule": found.rule,
        "severity": found.severity,
        "policy": found.policy,
        "constraints": list(found.constraints),
        "enforcementAction": found.action,
        "file": found.file,
        "line": found.line,
        "document": found.document,
        "object": {
            "apiVersion": found.object.api_version,
            "kind": found.object.kind,
            "namespace": found.object.namespace,
            "name": found.object.name,
        },
        "container": None
        if container is None
        else {"list": container.list, "name": container.name, "index": container.index},
        "image": found.image,
        "message": found.message,
        "details": found.details,
        "fingerprint": found.fingerprint,
        "namespaceAssumed": found.namespace_assumed,
        "remark": found.remark or None,
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


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "document": problem.document,
        "message": problem.message,
    }
