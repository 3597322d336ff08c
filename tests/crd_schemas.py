"""The schemas of CustomResourceDefinitions, for the strict validation of objects."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml


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
