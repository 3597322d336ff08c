"""Objects that a kustomization moves out of a namespace in which policies find something: a mistake, or a disguise."""

import os
from collections.abc import Mapping, Sequence

from pullguard.core.findings import Finding, InputBuild, reference
from pullguard.core.inputs.selection import EXTENSIONS
from pullguard.engine.batches import Failure
from pullguard.engine.files import JudgedFiles, JudgedObject, Request
from pullguard.engine.protocol import Engine


def notes(
    engine: Engine, builds: Sequence[InputBuild], findings: Sequence[Finding], labels: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """Return what is to be said of them, a sentence each.

    Args:
        engine: What has judged all else.
        builds: Kustomizations with objects in namespaces that are not protected.
        findings: What was found: what a kustomization makes for a protected namespace is among it.
        labels: The labels of Namespaces by their names, whatever the files say of them.
    """
    known = {(os.path.realpath(found.file), found.object.kind) for found in findings}
    read = {file: build.name for build in builds for file in sorted(build.files) if file.lower().endswith(EXTENSIONS)}
    files = sorted(read.items())
    requests = [Request(os.fsencode(file), file, "", replaces=False) for file, _ in files]
    moved = set()
    for place, each in JudgedFiles(engine, requests, labels):
        if not isinstance(each, JudgedObject) or isinstance(each.answer, Failure):
            continue
        file, build = files[place]
        obj = reference(each.object, each.answer.namespace)
        if obj.namespace and (file, obj.kind) not in known:
            moved.add(
                f"the kustomization {build} moves {obj.kind} {obj.namespace}/{obj.name}, in which policies find "
                "something, to a namespace that is not protected"
            )
    return tuple(sorted(moved))
