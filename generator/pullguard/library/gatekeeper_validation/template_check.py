"""Whether Gatekeeper accepts the names and the schema of a ConstraintTemplate; its code is not checked here."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pullguard.core.gatekeeper import ConstraintTemplate, dig
from pullguard.library.gatekeeper_validation.constraint_check import Matches, schema_errors, unknown_fields

_VERSIONS = ("v1", "v1alpha1", "v1beta1")
_KIND = re.compile("[a-z](?:[-a-z0-9]{0,57}[a-z0-9])?")  # with "list" after it, at most 63 characters
_LABEL = re.compile("[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_EITHER = [{"type": "integer"}, {"type": "string"}]

#: What a schema of a CustomResourceDefinition cannot have.
_UNSUPPORTED = ("$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
#: Keywords that are only allowed outside of allOf, anyOf, oneOf and not.
_STRUCTURE = (
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "type",
    "x-kubernetes-embedded-resource",
    _INT_OR_STRING,
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    _PRESERVE,
    "x-kubernetes-validations",
)

_TYPED: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("$ref", "$schema", "description", "format", "id", "pattern", "title", "type"), str),
    **dict.fromkeys(("x-kubernetes-list-type", "x-kubernetes-map-type"), str),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), (int, float)),
    **dict.fromkeys(("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"), int),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "nullable", "uniqueItems"), bool),
    **dict.fromkeys((_PRESERVE, _INT_OR_STRING, "x-kubernetes-embedded-resource"), bool),
    **dict.fromkeys(("allOf", "anyOf", "enum", "oneOf", "required"), list),
    **dict.fromkeys(("x-kubernetes-list-map-keys", "x-kubernetes-validations"), list),
    **dict.fromkeys(("definitions", "dependencies", "not", "patternProperties", "properties"), Mapping),
    **dict.fromkeys(("additionalItems", "additionalProperties"), (bool, Mapping)),
    "items": (list, Mapping),
}


def template_fault(template: ConstraintTemplate, schema: Mapping[str, Any] | None, matches: Matches) -> str | None:
    """Return why Gatekeeper refuses a template before it looks at the code, or None where it does not.

    Args:
        template: The template.
        schema: The schema of its parameters, as ``constraint_schema.parameters_schema`` gives it.
        matches: Whether a pattern matches a text; asked about the defaults of the schema.
    """
    version = str(template.object.get("apiVersion")).partition("/")[2]
    if version not in _VERSIONS:
        return f'its version is "{version}" and not one of {", ".join(_VERSIONS)}'
    if template.name.casefold() != template.kind.casefold():
        return f"its name is {template.name}, but must be its kind in lower case: {template.kind.lower()}"
    if not _KIND.fullmatch(template.kind.lower()):
        return f"its kind {template.kind} is not a name for a kind: letters, digits and dashes, at most 59"
    for short in dig(template.object, "spec", "crd", "spec", "names", "shortNames") or ():
        if not isinstance(short, str) or not _LABEL.fullmatch(short):
            return f"its short name {short!r} is not a label in lower case"
    if schema is None:
        return None
    return schema_fault(schema, matches)


def schema_fault(schema: Mapping[str, Any], matches: Matches) -> str | None:
    """Return why Kubernetes refuses a schema of parameters, or None if it does not.

    The CEL of x-kubernetes-validations is not checked.
    """
    pending: list[tuple[Any, str]] = [(schema, "openAPIV3Schema")]
    while pending:
        node, path = pending.pop()
        fault = _node_fault(node, matches)
        if fault is not None:
            return f"{path} {fault}"
        below = {name: node.get(name) for name in ("items", "additionalProperties")}
        pending += [(value, f"{path}.{name}") for name, value in below.items() if isinstance(value, Mapping)]
        properties = node.get("properties") or {}
        pending += [(value, f"{path}.properties[{name}]") for name, value in properties.items()]
    return None


def _node_fault(node: Any, matches: Matches) -> str | None:
    if not isinstance(node, Mapping):
        return "is not an object"
    return (
        _typed_fault(node)
        or _shape_fault(node)
        or _embedded_fault(node)
        or _list_fault(node)
        or _junctor_fault(node)
        or _default_fault(node, matches)
    )


def _typed_fault(node: Mapping[str, Any]) -> str | None:
    for key, value in node.items():
        wanted = _TYPED.get(key)
        if wanted is None or value is None:
            continue
        if not isinstance(value, wanted) or (isinstance(value, bool) and not _takes_bool(wanted)):
            return f"has a {key} of the wrong type"
    if not all(isinstance(entry, str) for entry in node.get("required") or ()):
        return "has a required that is not a list of strings"
    return None


def _takes_bool(wanted: type | tuple[type, ...]) -> bool:
    return wanted is bool or (isinstance(wanted, tuple) and bool in wanted)


def _shape_fault(node: Mapping[str, Any]) -> str | None:
    kind = node.get("type") or ""
    unsupported = [name for name in _UNSUPPORTED if node.get(name)]
    either, preserved = node.get(_INT_OR_STRING) is True, node.get(_PRESERVE)
    faults = (
        (bool(unsupported), f"has {', '.join(unsupported)}, which Kubernetes does not support"),
        (bool(kind) and kind not in _TYPES, f'has the type "{kind}", which is not one of {", ".join(_TYPES)}'),
        (not kind and not either and preserved is not True, "has no type"),
        (preserved is False, f"has {_PRESERVE}: false; it is true or absent"),
        (either and preserved is True, f"has both {_INT_OR_STRING} and {_PRESERVE}"),
        (kind == "array" and node.get("items") is None, "is an array without items"),
        (isinstance(node.get("items"), list), "has a list of items; it takes one schema"),
        (node.get("uniqueItems") is True, "has uniqueItems, which Kubernetes forbids"),
        (
            bool(node.get("properties")) and node.get("additionalProperties") not in (None, True),
            "has both properties and additionalProperties",
        ),
    )
    return next((message for wrong, message in faults if wrong), None)


def _embedded_fault(node: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a field that holds a whole object of Kubernetes."""
    if node.get("x-kubernetes-embedded-resource") is not True:
        return None
    faults = (
        (node.get("type") != "object", "embeds a resource, but is not an object"),
        (node.get("additionalProperties") is not None, "embeds a resource, but has additionalProperties"),
        (not node.get(_PRESERVE) and not node.get("properties"), "embeds a resource without any properties"),
    )
    return next((message for wrong, message in faults if wrong), None)


def _list_fault(node: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the extensions for lists and maps."""
    kind, items = node.get("type"), node.get("items")
    of_list, of_map = node.get("x-kubernetes-list-type"), node.get("x-kubernetes-map-type")
    keys = node.get("x-kubernetes-list-map-keys") or []
    item = items if isinstance(items, Mapping) else {}
    faults = (
        (of_map is not None and kind != "object", "has x-kubernetes-map-type, but is not an object"),
        (of_map not in {None, "atomic", "granular"}, f'has the x-kubernetes-map-type "{of_map}"'),
        (of_list is not None and kind != "array", "has x-kubernetes-list-type, but is not an array"),
        (of_list not in {None, "atomic", "map", "set"}, f'has the x-kubernetes-list-type "{of_list}"'),
        (bool(keys) != (of_list == "map"), "has list-map-keys without list-type map, or the other way round"),
        (of_list in {"map", "set"} and item.get("nullable") is True, f"is a {of_list} with nullable items"),
        (of_list == "map" and item.get("type") != "object", "is a map whose items are not objects"),
        (of_list == "set" and not _is_atomic(item), "is a set whose items are not atomic"),
        (len(set(map(str, keys))) != len(keys), "has the same list-map-key twice"),
    )
    fault = next((message for wrong, message in faults if wrong), None)
    return fault or next((fault for key in keys if (fault := _key_fault(item, key)) is not None), None)


def _is_atomic(item: Mapping[str, Any]) -> bool:
    if item.get("type") == "array":
        return item.get("x-kubernetes-list-type") in {None, "atomic"}
    return item.get("type") != "object" or item.get("x-kubernetes-map-type") == "atomic"


def _key_fault(item: Mapping[str, Any], key: Any) -> str | None:
    field = (item.get("properties") or {}).get(key)
    if not isinstance(field, Mapping) or field.get("type") in {"array", "object"} or field.get("nullable"):
        return f"has the list-map-key {key}, which is not a plain property of its items"
    if key not in (item.get("required") or ()) and field.get("default") is None:
        return f"has the list-map-key {key}, which is neither required nor has a default"
    return None


def _junctor_fault(node: Mapping[str, Any]) -> str | None:
    """Return what is wrong in allOf, anyOf, oneOf and not: they can only restrict what is defined outside of them."""
    pending = list(_clauses(node, outer=True))
    while pending:
        clause = pending.pop()
        if not isinstance(clause, Mapping):
            return "has a clause that is not an object"
        fault = _typed_fault(clause)
        if fault is not None:
            return fault
        if any(clause.get(name) for name in _UNSUPPORTED):
            return "has a clause with what Kubernetes does not support"
        stated = [name for name in _STRUCTURE if clause.get(name) not in (None, False, "", [])]
        if stated:
            return f"has a clause with {', '.join(stated)}, which can only stand outside of it"
        properties = clause.get("properties") or {}
        if "metadata" in properties:
            return "has a clause with the property metadata"
        pending += [*_clauses(clause, outer=False), *properties.values()]
        pending += [clause["items"]] if clause.get("items") is not None else []
    return None


def _clauses(node: Mapping[str, Any], *, outer: bool) -> Iterator[Any]:
    """Yield the clauses of a schema, except those that only say int-or-string."""
    for name in _JUNCTORS:
        clauses = node.get(name) or []
        if name == "anyOf" and outer and clauses == _EITHER:
            continue
        for index, clause in enumerate(clauses):
            if name == "allOf" and outer and index == 0 and isinstance(clause, Mapping):
                rest = {key: value for key, value in clause.items() if key != "anyOf"}
                yield rest if clause.get("anyOf") == _EITHER else clause
            else:
                yield clause
    if node.get("not") is not None:
        yield node["not"]


def _default_fault(node: Mapping[str, Any], matches: Matches) -> str | None:
    default = node.get("default")
    if default is None:
        return None
    unknown = unknown_fields(default, node, root=False)
    if unknown:
        return f"has a default with {', '.join(unknown)}, which the schema does not know"
    errors = schema_errors(default, node, matches)
    return f"has a default that it refuses: {errors[0]}" if errors else None
