"""Violations -> findings about workloads: what a workload and its objects have in common is one finding; pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullguard.audit.advice import advice
from pullguard.audit.constraints import strictest_of
from pullguard.audit.model import SEVERITIES, Audited, AuditedViolation, AuditFinding, Member
from pullguard.audit.origins import origin
from pullguard.cluster.owners import Identity, Owners, identity
from pullguard.core.findings import ObjectRef, strictness
from pullguard.core.gatekeeper import ConstraintTemplate, Rule, dig

# The length at which Gatekeeper cuts messages.
_MESSAGE_BYTES = 256
_CUT = "..."
_IMAGE = re.compile(r'image "[^"]*"?')
# The prefix of messages about a pod that an ExpansionTemplate makes of a workload.
_IMPLIED = re.compile(r"\[Implied by [^\]]*\] ")

_OTHERS_SEVERITY = "medium"


def folded(
    audited: Iterable[Audited], owners: Owners, templates: Mapping[str, ConstraintTemplate]
) -> tuple[AuditFinding, ...]:
    """Return violations as findings, the most important first.

    The violations of a workload, its ReplicaSets, Jobs and pods are one finding if constraints of the same kind give
    the same message. Images in messages are ignored, because the pods of an earlier rollout may have another one. The
    violations of the pods that an ExpansionTemplate makes of the workload belong to the same finding.

    Args:
        audited: What is known of each constraint.
        owners: What is known of the objects and their owners.
        templates: The known templates, by kind.
    """
    audited = list(audited)
    groups: dict[tuple[str, Identity, str], list[_Violating]] = {}
    for entry in audited:
        for violation in entry.violations:
            if violation.labels:
                owners.guess(violation.object, violation.labels)
    # Implied messages go last: Gatekeeper's prefix makes them longer, so they are cut earlier than the workload's own.
    said: dict[tuple[str, Identity], list[str]] = {}
    for implied in (False, True):
        for entry in audited:
            for violation in entry.violations:
                if bool(_IMPLIED.match(violation.message)) is not implied:
                    continue
                workload = owners.workload(violation.object)
                problem = _problem(violation.message)
                known = said.setdefault((entry.constraint.kind, identity(workload)), [])
                if implied:
                    problem = next((text for text in known if text.startswith(problem.removesuffix(_CUT))), problem)
                if problem not in known:
                    known.append(problem)
                key = (entry.constraint.kind, identity(workload), problem)
                groups.setdefault(key, []).append(_Violating(entry, violation, workload))
    complete = {
        kind: all(entry.complete for entry in audited if entry.constraint.kind == kind)
        for kind in {entry.constraint.kind for entry in audited}
    }
    found = [
        _finding(key, group, owners, templates.get(key[0]), complete=complete[key[0]]) for key, group in groups.items()
    ]
    return tuple(sorted(found, key=_order))


def fingerprint(kind: str, workload: ObjectRef, message: str) -> str:
    """Return the hexadecimal identity of a finding, which is the same in every report.

    The message is cut as Gatekeeper's status cuts it, so that it does not matter which source it was read from.
    """
    return _hash(kind, identity(workload), _problem(message))


@dataclass(frozen=True, slots=True)
class _Violating:
    """A violation with its constraint and its workload."""

    entry: Audited
    violation: AuditedViolation
    workload: ObjectRef


def _finding(
    key: tuple[str, Identity, str],
    group: Sequence[_Violating],
    owners: Owners,
    template: ConstraintTemplate | None,
    *,
    complete: bool,
) -> AuditFinding:
    # Prefer the workload's own message to those of its objects; name the workload as its constraints name it.
    first = min(group, key=lambda each: (each.violation.object != each.workload, *_preference(each, owners)))
    workload = next(
        (each.violation.object for each in group if identity(each.violation.object) == key[1]), first.workload
    )
    members = {identity(each.violation.object): each.violation.object for each in group}
    ordered = sorted(members.values(), key=lambda ref: (identity(ref) != key[1], ref.kind, ref.name))
    found_members = tuple(Member(ref, owners.is_idle(ref)) for ref in ordered)
    rule = _rule(group, template, first.entry.policy)
    words = advice(
        workload,
        found_members,
        origin(owners, first.violation.object, first.violation.message),
        static=owners.is_static(workload),
        complete=complete,
        seen=owners.has_seen(workload),
    )
    return AuditFinding(
        rule=rule.id,
        severity=rule.severity,
        policy=first.entry.policy,
        kind=key[0],
        constraints=tuple(sorted({each.entry.constraint.name for each in group})),
        action=strictest_of({each.violation.action for each in group}),
        workload=workload,
        members=found_members,
        message=first.violation.message,
        advice=words.text,
        command=words.command,
        fingerprint=_hash(*key),
    )


def _preference(each: _Violating, owners: Owners) -> tuple[bool, bool, int, str, str]:
    ref, message = each.violation.object, each.violation.message
    return bool(_IMPLIED.match(message)), owners.is_idle(ref), -strictness(each.violation.action), ref.name, message


def _rule(group: Iterable[_Violating], template: ConstraintTemplate | None, policy: str) -> Rule:
    """Return the rule that the details name, else the policy's only rule, else the policy at its highest severity."""
    rules = {} if template is None else template.rules
    for each in group:
        reason = dig(each.violation.details, "reason")
        if isinstance(reason, str) and reason in rules:
            return rules[reason]
    severities = {rule.severity for rule in rules.values()}
    highest = next((severity for severity in SEVERITIES if severity in severities), _OTHERS_SEVERITY)
    if len(rules) == 1:
        return next(iter(rules.values()))
    return Rule(policy, highest, "")


def _problem(message: str) -> str:
    """Return a message without its image, cut as Gatekeeper cuts it, so that a new tag does not make a new problem.

    A message about the pod that an ExpansionTemplate makes of a workload equals the workload's own.
    """
    data = message.encode()
    if len(data) > _MESSAGE_BYTES:
        message = data[: _MESSAGE_BYTES - len(_CUT)].decode(errors="ignore") + _CUT
    return _IMAGE.sub("image", _IMPLIED.sub("", message.replace("\ufffd", ""), count=1))


def _hash(kind: str, workload: Identity, problem: str) -> str:
    return hashlib.sha256(json.dumps([kind, workload, problem]).encode()).hexdigest()


def _order(found: AuditFinding) -> tuple[object, ...]:
    severity = SEVERITIES.index(found.severity) if found.severity in SEVERITIES else len(SEVERITIES)
    workload = found.workload
    return found.idle, severity, workload.namespace, workload.kind, workload.name, found.policy, found.message
