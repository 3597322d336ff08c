"""gator finds in real manifests what `check` finds there."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from generated_objects import BUILT_IN
from pullguard.check.command import check
from pullguard.core.inputs.files import find_files
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

_KINDS = {kind for _, kind, _ in BUILT_IN}


@pytest.mark.usefixtures("opa")
def test_real_and_hard_manifests(
    checkout: Path, corpus: Path, gator: Path, run: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """Each object under a name of its own, in a protected namespace: gator keeps one object of each name."""
    objects: list[dict[str, Any]] = []
    for found in Inputs(ENGINE, find_files([str(corpus)])):
        if isinstance(found, Manifest) and found.object["kind"] in _KINDS and found.object.get("apiVersion"):
            metadata = {"name": f"o{len(objects)}", "namespace": "kube-system"}
            objects.append({**found.object, "metadata": metadata})
    manifest = tmp_path / "objects.json"
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), "utf-8")
    library = checkout / "library"
    report = check([str(manifest)], library=str(library))
    # What Kubernetes refuses is an error besides.
    assert [error for error in report.errors if " is not a list, so Kubernetes refuses " not in error.message] == []
    ours = sorted((found.policy, found.object.name, found.message) for found in report.findings)

    separate = tmp_path / "separate.yaml"
    separate.write_text("".join(f"---\n{json.dumps(obj)}\n" for obj in objects), "utf-8")
    theirs: list[tuple[str, str, str]] = []
    for policy in sorted({found.policy for found in report.findings}):
        folder = library / "policies" / policy
        names = [f"--filename={path}" for path in (folder / "template.yaml", folder / "constraints.yaml", separate)]
        done = run(gator, "test", "--output=json", *names)
        assert done.stdout, done.stderr
        violations = json.loads(done.stdout)
        theirs.extend((policy, one["violatingObject"]["metadata"]["name"], one["msg"]) for one in violations)
    theirs.sort()
    assert len(ours) > len(list((corpus / "real").iterdir()))
    assert theirs == ours
