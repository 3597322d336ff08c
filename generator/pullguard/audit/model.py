"""The values of an audit: what sources report about constraints, and a report about workloads; pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.findings import ObjectRef, strictness
from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.core.inputs.problems import InputError

#: The id of an audit: the time at which it began.
RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

#: From the highest to the lowest.
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True, order=True)
class ConstraintKey:
    """A constraint.

    Attributes:
        kind: Its kind.
        name: Its name.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditedViolation:
    """A violation of a constraint by one object.

    Attributes:
        action: The enforcementAction, the strictest one if there are several.
        object: The object.
        message: The message; Gatekeeper cuts it after 256 bytes.
        details: The policy's details, any JSON value; None if the source has none.
        labels: The object's labels; None if the source does not have them.
    """

    action: str
    object: ObjectRef
    message: str
    details: Any = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one source reports about one constraint from one audit.

    Attributes:
        constraint: The constraint.
        run: When the audit began, RFC 3339 in UTC, which is also its id; "" if not known.
        source: Where this was read, for people.
        total: The number of violations; None if the source does not state it.
        violations: The violations that the source holds.
    """

    constraint: ConstraintKey
    run: str
    source: str
    total: int | None
    violations: tuple[AuditedViolation, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """What is known of one constraint, from all sources.

    Attributes:
        constraint: The constraint.
        policy: The policy's name; for templates of others, the template's name or the kind in lower case.
        action: Its strictest enforcementAction, "" if neither the constraint nor a violation is known.
        run: When the audit that counts began, RFC 3339 in UTC; "" if not known.
        sources: Where its results were read, sorted.
        total: The number of violations; None if no source states it.
        violations: The known violations, sorted.
    """

    constraint: ConstraintKey
    policy: str
    action: str
    run: str
    sources: tuple[str, ...]
    total: int | None
    violations: tuple[AuditedViolation, ...]

    @property
    def shown(self) -> int:
        """How many violations are known."""
        return len(self.violations)

    @property
    def complete(self) -> bool:
        """Whether every violation is known."""
        return self.total is not None and self.shown >= self.total


def total(entries: Iterable[Audited]) -> int | None:
    """Return the number of violations of several constraints, or None if it is not known for one of them."""
    totals = [entry.total for entry in entries]
    known = [number for number in totals if number is not None]
    return sum(known) if len(known) == len(totals) else None


@dataclass(frozen=True, slots=True)
class Member:
    """An object that violates, as part of a workload's finding.

    Attributes:
        object: The object.
        idle: See `pullguard.cluster.owners.Owned`.
    """

    object: ObjectRef
    idle: bool


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A problem of one workload: its own violations and those of the objects that it owns, folded.

    Attributes:
        rule: The id of the rule; the policy's name if the sources do not tell which rule it is.
        severity: One of SEVERITIES; the highest of the policy's rules if the rule is not known.
        policy: The policy's name.
        kind: The kind of the constraints.
        constraints: Their names, sorted.
        action: The strictest enforcementAction.
        workload: The topmost owner.
        members: The objects that violate, the workload itself among them if it does, sorted.
        message: What is wrong, in the policy's words.
        advice: What to do, for people.
        command: A command that helps, quoted for a shell, or "".
        fingerprint: Hexadecimal; the same in every report for the same workload, constraint kind and problem.
        change: The change since an earlier report: "new", "remaining" or "unknown"; "" without an earlier report.
    """

    rule: str
    severity: str
    policy: str
    kind: str
    constraints: tuple[str, ...]
    action: str
    workload: ObjectRef
    members: tuple[Member, ...]
    message: str
    advice: str
    command: str
    fingerprint: str
    change: str = ""

    @property
    def idle(self) -> bool:
        """Whether none of the objects that violate runs or will run by itself."""
        return all(member.idle for member in self.members)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding of an earlier report that is gone.

    Attributes:
        severity: One of SEVERITIES.
        policy: The policy's name.
        kind: The kind of its constraints.
        workload: The workload.
        message: What was wrong.
        certain: Whether the report would show the finding if it still existed.
    """

    severity: str
    policy: str
    kind: str
    workload: ObjectRef
    message: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Since:
    """How a report differs from an earlier one.

    Attributes:
        report: The file of the earlier report.
        gone: The findings of the earlier report that are not in this one.
    """

    report: str
    gone: tuple[Fixed, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The report of an audit.

    Attributes:
        source: Where it comes from.
        constraints: Sorted by policy, kind and name.
        findings: The most important first: active before idle, then by severity, namespace and workload.
        errors: What could not be read. With errors, the report may be incomplete.
        notes: Other things that users should know, one sentence each.
        templates: The known templates, by kind.
        since: The comparison with an earlier report, or None.
    """

    source: str
    constraints: tuple[Audited, ...]
    findings: tuple[AuditFinding, ...]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]
    templates: Mapping[str, ConstraintTemplate]
    since: Since | None = None

    @property
    def total(self) -> int | None:
        """The number of violations, or None if it is not known for some constraint."""
        return total(self.constraints)

    @property
    def shown(self) -> int:
        """The number of violations that are known one by one."""
        return sum(entry.shown for entry in self.constraints)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.errors and all(entry.complete for entry in self.constraints)

    @property
    def runs(self) -> tuple[str, ...]:
        """When the audits of the report began, if known: the oldest and, if different, the newest."""
        runs = sorted({entry.run for entry in self.constraints if entry.run})
        return tuple(dict.fromkeys((runs[0], runs[-1]))) if runs else ()

    @property
    def active(self) -> tuple[AuditFinding, ...]:
        """The findings about what runs or will run."""
        return tuple(found for found in self.findings if not found.idle)

    @property
    def changes(self) -> Mapping[str, int]:
        """The number of findings by change."""
        return Counter(found.change for found in self.findings if found.change)

    def exit_code(self, fail_on: str) -> int:
        """Return 2 if something could not be read, 1 if a violation has the action `fail_on` or a stricter one, else 0.

        Idle objects do not count. Violations that are counted but not shown do.
        """
        if self.errors:
            return 2
        level = strictness(fail_on)
        hidden = [entry.action for entry in self.constraints if not entry.complete]
        actions = [*(found.action for found in self.active), *hidden]
        return int(any(strictness(action) >= level for action in actions))
