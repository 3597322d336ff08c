"""The labels of Namespaces that are not in the input, from a file that people write or dump."""

from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig, group_of
from pullguard.core.inputs.files import File
from pullguard.core.inputs.problems import InputError
from pullguard.core.text_files import read_text
from pullguard.engine.documents import load_documents
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine

_REMEDY = "write a mapping of names to labels, or dump Namespaces with `kubectl get namespaces -o yaml`"


def load(engine: Engine, file: str) -> dict[str, dict[str, str]]:
    """Return labels by the names of their Namespaces.

    The file is a mapping of names to labels, or has Namespace objects, alone or in a List.

    Raises:
        PullguardError: It cannot be read, or is neither.
    """
    text = read_text(Path(file))
    found: dict[str, dict[str, str]] = {}
    has_objects = False
    for document in load_documents(engine, text, file, dialect="kubernetes"):
        if document.value is None:
            continue
        if not isinstance(document.value, dict):
            raise PullguardError("is not a mapping", file=file, line=document.line, remedy=_REMEDY)
        if "kind" in document.value:
            has_objects = True
            continue
        for name, labels in document.value.items():
            found[name] = _labels(labels, file, document.line_of([name]), name)
    if has_objects:
        found.update(_stated_by_objects(engine, text, file))
    if not found:
        raise PullguardError("names no Namespace", file=file, remedy=_REMEDY)
    return found


def _stated_by_objects(engine: Engine, text: str, file: str) -> dict[str, dict[str, str]]:
    found = {}
    for manifest in Inputs(engine, [File(file, text.encode())]):
        if isinstance(manifest, InputError):
            raise PullguardError(manifest.message, file=file, line=manifest.line)
        obj = manifest.object
        name = dig(obj, "metadata", "name")
        if obj["kind"] != "Namespace" or group_of(obj) or not isinstance(name, str):
            raise PullguardError(
                f"{obj['kind']} is not a Namespace with a name", file=file, line=manifest.line(), remedy=_REMEDY
            )
        found[name] = _labels(dig(obj, "metadata", "labels"), file, manifest.line(["metadata", "labels"]), name)
    return found


def _labels(value: Any, file: str, line: int, name: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise PullguardError(f"the labels of {name} are not a mapping of strings", file=file, line=line, remedy=_REMEDY)
    return value
