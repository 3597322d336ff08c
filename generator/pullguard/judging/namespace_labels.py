"""The labels of Namespaces that are not in the input, from a file that people write or dump."""

from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import group_of
from pullguard.core.inputs import load_documents
from pullguard.core.inputs.lists import manifests
from pullguard.core.text_files import read_text

_REMEDY = "write a mapping of names to labels, or dump Namespaces with `kubectl get namespaces -o yaml`"


def load(file: str) -> dict[str, dict[str, str]]:
    """Return labels by the names of their Namespaces.

    The file is a mapping of names to labels, or has Namespace objects, alone or in a List.

    Raises:
        PullguardError: It cannot be read, or is neither.
    """
    found: dict[str, dict[str, str]] = {}
    for document in load_documents(read_text(Path(file)), file, dialect="kubernetes"):
        if document.value is None:
            continue
        if not isinstance(document.value, dict):
            raise PullguardError("is no mapping", file=file, line=document.line, remedy=_REMEDY)
        if "kind" not in document.value:
            for name, labels in document.value.items():
                found[name] = _labels(labels, file, document.line_of([name]), name)
            continue
        for manifest in manifests(document):
            obj = manifest.object
            metadata = obj.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else None
            if (
                obj["kind"] != "Namespace"
                or group_of(obj)
                or not isinstance(metadata, dict)
                or not isinstance(name, str)
            ):
                raise PullguardError(
                    f"{obj['kind']} is no Namespace with a name", file=file, line=manifest.line(), remedy=_REMEDY
                )
            found[name] = _labels(metadata.get("labels"), file, manifest.line(["metadata", "labels"]), name)
    if not found:
        raise PullguardError("names no Namespace", file=file, remedy=_REMEDY)
    return found


def _labels(value: Any, file: str, line: int, name: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise PullguardError(f"the labels of {name} are no mapping of strings", file=file, line=line, remedy=_REMEDY)
    return value
