"""Findings for tests of `fix`, as the library would report them, without an engine."""

import hashlib
from collections.abc import Iterator
from typing import Any

from pullguard.core.findings import ContainerRef, Finding, reference, value_at
from pullguard.core.inputs.files import File
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

DIGEST = f"sha256:{hashlib.sha256(b'').hexdigest()}"
#: A pinned image, whose implied pull policy is Always.
LATEST = f"x:latest@{DIGEST}"

_SPECS: dict[str, tuple[str, ...]] = {"Pod": ("spec",), "Deployment": ("spec", "template", "spec")}


def findings_in(file: str, text: str, *, value: str = "IfNotPresent") -> list[Finding]:
    """Return a finding for each Always, stated or implied, unless its image contains `unpinned`."""
    return [
        found
        for manifest in Inputs(ENGINE, [File(file, text.encode())])
        if isinstance(manifest, Manifest)
        for found in _findings(manifest, value)
    ]


def _findings(manifest: Manifest, value: str) -> Iterator[Finding]:
    spec = _SPECS.get(manifest.object["kind"], ("spec",))
    for name in ("initContainers", "containers", "volumes"):
        entries = value_at(manifest.object, (*spec, name))
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            owner, image, policy = entry, "image", "imagePullPolicy"
            if name == "volumes":
                owner, image, policy = entry.get("image"), "reference", "pullPolicy"
            if isinstance(owner, dict) and image in owner and _is_always(owner.get(policy), owner[image]):
                path = ".".join([*spec, f"{name}[{index}]"])
                inside = "image." if name == "volumes" else ""
                yield _finding(
                    manifest,
                    ContainerRef(name, entry.get("name", ""), index),
                    owner[image],
                    {
                        "path": path,
                        "stated": owner.get(policy),
                        "fix": {"path": f"{path}.{inside}{policy}", "value": value},
                    },
                )


def _is_always(stated: Any, image: str) -> bool:
    return "unpinned" not in image and (stated == "Always" or (stated in {None, ""} and ":latest@" in image))


def _finding(manifest: Manifest, container: ContainerRef, image: str, details: dict[str, Any]) -> Finding:
    namespace = value_at(manifest.object, ("metadata", "namespace")) or ""
    return Finding(
        rule="pull-policy-always",
        severity="high",
        policy="protected_pull_policy",
        constraints=("c",),
        action="dryrun",
        file=manifest.file,
        line=manifest.line(),
        document=manifest.document,
        item=manifest.item,
        object=reference(manifest.object, namespace),
        container=container,
        image=image,
        message="wrong",
        details=details,
        fingerprint="",
        namespace_assumed=False,
    )
