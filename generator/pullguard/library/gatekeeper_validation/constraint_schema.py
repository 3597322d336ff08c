"""The schema that Gatekeeper gives the constraints of a template: defaults and validation."""

from collections.abc import Mapping
from typing import Any

from pullguard.core.gatekeeper import ConstraintTemplate, dig

#: The pattern of Gatekeeper's own schema, the same in RE2 and everywhere else.
GLOB_PATTERN = r"^\*?[-:a-z0-9]*\*?$"

_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def with_defaults(constraint: Mapping[str, Any], template: ConstraintTemplate) -> dict[str, Any]:
    """Return a copy of a constraint with the defaults of its schema filled in.

    As Gatekeeper and the API server do: null counts as missing unless the schema says nullable, and the
    defaults inside an object apply only where the object is there, or is a default itself.
    ``spec.enforcementAction`` has the default "deny".
    """
    result: dict[str, Any] = copied(dict(constraint))
    pending: list[tuple[Any, Any]] = [(result, constraint_schema(template))]
    while pending:
        value, schema = pending.pop()
        if isinstance(value, dict) and isinstance(schema, Mapping):
            pending.extend(_fill_object(value, schema))
        elif isinstance(value, list) and isinstance(schema, Mapping):
            pending.extend(_fill_list(value, schema.get("items")))
    return result


def _fill_object(value: dict[str, Any], schema: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Fill in the properties of an object; return what is to be filled next, each with its schema."""
    properties, others = _properties(schema), schema.get("additionalProperties")
    for key, below in properties.items():
        default = _default(below)
        if default is not None and (key not in value or _is_refused_null(value[key], below)):
            value[key] = copied(default)
    for key, below in value.items():
        if key not in properties and _is_refused_null(below, others):
            value[key] = copied(_default(others))
    return [(value[key], properties.get(key, others)) for key in value]


def _fill_list(value: list[Any], schema: Any) -> list[tuple[Any, Any]]:
    value[:] = [copied(_default(schema)) if _is_refused_null(item, schema) else item for item in value]
    return [(item, schema) for item in value]


def copied(value: Any) -> Any:
    """Return a deep copy of a JSON value, however deep it is."""
    top = [value]
    pending: list[tuple[Any, Any]] = [(top, 0)]
    while pending:
        parent, key = pending.pop()
        value = parent[key]
        if isinstance(value, Mapping):
            parent[key] = dict(value)
            pending.extend((parent[key], below) for below in value)
        elif isinstance(value, list):
            parent[key] = list(value)
            pending.extend((parent[key], index) for index in range(len(value)))
    return top[0]


def constraint_schema(template: ConstraintTemplate) -> dict[str, Any]:
    """Return the OpenAPI v3 schema of a template's constraints: Gatekeeper's own around the parameters."""
    spec: dict[str, Any] = {
        "match": _MATCH,
        "enforcementAction": {"type": "string", "default": "deny"},
        "scopedEnforcementActions": _SCOPED_ACTIONS,
    }
    parameters = parameters_schema(template)
    if parameters is not None:
        spec["parameters"] = parameters
    return {
        "type": "object",
        "properties": {
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": 63}},
            },
            "spec": {"type": "object", "properties": spec},
            "status": {_PRESERVE: True},
        },
    }


def parameters_schema(template: ConstraintTemplate) -> Mapping[str, Any] | None:
    """Return the schema of ``spec.parameters``, or None where constraints of the template take no parameters.

    ``legacySchema: true`` lets every field pass; templates of v1alpha1 and v1beta1 have it unless they say
    false.
    """
    legacy = dig(template.object, "spec", "crd", "spec", "validation", "legacySchema")
    if legacy is None:
        legacy = not str(template.object.get("apiVersion")).endswith("/v1")
    if not legacy:
        return template.parameters_schema
    schema: dict[str, Any] = copied(dict(template.parameters_schema or {}))
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        kind = node.get("type") or ""
        if kind in {"", "object"}:
            node[_PRESERVE] = True
        elif kind == "array" and node.get("items") is None:
            node["items"] = {}
        pending.extend(_properties(node).values())
        pending.extend((node.get("items"), node.get("additionalProperties")))
    return schema


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _default(schema: Any) -> Any:
    return schema.get("default") if isinstance(schema, Mapping) else None


def _is_refused_null(value: Any, schema: Any) -> bool:
    return value is None and isinstance(schema, Mapping) and schema.get("nullable") is not True


_STRINGS = {"type": "array", "items": {"type": "string"}}
_GLOB = {"type": "string", "pattern": GLOB_PATTERN}
_GLOBS = {"type": "array", "items": _GLOB}
_SELECTOR = {
    "type": "object",
    "properties": {
        "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        "matchExpressions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "operator"],
                "properties": {"key": {"type": "string"}, "operator": {"type": "string"}, "values": _STRINGS},
            },
        },
    },
}
_MATCH = {
    "type": "object",
    "properties": {
        "source": {"type": "string", "enum": ["All", "Generated", "Original"]},
        "kinds": {
            "type": "array",
            "items": {"type": "object", "properties": {"apiGroups": _STRINGS, "kinds": _STRINGS}},
        },
        "scope": {"type": "string"},
        "namespaces": _GLOBS,
        "excludedNamespaces": _GLOBS,
        "labelSelector": _SELECTOR,
        "namespaceSelector": _SELECTOR,
        "name": _GLOB,
    },
}
#: What a match can say.
MATCH_FIELDS = frozenset(_MATCH["properties"])

_SCOPED_ACTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "action": {"type": "string"},
            "enforcementPoints": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        },
    },
}
