"""What to do about a finding: a text and, where one helps, a command; pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pullguard.audit.model import Member
from pullguard.audit.origins import Origin
from pullguard.core.findings import ObjectRef

_MOSTLY_OWNED = frozenset({"Job", "Pod", "ReplicaSet"})
_ROLLED_OUT = frozenset({"DaemonSet", "Deployment", "StatefulSet"})

# What to do about a workload that itself violates, and the kubectl verb that helps.
_ROLLOUT = ("Change the template of {} where it is kept; the rollout replaces its pods.", "edit")
_BY_HAND = ("Change the template of {} where it is kept, then delete its pods: nothing else replaces them.", "edit")
_CHANGES = {
    **dict.fromkeys(_ROLLED_OUT, _ROLLOUT),
    "CronJob": ("Change the template of {} where it is kept; its next Job has the change.", "edit"),
    "Job": ("The template of a Job cannot change: delete {} and create it with the change.", "get -o yaml"),
    "Pod": (
        "Most fields of a pod are immutable: delete {} and create it with the change, preferably with a controller.",
        "get -o yaml",
    ),
    "ReplicaSet": _BY_HAND,
    "ReplicationController": _BY_HAND,
}
_STATIC = (
    "Edit the file of the static pod on its node, usually below /etc/kubernetes/manifests; the API server only shows a "
    "mirror of it. If the file does not say so, only the mirror was changed on its way in: the pod is as the file says."
)
_DEBUGGING = (
    "Somebody has added the {} with `kubectl debug`. It cannot be changed, and is gone once the pod is replaced."
)
_INJECTOR = "what injects it, a mutating webhook such as those of Istio and Linkerd, or a MutatingAdmissionPolicy"
_CHANGER = (
    "what changes pods on their way in, the admission plugin AlwaysPullImages, a mutating webhook or a "
    "MutatingAdmissionPolicy (`pullguard scope` shows which)"
)
_LATER = "Running pods stay as they are until they are replaced."
_WEBHOOKS = "kubectl get mutatingwebhookconfigurations"
_OTHERS = ("Change {} where it is kept, as the message says.", "edit")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a finding.

    Attributes:
        text: A text for people.
        command: A command, quoted for a shell, or "".
    """

    text: str
    command: str


def advice(
    workload: ObjectRef, members: Sequence[Member], origin: Origin, *, static: bool, complete: bool, seen: bool
) -> Advice:
    """Return what to do about a finding.

    Args:
        workload: The topmost owner.
        members: The objects that violate.
        origin: How the container or image volume that the message names came into its pod.
        static: Whether the workload is a static pod.
        complete: Whether all violations are known, so that objects without one pass.
        seen: Whether it is known which owner the workload has, if any.
    """
    name = f"{workload.kind} {workload.name}"
    if static:
        return Advice(_STATIC, "")
    if origin.way == "debugging":
        return Advice(_DEBUGGING.format(origin.what), "")
    if any(member.object == workload for member in members):
        return _change(workload, name, seen=seen)
    if all(member.idle for member in members):
        return _delete(name, members)
    return _replace(workload, name, origin, complete=complete)


def _replace(workload: ObjectRef, name: str, origin: Origin, *, complete: bool) -> Advice:
    """Return what to do if objects of a workload violate and the workload itself does not."""
    if origin.way == "injected":
        older = "" if origin.certain else ", unless the pods are older than the template"
        return Advice(f"The template of {name} has no {origin.what}: change {_INJECTOR}{older}. {_LATER}", _WEBHOOKS)
    if not complete or origin.way == "template":
        return Advice(
            f"Look at the template of {name} first: the report does not show whether it says so too.",
            _kubectl("get -o yaml", workload),
        )
    if origin.way == "changed" and origin.certain:
        differs = f"another image or pull policy for {origin.what}"
        return Advice(f"The template of {name} has {differs}: change {_CHANGER}. {_LATER}", _WEBHOOKS)
    if origin.way == "unknown":
        return Advice(
            f"{name} itself passes. If its template has what the message names, its objects are older than "
            f"it, or something changes them on their way in; if not, change {_INJECTOR}.",
            _kubectl("get -o yaml", workload),
        )
    if workload.kind in _ROLLED_OUT:
        return Advice(
            f"The template of {name} passes: its pods are older than it, or something changes them on their way in "
            "(`pullguard scope` shows which). Roll it out again.",
            _kubectl("rollout restart", workload),
        )
    return Advice(f"{name} itself passes: its objects are older than it. Let it create new ones.", "")


def _delete(name: str, members: Sequence[Member]) -> Advice:
    old = [member.object for member in members if member.object.kind != "Pod"] or [members[0].object]
    text = (
        f"Only old objects of {name}, which do not run, violate. A rollback would bring the violation back, so delete "
        "them."
    )
    return Advice(text, _kubectl("delete", *old))


def _change(workload: ObjectRef, name: str, *, seen: bool) -> Advice:
    if not seen and workload.kind in _MOSTLY_OWNED:
        text = f"The input does not show whether {name} has an owner. If it has one, change it there."
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
