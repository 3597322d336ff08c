"""The repairs of a report as manifests."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from pullguard.cluster.snapshot import Kind, from_cluster, from_files
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.core.text_files import write_text
from pullguard.engine.protocol import Engine
from pullguard.outage.edits import changed
from pullguard.outage.model import OutageReport, Step

JSON = Mapping[str, Any]
Key = tuple[str, str, str]

#: The images that nodes are to have, one a line.
IMAGES = "images.txt"


def write_repair(
    report: OutageReport,
    folder: Path,
    kinds: Sequence[Kind],
    paths: Sequence[str],
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
) -> list[str]:
    """Write what the repairs of all events change, as manifests, and the images that nodes are to have.

    The snapshot is read again, for the whole objects: a forecast keeps only parts of them.

    Args:
        report: The report.
        folder: Where to; it is made if it is not there.
        kinds: The kinds of a snapshot.
        paths: What the report was made from; none: the live cluster.
        kubeconfig: As for the report.
        context: As for the report.
        kubectl: As for the report.

    Returns:
        What could not be written, as it is not in the snapshot: KIND/NAMESPACE/NAME.

    Raises:
        PullguardError: The snapshot cannot be read again, or a file not be written.
    """
    if "-" in paths:
        raise PullguardError("what came from stdin cannot be read again", remedy="name a file, to use --write")
    steps: dict[Key, dict[Step, None]] = {}
    for cascade in report.cascades.values():
        for step in (step for edit in cascade.repair for step in edit.steps):
            steps.setdefault((step.kind, step.namespace, step.name), {})[step] = None
    found: dict[Key, JSON] = {}
    wanted = [kind for kind in kinds if kind.kind in {key[0] for key in steps}]
    keep = partial(_keep, frozenset(steps), found)
    if wanted:
        with Engine() as engine:
            if paths:
                from_files(engine, wanted, paths, keep=keep)
            else:
                from_cluster(engine, wanted, kubeconfig=kubeconfig, context=context, kubectl=kubectl, keep=keep)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PullguardError(f"cannot be made ({error.strerror})", file=str(folder)) from error
    for key, obj in sorted(found.items()):
        text = yaml.safe_dump(changed(obj, tuple(steps[key])), sort_keys=False, allow_unicode=True)
        write_text(folder / f"{_file_name(key)}.yaml", text)
    images = sorted(name for kind, _, name in steps if not kind)
    if images:
        write_text(folder / IMAGES, "".join(f"{image}\n" for image in images))
    return ["/".join(filter(None, key)) for key in sorted(steps) if key[0] and key not in found]


def _keep(keys: frozenset[Key], found: dict[Key, JSON], obj: JSON) -> JSON:
    """Take note of a whole object if it is one of some; of a snapshot, only its name is kept."""
    key = (str(obj.get("kind")), dig(obj, "metadata", "namespace") or "", str(dig(obj, "metadata", "name")))
    if key in keys:
        found[key] = obj
    metadata = {name: dig(obj, "metadata", name) for name in ("name", "namespace", "uid")}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}


def _file_name(key: Key) -> str:
    return re.sub(r"[^a-z0-9.-]", "_", "-".join(filter(None, key)).lower())
