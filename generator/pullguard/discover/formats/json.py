"""What discover found as one JSON object, for machines. Fields are never left out."""

import json
from typing import Any, TextIO

from pullguard.core.formats.json import error_value
from pullguard.discover.model import CustomKind, DiscoverReport, Namespace

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-discover/v1"


def write(report: DiscoverReport, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: DiscoverReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    return {
        "format": FORMAT,
        "source": report.source,
        "severity": report.severity,
        "configuration": None if report.configuration is None else str(report.configuration),
        "namespaces": [_namespace(report, namespace) for namespace in report.namespaces],
        "customKinds": [_kind(kind) for kind in report.kinds],
        "unreadable": dict(report.unreadable),
        "errors": [error_value(error) for error in report.errors],
        "notes": list(report.notes),
        "written": None if report.written is None else str(report.written),
        "summary": {"newNamespaces": len(report.new_namespaces), "newKinds": len(report.new_kinds)},
    }


def _namespace(report: DiscoverReport, namespace: Namespace) -> dict[str, Any]:
    return {
        "name": namespace.name,
        "severity": namespace.severity,
        "new": namespace in report.new_namespaces,
        "protected": list(namespace.protected),
        "assumed": list(namespace.assumed),
        "reasons": [
            {
                "reason": reason.reason,
                "severity": reason.severity,
                "title": reason.title,
                "shown": [{"object": each.object, "detail": each.detail} for each in reason.shown],
            }
            for reason in namespace.reasons
        ],
    }


def _kind(kind: CustomKind) -> dict[str, Any]:
    found = kind.found
    return {
        "group": found.group,
        "kind": found.kind,
        "known": found.is_known,
        "policies": list(kind.policies),
        "stated": list(kind.stated),
        "entry": {"group": found.group, "kind": found.kind, **found.entry},
        "unsaid": list(found.unsaid),
        "parts": list(found.parts),
        "unknown": list(found.unknown),
    }
