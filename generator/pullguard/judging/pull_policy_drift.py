"""Pods that are not as the template that they were made from: another tool is at work."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pullguard.core import programs
from pullguard.core.findings import Finding
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs import InputError, Manifest
from pullguard.engine.query import evaluate, write_modules

_MODULES = {"gatekeeper": ("review",), "lib": ("images", "pods"), "scope": ("changes",)}

_CHANGERS = (
    "the admission plugin AlwaysPullImages, a policy such as Kyverno's always-pull-images, or an edit of the template"
)
_INJECTORS = (
    "a mutating webhook that injects it, such as those of Istio and Linkerd, a MutatingAdmissionPolicy, or an edit of "
    "the template: change it there"
)


def is_suspicious(found: Finding) -> bool:
    """Tell whether a finding is one that `changed_pods` could explain: about a container of a pod."""
    return found.object.kind == "Pod" and found.container is not None


def changed_pods(findings: Sequence[Finding], inputs: Iterable[Manifest | InputError], opa: Path) -> tuple[str, ...]:
    """Return a sentence for each container that another tool has put into the pods of a workload, or set to Always.

    Args:
        findings: What was found in the inputs.
        inputs: The inputs again.
        opa: The OPA program.

    Raises:
        PullguardError: OPA fails.
    """
    names = {(found.object.namespace, found.object.name) for found in findings if is_suspicious(found)}
    pods, workloads = [], []
    for manifest in inputs:
        metadata = {} if isinstance(manifest, InputError) else dig(manifest.object, "metadata")
        if isinstance(manifest, InputError) or not isinstance(metadata, dict):
            continue
        if manifest.object["kind"] != "Pod":
            workloads.append(manifest.object)
        elif (metadata.get("namespace"), metadata.get("name")) in names and metadata.get("ownerReferences"):
            pods.append(manifest.object)
    if not pods:
        return ()
    with programs.private_folder() as folder:
        write_modules(folder / "rego", _MODULES)
        document = {"pods": pods, "workloads": workloads}
        changes = evaluate(opa, folder / "rego", "data.scope.changes.found", document)
    blamed = {(found.object.namespace, found.container.name) for found in findings if found.container is not None}
    return tuple(
        _sentence(change)
        for change in changes
        if (change["namespace"], change["container"]) in blamed
        and (change["policy"] is None or change["stated"] == "Always")
    )


def _sentence(change: Mapping[str, Any]) -> str:
    pods = f"another tool at work: pods of {change['kind']} {change['namespace']}/{change['name']}"
    container, policy = change["container"], change["policy"]
    if policy is None:
        return f"{pods} have {container}, which is not in their template; it may be {_INJECTORS}"
    return f"{pods} say Always for {container}, their template says {policy}; it may be {_CHANGERS}"
