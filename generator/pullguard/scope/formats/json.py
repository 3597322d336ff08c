"""The result of scope as one JSON object."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from pullguard.core.formats.json import error_value

if TYPE_CHECKING:
    from pullguard.scope.command import NamespaceScope, ScopeReport

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-scope/v1"


def write(report: "ScopeReport", stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII. Fields are never omitted."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: "ScopeReport") -> dict[str, object]:
    """Return a report as a JSON value."""
    namespaces = report.namespaces
    return {
        "format": FORMAT,
        "source": report.source,
        "namespaces": [
            {**asdict(namespace), "deny": {**asdict(namespace.deny), "unjudged": _unjudged(namespace)}}
            for namespace in namespaces
        ],
        "unreadable": dict(report.unreadable),
        "errors": [error_value(error) for error in report.errors],
        "notes": list(report.notes),
        "summary": {
            "namespaces": len(namespaces),
            "gaps": sum(namespace.has_gap for namespace in namespaces),
            "errors": len(report.errors) + len(report.unreadable),
        },
    }


def _unjudged(namespace: "NamespaceScope") -> list[dict[str, str]]:
    return [{"kind": kind, "name": name} for kind, name in namespace.deny.unjudged]
