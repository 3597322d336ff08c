"""What to do about a finding, in words and, where one helps, as a command; pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pullguard.audit.model import Member
from pullguard.core.findings import ObjectRef

_MOSTLY_OWNED = frozenset({"Job", "Pod", "ReplicaSet"})
_ROLLED_OUT = frozenset({"DaemonSet", "Deployment", "StatefulSet"})

# What to do about a workload that violates itself, and the verb of kubectl that helps.
_ROLLOUT = ("Change the template of {} where it is kept; the rollout replaces its pods.", "edit")
_BY_HAND = ("Change the template of {} where it is kept, then delete its pods: nothing else replaces them.", "edit")
_CHANGES = {
    **dict.fromkeys(_ROLLED_OUT, _ROLLOUT),
    "CronJob": ("Change the template of {} where it is kept; its next Job has it.", "edit"),
    "Job": ("The template of a Job cannot change: delete {} and create it with the change.", "get -o yaml"),
    "Pod": (
        "A pod keeps what it started with: delete {} and create it with the change, better by a controller.",
        "get -o yaml",
    ),
    "ReplicaSet": _BY_HAND,
    "ReplicationController": _BY_HAND,
}
_OTHERS = ("Change {} where it is kept, as the message says.", "edit")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do.

    Attributes:
        text: For people.
        command: Quoted for a shell; "" if there is none.
    """

    text: str
    command: str


def advice(workload: ObjectRef, members: Sequence[Member], *, static: bool, complete: bool, seen: bool) -> Advice:
    """Return what to do about a finding.

    Args:
        workload: The topmost owner.
        members: What violates.
        static: Whether the workload is a pod that a file on a node makes.
        complete: Whether all violations are known, so that what is not named passes.
        seen: Whether it is known who owns the workload, if anybody.
    """
    name = f"{workload.kind} {workload.name}"
    if static:
        file = "the file of the static pod on its node, mostly below /etc/kubernetes/manifests"
        return Advice(f"Edit {file}; the API server only shows a mirror of it.", "")
    if any(member.object == workload for member in members):
        return _change(workload, name, seen=seen)
    if all(member.idle for member in members):
        old = [member.object for member in members if member.object.kind != "Pod"] or [members[0].object]
        return Advice(
            f"Nothing of it runs: only old objects of {name} say so. A rollback would bring it back; delete them.",
            _kubectl("delete", *old),
        )
    if not complete:
        return Advice(
            f"Look at the template of {name} first: whether it says so too is not shown.",
            _kubectl("get -o yaml", workload),
        )
    if workload.kind in _ROLLED_OUT:
        return Advice(
            f"The template of {name} passes: its pods are older than it, or something changes them on their way in "
            "(`pullguard scope` tells). Roll it out again.",
            _kubectl("rollout restart", workload),
        )
    return Advice(f"{name} itself passes: its objects are older than it. Let it make new ones.", "")


def _change(workload: ObjectRef, name: str, *, seen: bool) -> Advice:
    if not seen and workload.kind in _MOSTLY_OWNED:
        text = f"Who owns {name} is not in the input: change it there, if somebody does."
        return Advice(text, _kubectl("get -o yaml", workload))
    text, verb = _CHANGES.get(workload.kind, _OTHERS)
    return Advice(text.format(name), _kubectl(verb, workload))


def _kubectl(verb: str, *refs: ObjectRef) -> str:
    """Return a command for objects of one namespace."""
    namespace = f" -n {shlex.quote(refs[0].namespace)}" if refs[0].namespace else ""
    return f"kubectl{namespace} {verb} {' '.join(shlex.quote(_argument(ref)) for ref in refs)}"


def _argument(ref: ObjectRef) -> str:
    group = ref.api_version.rpartition("/")[0]
    return f"{ref.kind.lower()}{f'.{group}' if group else ''}/{ref.name}"
