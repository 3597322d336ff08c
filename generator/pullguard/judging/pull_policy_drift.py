"""Pods that say Always where the template that they were made from does not: another tool is at work."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pullguard.core import programs
from pullguard.core.findings import Finding
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs import InputError, Manifest
from pullguard.engine.query import evaluate, write_modules

_MODULES = {"gatekeeper": ("review",), "lib": ("images", "pods"), "scope": ("changes",)}

_SUSPECTS = (
    "the admission plugin AlwaysPullImages, a policy such as Kyverno's always-pull-images, or an edit of the template"
)


def is_suspicious(found: Finding) -> bool:
    """Tell whether a finding is one that `changed_pods` could explain: about a pod that states Always."""
    return found.object.kind == "Pod" and dig(found.details, "stated") == "Always"


def changed_pods(findings: Sequence[Finding], inputs: Iterable[Manifest | InputError], opa: Path) -> tuple[str, ...]:
    """Return a sentence for each container that says Always in the pods of a workload, and not in its template.

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
    return tuple(
        f"another tool at work: pods of {change['kind']} {change['namespace']}/{change['name']} say Always for "
        f"{change['container']}, their template says {change['policy']}; it may be {_SUSPECTS}"
        for change in changes
    )
