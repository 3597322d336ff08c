"""Structural schemas of Kubernetes (OpenAPI v3), that describe parameters: judged and translated; pure."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

#: Keywords that mean the same in a structural schema and in JSON Schema.
_SHARED = (
    "title",
    "description",
    "default",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)

#: Keywords that hold schemas.
_NESTED = ("properties", "items", "additionalProperties")

_COUNT = {"type": "integer", "minimum": 0}
_EXTENSIONS = {
    "x-kubernetes-int-or-string": {"const": True},
    "x-kubernetes-preserve-unknown-fields": {"const": True},
    "x-kubernetes-list-type": {"enum": ["atomic", "map", "set"]},
    "x-kubernetes-list-map-keys": {"type": "array", "items": {"type": "string"}},
    "x-kubernetes-map-type": {"enum": ["atomic", "granular"]},
}
_REMARKS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["pattern", "because"],
        "properties": {"pattern": {"type": "string", "format": "regex"}, "because": {"type": "string"}},
        "additionalProperties": False,
    },
}
_COMMON: dict[str, Any] = {
    "title": {"type": "string"},
    "description": {"type": "string"},
    "default": {},
    "defaultFrom": {"type": "string"},
    "example": {},
    # For people who write a configuration, not for clusters: what would be taken and can never be right, and what is
    # taken and seldom meant.
    "refuses": _REMARKS,
    "doubts": _REMARKS,
    "nullable": {"type": "boolean"},
    "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
}
_BY_TYPE: dict[str, dict[str, Any]] = {
    "object": {
        "properties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/structural"}},
        "additionalProperties": {"$ref": "#/$defs/structural"},
        "required": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        "minProperties": _COUNT,
        "maxProperties": _COUNT,
        "x-kubernetes-preserve-unknown-fields": _EXTENSIONS["x-kubernetes-preserve-unknown-fields"],
        "x-kubernetes-map-type": _EXTENSIONS["x-kubernetes-map-type"],
    },
    "array": {
        "items": {"$ref": "#/$defs/structural"},
        "minItems": _COUNT,
        "maxItems": _COUNT,
        "x-kubernetes-list-type": _EXTENSIONS["x-kubernetes-list-type"],
        "x-kubernetes-list-map-keys": _EXTENSIONS["x-kubernetes-list-map-keys"],
    },
    "string": {
        "format": {"type": "string"},
        "pattern": {"type": "string", "format": "regex"},
        "minLength": _COUNT,
        "maxLength": _COUNT,
    },
    "integer": {"format": {"type": "string"}, "minimum": {"type": "integer"}, "maximum": {"type": "integer"}},
    "number": {"format": {"type": "string"}, "minimum": {"type": "number"}, "maximum": {"type": "number"}},
    "boolean": {},
}


def meta_schema() -> dict[str, Any]:
    """Return the JSON Schema of a structural schema, for `$defs`: it refers to itself as `#/$defs/structural`.

    It takes the keywords that a CustomResourceDefinition takes, without those that combine schemas, such as allOf.
    """
    keywords = {keyword for of_type in _BY_TYPE.values() for keyword in of_type}
    return {
        "type": "object",
        "properties": {
            "type": {"enum": list(_BY_TYPE)},
            **_COMMON,
            **{keyword: {} for keyword in sorted(keywords | set(_EXTENSIONS))},
        },
        "additionalProperties": False,
        "allOf": [_of_type(name, keywords, own) for name, own in _BY_TYPE.items()],
        "if": {"required": ["x-kubernetes-int-or-string"]},
        "then": {"properties": {"type": {"not": {}, "errorMessage": "x-kubernetes-int-or-string stands in its place"}}},
        "else": {"required": ["type"]},
    }


def _of_type(name: str, keywords: set[str], own: Schema) -> dict[str, Any]:
    """Return what holds for schemas of one type: which keywords, what they look like, and which must be there."""
    then: dict[str, Any] = {
        "properties": {
            **own,
            **{
                other: {"not": {}, "errorMessage": f"it does not go with type {name}"}
                for other in sorted(keywords - set(own))
            },
        }
    }
    if name == "array":
        then["required"] = ["items"]
    if name == "object":
        then["not"] = {"required": ["properties", "additionalProperties"]}
        then["errorMessage"] = "Kubernetes takes either properties or additionalProperties"
    return {"if": {"required": ["type"], "properties": {"type": {"const": name}}}, "then": then}


def json_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of what a structural schema takes, but for unknown fields, which Kubernetes drops."""
    result = {keyword: copy.deepcopy(schema[keyword]) for keyword in _SHARED if keyword in schema}
    if "example" in schema:
        result["examples"] = [copy.deepcopy(schema["example"])]
    if "refuses" in schema:
        result["allOf"] = [
            {"not": {"pattern": entry["pattern"]}, "errorMessage": entry["because"]} for entry in schema["refuses"]
        ]
    kinds = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else [schema["type"]]
    if schema.get("nullable"):
        kinds.append("null")
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    result["type"] = kinds if len(kinds) > 1 else kinds[0]
    properties = schema.get("properties", {})
    # Defaults are filled in before anything is missed.
    required = [key for key in schema.get("required", ()) if "default" not in properties.get(key, {})]
    if required:
        result["required"] = required
    if "items" in schema:
        result["items"] = json_schema(schema["items"])
    if schema.get("x-kubernetes-list-type") == "set":
        result["uniqueItems"] = True
    if kinds[0] == "object":
        result["properties"] = {key: json_schema(value) for key, value in properties.items()}
        if "additionalProperties" in schema:
            result["additionalProperties"] = json_schema(schema["additionalProperties"])
        else:
            result["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    return result


def doubts(schema: Schema, value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the paths of texts in a value that are seldom meant, and why; `path` is that of the value."""
    if isinstance(value, str):
        yield from (
            (path, entry["because"]) for entry in schema.get("doubts", ()) if re.search(entry["pattern"], value)
        )
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from doubts(schema.get("items", {}), item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            node = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            yield from doubts(node, item, (*path, key))


def without_examples(schema: Schema) -> dict[str, Any]:
    """Return a copy of a structural schema without examples and the like: clusters have no use for them."""
    result = {
        key: copy.deepcopy(value)
        for key, value in schema.items()
        if key not in {"example", "refuses", "doubts", *_NESTED}
    }
    for key in _NESTED:
        if key == "properties" and key in schema:
            result[key] = {name: without_examples(node) for name, node in schema[key].items()}
        elif key in schema:
            result[key] = without_examples(schema[key])
    return {key: result[key] for key in schema if key in result}
