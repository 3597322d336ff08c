"""The schemas of CustomResourceDefinitions, for the strict validation of objects."""

from typing import Any


def crd_schema(node: Any) -> Any:
    """Return a schema of a CustomResourceDefinition as JSON Schema that refuses fields that Kubernetes would drop."""
    if not isinstance(node, dict):
        return node
    result = {key: crd_schema(value) for key, value in node.items()}
    if "properties" in node:
        result["properties"] = {key: crd_schema(value) for key, value in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            result["additionalProperties"] = False
    return result
