"""The words for things in reports, which are the same in all formats."""

from collections import Counter
from datetime import datetime

from pullguard.audit.model import Audited, AuditFinding, AuditReport, Fixed
from pullguard.core.findings import ObjectRef
from pullguard.core.formats.text import counted
from pullguard.core.inputs.problems import InputError


def place(ref: ObjectRef) -> str:
    """Return the namespace of an object, or the words for a cluster-scoped one."""
    return ref.namespace or "(cluster)"


def workload(ref: ObjectRef) -> str:
    """Return the kind and name of an object."""
    return f"{ref.kind} {ref.name or '(no name)'}"


def full(ref: ObjectRef) -> str:
    """Return the kind and name of an object with its namespace, if it has one."""
    return f"{ref.kind} {ref.namespace}/{ref.name}" if ref.namespace else workload(ref)


def said_by(found: AuditFinding) -> str:
    """Return what violates: the workload itself, or its objects counted by kind."""
    kinds = Counter((member.object.kind, member.idle) for member in found.members if member.object != found.workload)
    itself = any(member.object == found.workload for member in found.members)
    parts = ["itself"] if itself else []
    for (kind, idle), number in sorted(kinds.items()):
        parts.append(f"{counted(number, kind)}{' not running' if idle else ''}")
    return ", ".join(parts)


def total(entry: Audited | AuditReport) -> str:
    """Return the number of violations of a constraint or a whole report, in words."""
    return "an unknown number" if entry.total is None else str(entry.total)


def shown(entry: Audited | AuditReport) -> str:
    """Return how many of the violations of a constraint or a whole report are shown."""
    return f"{entry.shown} of {total(entry)}"


def violations_shown(entry: Audited | AuditReport) -> str:
    """Return the same as a phrase that needs no heading."""
    if entry.total is None:
        return f"{shown(entry)} of violations shown"
    return f"{entry.shown} of {counted(entry.total, 'violation')} shown"


def workloads(report: AuditReport) -> int:
    """Return the number of active workloads with findings."""
    return len({(found.workload.kind, found.workload.namespace, found.workload.name) for found in report.active})


def summary(report: AuditReport) -> str:
    """Return the whole report in one sentence."""
    active = report.active
    namespaces = len({found.workload.namespace for found in active})
    idle = len(report.findings) - len(active)
    text = (
        f"{counted(len(active), 'finding')} about {counted(workloads(report), 'workload')} "
        f"in {counted(namespaces, 'namespace')}{f', and {idle} about objects that do not run' if idle else ''}: "
        f"{violations_shown(report)}, "
        f"of {counted(len(report.constraints), 'constraint')} in {report.source}"
    )
    return f"INCOMPLETE, {counted(len(report.errors), 'error')}: {text}" if report.errors else text


def audited_at(report: AuditReport) -> str:
    """Return when the audits of the report began."""
    known = " to ".join(report.runs)
    unknown = "unknown" if any(not entry.run for entry in report.constraints) else ""
    return " and ".join(filter(None, (known, unknown))) or "never"


def run(entry: Audited) -> str:
    """Return when the audit of a constraint began."""
    return entry.run or "unknown"


def seconds(run: str) -> int:
    """Return when an audit began, in seconds since 1970."""
    return int(datetime.fromisoformat(run.replace("Z", "+00:00")).timestamp())


def since(report: AuditReport) -> str:
    """Return the changes since an earlier report, or "" without one."""
    if report.since is None:
        return ""
    changes, gone = report.changes, report.since.gone
    fixed = sum(entry.certain for entry in gone)
    parts = [f"{changes.get('new', 0)} new", f"{changes.get('remaining', 0)} remaining", f"{fixed} fixed"]
    if changes.get("unknown"):
        parts.append(f"{changes['unknown']} new or not shown before")
    if len(gone) > fixed:
        parts.append(f"{len(gone) - fixed} fixed or not shown now")
    return f"Since {report.since.report}: {', '.join(parts)}"


def change(found: AuditFinding) -> str:
    """Return the change of a finding since an earlier report, in words."""
    return {"unknown": "new or not shown before"}.get(found.change, found.change)


def gone(entry: Fixed) -> str:
    """Return whether a finding that is gone is fixed, in words."""
    return "fixed" if entry.certain else "fixed or not shown now"


def error(problem: InputError) -> str:
    """Return an error with its location."""
    where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    return f"{where}: {problem.message}"
