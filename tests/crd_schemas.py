"""The schemas of CustomResourceDefinitions, for the strict validation of objects."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

#: The definition of each kind, and the version of its objects in the library.
_DEFINITIONS = {
    "ConstraintTemplate": ("constrainttemplates.templates.gatekeeper.sh", "v1"),
    "SyncSet": ("syncsets.syncset.gatekeeper.sh", "v1alpha1"),
}


def library_objects(*files: Path) -> list[dict[str, Any]]:
    """Return the objects in files of the library."""
    return [obj for path in files for obj in yaml.safe_load_all(path.read_text("utf-8"))]


def templates_and_syncsets(library: Path) -> list[dict[str, Any]]:
    """Return the templates and SyncSets of a library."""
    return library_objects(*sorted((library / "templates").glob("[!k]*.yaml")))


def strict_errors(manifest: Path, objects: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what the definitions of a manifest have against templates and SyncSets, by the names of these."""
    validators = {kind: crd_validator(manifest, *definition) for kind, definition in _DEFINITIONS.items()}
    return {
        obj["metadata"]["name"]: [error.message for error in validators[obj["kind"]].iter_errors(obj)]
        for obj in objects
    }


def crd_validator(manifest: Path, name: str, wanted: str = "v1") -> jsonschema_rs.Draft202012Validator:
    """Return a validator for objects of a version of a definition in a manifest. It accepts any metadata."""
    (definition,) = [
        entry
        for entry in yaml.load_all(manifest.read_text("utf-8"), Loader=yaml.CSafeLoader)
        if entry["metadata"]["name"] == name
    ]
    (schema,) = [
        version["schema"]["openAPIV3Schema"] for version in definition["spec"]["versions"] if version["name"] == wanted
    ]
    strict = crd_schema(schema)
    strict["properties"]["metadata"] = {"type": "object"}
    return jsonschema_rs.Draft202012Validator(strict)


def crd_schema(node: Any) -> Any:
    """Return the schema of a definition as JSON Schema that rejects fields that Kubernetes would drop."""
    if not isinstance(node, dict):
        return node
    result = {key: crd_schema(value) for key, value in node.items()}
    if "properties" in node:
        result["properties"] = {key: crd_schema(value) for key, value in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            result["additionalProperties"] = False
    return result
