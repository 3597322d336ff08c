"""Pods that differ from the template that they were made from: another tool is at work."""

from collections.abc import Mapping, Sequence
from typing import Any

from pullguard.core.findings import Finding
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import controlled, modules

_MODULES = {"gatekeeper": ("review",), "lib": ("images", "kinds", "pods"), "scope": ("changes",)}

_CHANGERS = (
    "the admission plugin AlwaysPullImages, a policy such as Kyverno's always-pull-images, or an edit of the template"
)
_INJECTORS = (
    "a mutating webhook that injects it, such as those of Istio and Linkerd, a MutatingAdmissionPolicy, or an edit of "
    "the template: change it there"
)


def is_suspicious(found: Finding) -> bool:
    """Tell whether `notes` could explain a finding: whether it is about a container of a pod."""
    return found.object.kind == "Pod" and found.container is not None


def notes(engine: Engine, suspects: Sequence[Finding]) -> tuple[str, ...]:
    """Return a sentence for each container that another tool has put into the pods of a workload, or set to Always.

    Args:
        engine: What has read the pods and the workloads.
        suspects: What was found about pods that have a controller.

    Raises:
        PullguardError: The engine fails.
    """
    pods = sorted({(found.object.namespace, found.object.kind, found.object.name) for found in suspects})
    changes = controlled(engine, modules(_MODULES), "data.scope.changes.found", pods)
    blamed = {(found.object.namespace, found.container.name) for found in suspects if found.container is not None}
    return tuple(
        _sentence(change)
        for change in sorted(changes, key=_order)
        if (change["namespace"], change["container"]) in blamed
        and (change["policy"] is None or change["stated"] == "Always")
    )


def _order(change: Mapping[str, Any]) -> list[tuple[str, bool, str]]:
    """Return the key by which OPA sorts a set of such objects."""
    return [(key, value is not None, str(value)) for key, value in sorted(change.items())]


def _sentence(change: Mapping[str, Any]) -> str:
    pods = f"another tool at work: pods of {change['kind']} {change['namespace']}/{change['name']}"
    container, policy = change["container"], change["policy"]
    if policy is None:
        return f"{pods} have {container}, which is not in their template; it may be {_INJECTORS}"
    return f"{pods} say Always for {container}, their template says {policy}; it may be {_CHANGERS}"
