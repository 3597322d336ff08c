"""The comparison of a report with the JSON of an earlier one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pullguard.audit.model import SEVERITIES, AuditReport, Fixed, Since
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.text_files import read_text

#: The value of `format` in the JSON of a report.
FORMAT = "pullguard-audit/1"

_REMEDY = "pass a file that `pullguard audit -o json` has written"


def compared(report: AuditReport, file: str) -> AuditReport:
    """Return a report that marks its findings as new or remaining, and lists those of an earlier report that are gone.

    An incomplete report does not show every finding. If the constraints of a kind were not completely known earlier, a
    finding that was not shown then is "unknown". If they are not completely known now, a finding that is not shown any
    more is not certainly gone.

    Args:
        report: The present report.
        file: The earlier report.

    Raises:
        PullguardError: The file is not a report of pullguard audit.
    """
    try:
        earlier = json.loads(read_text(Path(file)))
        _require(isinstance(earlier, dict) and earlier.get("format") == FORMAT)
        known = {found["fingerprint"]: found for found in earlier["findings"]}
        _require(all(isinstance(fingerprint, str) for fingerprint in known))
        sure_then = _complete(earlier)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PullguardError("is not a report of pullguard audit", file=file, remedy=_REMEDY) from error
    unsure_now = {entry.constraint.kind for entry in report.constraints if not entry.complete}
    sure_now = {entry.constraint.kind for entry in report.constraints} - unsure_now
    findings = tuple(
        replace(found, change=_change(found.fingerprint in known, sure=found.kind in sure_then))
        for found in report.findings
    )
    now = {found.fingerprint for found in findings}
    try:
        gone = [
            _fixed(found, certain=not report.errors and found["kind"] in sure_now)
            for fingerprint, found in known.items()
            if fingerprint not in now
        ]
    except (KeyError, TypeError) as error:
        raise PullguardError(
            "has a finding that is not in the format of a report", file=file, remedy=_REMEDY
        ) from error
    gone.sort(key=_order)
    return replace(report, findings=findings, since=Since(file, tuple(gone)))


def _change(was_known: bool, *, sure: bool) -> str:
    if was_known:
        return "remaining"
    return "new" if sure else "unknown"


def _complete(earlier: Mapping[str, Any]) -> set[str]:
    """Return the kinds of which an earlier report knew every violation."""
    kinds = {entry["kind"] for entry in earlier["constraints"]}
    hidden = {
        entry["kind"] for entry in earlier["constraints"] if entry["total"] is None or entry["shown"] < entry["total"]
    }
    return set() if earlier["errors"] else kinds - hidden


def _fixed(found: Mapping[str, Any], *, certain: bool) -> Fixed:
    workload = found["workload"]
    texts = [found["severity"], found["policy"], found["kind"], found["message"]]
    ref = ObjectRef(*(workload[field] for field in ("apiVersion", "kind", "namespace", "name")))
    if not all(isinstance(text, str) for text in (*texts, ref.api_version, ref.kind, ref.namespace, ref.name)):
        raise TypeError
    if found["severity"] not in SEVERITIES:
        raise TypeError
    severity, policy, kind, message = texts
    return Fixed(severity, policy, kind, ref, message, certain)


def _order(fixed: Fixed) -> tuple[object, ...]:
    workload = fixed.workload
    return (
        SEVERITIES.index(fixed.severity),
        workload.namespace,
        workload.kind,
        workload.name,
        fixed.policy,
        fixed.message,
    )


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError
