"""Audits as SARIF, for code scanning services."""

from typing import TextIO
from urllib.parse import quote

from pullguard import __version__
from pullguard.audit.formats import words
from pullguard.audit.model import AuditFinding, AuditReport
from pullguard.core.findings import ObjectRef
from pullguard.core.formats import sarif
from pullguard.core.formats.sarif import Location, Notification, Result, Rule, Suppression

_STATES = {"new": "new", "remaining": "unchanged", "unknown": "new"}


def write(report: AuditReport, stream: TextIO) -> None:
    """Write a report. Results have no file: their location is the workload, with a path made up from it."""
    rules = {found.rule: _rule(report, found) for found in report.findings}
    notifications = [
        *(Notification("error", problem.message, Location(problem.file, problem.line)) for problem in report.errors),
        *(Notification("note", note) for note in report.notes),
    ]
    sarif.write(
        __version__,
        [rules[key] for key in sorted(rules)],
        [_result(found) for found in report.findings],
        notifications,
        stream,
    )


def _rule(report: AuditReport, found: AuditFinding) -> Rule:
    template = report.templates.get(found.kind)
    own = [] if template is None else [rule for rule in template.rules.values() if rule.id == found.rule]
    title = own[0].title if own else f"A violation of {found.kind}"
    deprecated = own[0].deprecated if own else None
    return Rule(
        found.rule,
        found.severity,
        title,
        "Do what the message of each result says.",
        tags=(found.policy,),
        deprecated_ids=own[0].aliases if own else (),
        deprecated=None if deprecated is None else deprecated.value,
    )


def _result(found: AuditFinding) -> Result:
    suppression = Suppression("external", "nothing of it runs") if found.idle else None
    state = _STATES.get(found.change)
    return Result(
        rule=found.rule,
        message=f"{words.full(found.workload)}: {found.message}\n{found.advice}",
        place=Location("", None, words.full(found.workload), "object", _uri(found.workload)),
        fingerprint=found.fingerprint,
        state=state,  # type: ignore[arg-type] # mypy does not see that the values are the literals
        suppression=suppression,
        properties={
            "constraints": list(found.constraints),
            "enforcementAction": found.action,
            "objects": [words.full(member.object) for member in found.members],
            "command": found.command,
        },
    )


def _uri(ref: ObjectRef) -> str:
    """Return a path for an object, because GitHub rejects results without a location."""
    parts = (ref.namespace, ref.kind, ref.name or "(no name)")
    return "/".join(quote(part, safe="", errors="replace") for part in parts if part)
