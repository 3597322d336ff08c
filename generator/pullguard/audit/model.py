"""The values of an audit: what sources say about constraints, and what a report says about workloads; pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.findings import ObjectRef, strictness
from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.core.inputs.problems import InputError

#: The id of an audit, which is when it began.
RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

#: From the worst to the mildest.
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
class Violation:
    """What a constraint says of one object.

    Attributes:
        action: The enforcementAction, the strictest one if there are several.
        object: The object.
        message: The message; Gatekeeper cuts it after 256 bytes.
        details: The policy's details, any JSON value; None where the source has none.
        labels: The object's labels, where the source has them.
    """

    action: str
    object: ObjectRef
    message: str
    details: Any = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one source says of one constraint in one run of an audit.

    Attributes:
        constraint: The constraint.
        run: When the audit began, RFC 3339 in UTC, which is also its id; "" if that is not known.
        source: Where this was read, for people.
        total: How many violations there are; None if the source does not say.
        violations: Those that the source holds.
    """

    constraint: ConstraintKey
    run: str
    source: str
    total: int | None
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """What is known of one constraint, from all sources.

    Attributes:
        constraint: The constraint.
        policy: The policy's name; the template's name, or the lower-case kind, for templates of others.
        action: Its strictest enforcementAction, "" if neither the constraint nor a violation is known.
        run: When the audit that counts began, RFC 3339 in UTC; "" if that is not known.
        sources: Where that was read, sorted.
        total: How many violations there are; None if no source says.
        violations: Those that are known, sorted.
    """

    constraint: ConstraintKey
    policy: str
    action: str
    run: str
    sources: tuple[str, ...]
    total: int | None
    violations: tuple[Violation, ...]

    @property
    def shown(self) -> int:
        """How many violations are known."""
        return len(self.violations)

    @property
    def complete(self) -> bool:
        """Whether every violation is known."""
        return self.total is not None and self.shown >= self.total


def total(entries: Iterable[Audited]) -> int | None:
    """Return how many violations several constraints have together; None if that is not known of one of them."""
    totals = [entry.total for entry in entries]
    known = [number for number in totals if number is not None]
    return sum(known) if len(known) == len(totals) else None


@dataclass(frozen=True, slots=True)
class Member:
    """An object that violates, of a workload's finding.

    Attributes:
        object: The object.
        idle: See `pullguard.cluster.owners.Owned`.
    """

    object: ObjectRef
    idle: bool


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """What is wrong with one workload: the violations of it and of what it owns, folded.

    Attributes:
        rule: The id of the rule; the policy's name where the sources do not tell which rule it is.
        severity: One of SEVERITIES; the highest of the policy's rules where the rule is not known.
        policy: The policy's name.
        kind: The kind of the constraints.
        constraints: Their names, sorted.
        action: The strictest enforcementAction.
        workload: The topmost owner.
        members: The objects that violate, the workload itself among them if it does, sorted.
        message: What is wrong, in the policy's words.
        advice: What to do, for people.
        command: A command that helps with it, quoted for a shell; "" if there is none.
        fingerprint: Hexadecimal; the same in every report as long as workload, constraint kind and problem are.
        change: Since an earlier report: "new", "remaining", "unknown"; "" where there is none to compare with.
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
        """Whether nothing that violates runs or will by itself."""
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
        certain: Whether it would be known if it were still there.
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
        gone: Its findings that are not among the findings now.
    """

    report: str
    gone: tuple[Fixed, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """An audit, for people.

    Attributes:
        source: Where it comes from.
        constraints: Sorted by policy, kind and name.
        findings: Those that matter most first: active before idle, then by severity, namespace and workload.
        errors: What could not be read, so that the report may be incomplete.
        notes: What else users should know, a sentence each.
        templates: The templates that are known, by kind.
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
        """How many violations there are; None if that is not known of some constraint."""
        return total(self.constraints)

    @property
    def shown(self) -> int:
        """How many of them are known, one by one."""
        return sum(entry.shown for entry in self.constraints)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.errors and all(entry.complete for entry in self.constraints)

    @property
    def runs(self) -> tuple[str, ...]:
        """When the audits began from which the report was made, if known: the oldest and, if different, the newest."""
        runs = sorted({entry.run for entry in self.constraints if entry.run})
        return tuple(dict.fromkeys((runs[0], runs[-1]))) if runs else ()

    @property
    def active(self) -> tuple[AuditFinding, ...]:
        """The findings about what runs, or will."""
        return tuple(found for found in self.findings if not found.idle)

    @property
    def changes(self) -> Mapping[str, int]:
        """How many findings there are of each change."""
        return Counter(found.change for found in self.findings if found.change)

    def exit_code(self, fail_on: str) -> int:
        """Return 2 if something could not be read, 1 if something of `fail_on` or stricter is violated, else 0.

        What is idle does not count; violations that are not shown do.
        """
        if self.errors:
            return 2
        level = strictness(fail_on)
        hidden = [entry.action for entry in self.constraints if not entry.complete]
        actions = [*(found.action for found in self.active), *hidden]
        return int(any(strictness(action) >= level for action in actions))
