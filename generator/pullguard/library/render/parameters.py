"""The parameters of a policy as rows of a table; pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LIMITS = {
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
}


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter, or a field of one.

    Attributes:
        name: Such as `customKinds[].group`.
        type: In words.
        default: As JSON; "" if there is none.
        required: Whether it has to be stated where what holds it is.
        options: The values that it can have, as JSON; empty if they are not a fixed list.
        pattern: The regular expression that it matches; "" if there is none.
        limits: What else holds for it, in words.
        description: In one or several sentences.
    """

    name: str
    type: str
    default: str
    required: bool
    options: tuple[str, ...]
    pattern: str
    limits: tuple[str, ...]
    description: str


def parameter_rows(schema: Mapping[str, Any]) -> list[ParameterRow]:
    """Return the rows of a structural schema of type object, fields of objects and of lists of objects below them."""
    return list(_rows(schema, ""))


def _rows(schema: Mapping[str, Any], prefix: str) -> Iterator[ParameterRow]:
    required = schema.get("required", ())
    for name, node in schema.get("properties", {}).items():
        # What holds for the entries of a list of plain values is said with the list.
        values = node.get("items", {}) if node.get("type") == "array" else node
        yield ParameterRow(
            name=f"{prefix}{name}",
            type=_type(node),
            default=json.dumps(node["default"]) if "default" in node else "",
            required=name in required and "default" not in node,
            options=tuple(json.dumps(option) for option in values.get("enum", ())),
            pattern=values.get("pattern", ""),
            limits=(*_limits(node), *(f"each {limit}" for limit in _limits(values) if values is not node)),
            description=" ".join(node.get("description", "").split()),
        )
        yield from _rows(values, f"{prefix}{name}[]." if values is not node else f"{prefix}{name}.")


def _limits(schema: Mapping[str, Any]) -> list[str]:
    return [
        "not empty"
        if key in {"minItems", "minProperties", "minLength"} and schema[key] == 1
        else text.format(schema[key])
        for key, text in _LIMITS.items()
        if key in schema
    ]


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}s"
    return str(schema["type"])
