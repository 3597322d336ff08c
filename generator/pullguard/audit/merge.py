"""Results of several sources -> what is known about each constraint; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pullguard.audit.constraints import strictest_of
from pullguard.audit.model import Audited, AuditedViolation, ConstraintKey, Result
from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.core.inputs.problems import InputError


def merged(
    results: Iterable[Result], actions: Mapping[ConstraintKey, str], templates: Mapping[str, ConstraintTemplate]
) -> tuple[list[Audited], list[InputError]]:
    """Return what is known about each constraint, and errors in the sources.

    For each constraint, the newest audit with a known number of violations counts, and the results of all sources for
    that audit are merged. A violation that several sources hold is one violation. If a source holds it several times,
    because two containers give the same message, it counts as often as in the source that holds it most often.

    Args:
        results: What the sources report.
        actions: The enforcementActions of the known constraints.
        templates: The known templates, by kind.
    """
    by_constraint: dict[ConstraintKey, list[Result]] = {}
    for result in results:
        by_constraint.setdefault(result.constraint, []).append(result)
    found, problems = [], []
    for key, own in sorted(by_constraint.items()):
        run = max((result.run for result in own if result.total is not None), default=None)
        if run is None:
            files = sorted({result.source for result in own})
            message = f"how many violations {key.kind} {key.name} has is not in it; give the constraints along with it"
            problems += [InputError(file, None, None, message) for file in files]
            run = max(result.run for result in own)
        same = [result for result in own if result.run == run]
        violations = _together(same)
        totals = [result.total for result in same if result.total is not None]
        template = templates.get(key.kind)
        found.append(
            Audited(
                constraint=key,
                policy=key.kind.lower() if template is None else template.policy,
                action=strictest_of(
                    [actions[key]] if key in actions else [violation.action for violation in violations]
                ),
                run=run,
                sources=tuple(sorted({result.source for result in same})),
                total=max(len(violations), *totals) if totals else None,
                violations=violations,
            )
        )
    return sorted(found, key=lambda entry: (entry.policy, entry.constraint)), problems


def _together(results: Sequence[Result]) -> tuple[AuditedViolation, ...]:
    """Return the merged violations of several results of one audit."""
    best: dict[tuple[Any, ...], list[AuditedViolation]] = {}
    for result in results:
        own: dict[tuple[Any, ...], list[AuditedViolation]] = {}
        for violation in result.violations:
            own.setdefault(_identity(violation), []).append(violation)
        for identity, same in own.items():
            # Log lines hold more than the status does: details and labels.
            best[identity] = max(best.get(identity, []), same, key=lambda group: (len(group), _fullness(group)))
    violations = [violation for same in best.values() for violation in same]
    return tuple(sorted(violations, key=_order))


def _identity(violation: AuditedViolation) -> tuple[Any, ...]:
    # The status and the log may come from Gatekeeper versions that state the API version differently.
    obj = violation.object
    return obj.api_version.rpartition("/")[0], obj.kind, obj.namespace, obj.name, violation.message


def _fullness(violations: Iterable[AuditedViolation]) -> int:
    return sum((violation.details is not None) + (violation.labels is not None) for violation in violations)


def _order(violation: AuditedViolation) -> tuple[Any, ...]:
    obj = violation.object
    return obj.namespace, obj.kind, obj.name, obj.api_version, violation.message, str(violation.details)
