"""The status that Gatekeeper's audit writes into constraints -> results; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from pullguard.audit.logs import strictest
from pullguard.audit.model import RUN, AuditedViolation, ConstraintKey, Result
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef, strictness
from pullguard.core.gatekeeper import dig


def key_of(constraint: Mapping[str, Any]) -> ConstraintKey:
    """Return the key of a constraint.

    Raises:
        PullguardError: The constraint has no name.
    """
    name = dig(constraint, "metadata", "name")
    if not isinstance(name, str) or not name:
        raise PullguardError("this constraint has no name", remedy="dump it from the cluster")
    return ConstraintKey(constraint["kind"], name)


def action_of(constraint: Mapping[str, Any]) -> str:
    """Return the strictest enforcementAction that a constraint states."""
    spec = constraint.get("spec")
    actions = [dig(scope, "action") for scope in _entries(dig(spec, "scopedEnforcementActions"))]
    return strictest(dig(spec, "enforcementAction"), actions)


def result_of(constraint: Mapping[str, Any], source: str) -> Result | None:
    """Return the result in the status of a constraint; None if no audit has looked at the constraint yet.

    Args:
        constraint: The constraint.
        source: Where the constraint was read.

    Raises:
        PullguardError: The status is not one that Gatekeeper writes.
    """
    key, status = key_of(constraint), constraint.get("status")
    stamp = dig(status, "auditTimestamp")
    total = dig(status, "totalViolations")
    stated = dig(status, "violations")
    if stamp is None and total is None and stated is None:
        return None
    # Some tools remove fields that change often from dumps.
    run = "" if stamp is None else stamp
    violations = [_violation(entry) for entry in _entries(stated)]
    is_time = isinstance(run, str) and (not run or RUN.fullmatch(run))
    if not is_time or type(total) is not int or total < 0:
        raise PullguardError(
            f"the status of {key.kind} {key.name} has no auditTimestamp and totalViolations as Gatekeeper writes them",
            remedy="dump it again with `kubectl get constraints -o json`",
        )
    if (stated is not None and not isinstance(stated, list)) or None in violations:
        raise PullguardError(
            f"the status of {key.kind} {key.name} has violations that Gatekeeper does not write",
            remedy="dump it again with `kubectl get constraints -o json`",
        )
    return Result(key, run, source, total, tuple(violation for violation in violations if violation is not None))


def strictest_of(actions: Iterable[str]) -> str:
    """Return the strictest of some enforcementActions, or "" if there are none."""
    return max(sorted(actions), key=strictness, default="")


def _violation(entry: Any) -> AuditedViolation | None:
    kind, name, message = dig(entry, "kind"), dig(entry, "name"), dig(entry, "message")
    namespace, group, version = (dig(entry, field) or "" for field in ("namespace", "group", "version"))
    texts = (kind, name, message, namespace, group, version)
    if not all(isinstance(text, str) for text in texts) or not kind:
        return None
    return AuditedViolation(
        action=strictest(dig(entry, "enforcementAction"), dig(entry, "enforcementActions")),
        object=ObjectRef(f"{group}/{version}" if group else version, kind, namespace, name),
        message=message,
    )


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
