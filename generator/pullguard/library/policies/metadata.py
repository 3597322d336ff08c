"""What the generator has to know of METADATA before it reads it: its form, and that its parts fit together; pure.

What policies ought to say, Regal checks: see .regal/rules.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pullguard.core.gatekeeper import dig
from pullguard.core.schema_errors import Path, Problem, problems
from pullguard.library.policies.structural import json_schema, meta_schema

_TEXT = {"type": "string", "pattern": r"\S"}
_NAMES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT}
_GROUPS = {**_NAMES, "items": {"type": "string"}}

_LIB = {
    "type": "string",
    "pattern": r"^lib(\.[a-z][a-z0-9_]*)+$",
    "errorMessage": "name a lib or a rule of one, such as lib.uses",
}

#: What to do about a rule that is named and is not there.
RULE_REMEDY = "name a rule of a package below rego/lib, such as lib.images.floating_tags"

#: The keys of METADATA: what OPA itself knows and pullguard does not use at the end.
KEYS = ("title", "description", "scope", "custom", "authors", "organizations", "related_resources")


def _schema(custom: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "$defs": {"structural": meta_schema()},
        "type": "object",
        "required": [*required],
        "properties": {
            **{key: {} for key in KEYS},
            "title": _TEXT,
            "description": _TEXT,
            "scope": {"const": "package"},
            "custom": custom,
        },
        "additionalProperties": False,
    }


def _of_policy() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", "version", "rules"],
        "if": {"not": {"required": ["include"]}},
        "then": {"required": ["match", "parameters"]},
        "properties": {
            "include": _LIB,
            **_shared(),
            "kind": _TEXT,
            "version": _TEXT,
            "aliases": _NAMES,
            "rules": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "required": ["id", "severity", "title"],
                    "properties": {
                        "id": _TEXT,
                        "severity": _TEXT,
                        "title": _TEXT,
                        "aliases": _NAMES,
                        "deprecated": {
                            "type": "object",
                            "required": ["since", "because"],
                            "properties": {"since": _TEXT, "because": _TEXT, "use": _TEXT},
                            "additionalProperties": False,
                        },
                    },
                    "additionalProperties": False,
                },
            },
            "enforcement": _NAMES,
            "requiresSyncData": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["groups", "versions", "kinds"],
                        "properties": {
                            "groups": _GROUPS,
                            "versions": _NAMES,
                            "kinds": _NAMES,
                        },
                        "additionalProperties": False,
                    },
                },
            },
        },
        "additionalProperties": False,
    }


def _shared() -> dict[str, Any]:
    """Return the schemas of what a policy can include from a lib."""
    return {
        "match": {
            "type": "object",
            "if": {"not": {"required": ["kindsFrom"]}},
            "then": {"required": ["kinds"]},
            "properties": {
                "kinds": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["apiGroups", "kinds"],
                        "properties": {
                            "apiGroups": _GROUPS,
                            "kinds": _NAMES,
                        },
                        "additionalProperties": False,
                    },
                },
                "kindsFrom": _LIB,
                "customKindsFrom": _LIB,
                "kindsFromParameter": {"type": "string"},
                "scope": {"const": "Cluster"},
                "namespacesToParameter": {"type": "string"},
            },
            "additionalProperties": False,
        },
        "operations": _NAMES,
        "parameters": {"$ref": "#/$defs/structural"},
    }


def problems_of_policy(annotations: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the form of a policy's METADATA, with paths below it."""
    found = problems(_schema(_of_policy(), ("title", "description", "custom")), annotations, root="METADATA")
    return found or _require_object(annotations["custom"])


def problems_of_lib(annotations: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the form of a lib's METADATA that policies include, with paths below it."""
    custom = {
        "type": "object",
        "required": ["match", "parameters"],
        "properties": _shared(),
        "additionalProperties": False,
    }
    found = problems(_schema(custom, ("custom",)), annotations, root="METADATA")
    return found or _require_object(annotations["custom"])


def _require_object(custom: Mapping[str, Any]) -> list[Problem]:
    if "parameters" not in custom or custom["parameters"].get("type") == "object":
        return []
    return [Problem(("custom", "parameters"), "custom.parameters is not of type object", "write `type: object`")]


def problems_of_pod_spec_paths(paths: Any, name: str, path: Path) -> list[Problem]:
    """Return what is wrong with the value of a rule that says where kinds hold pod specs."""
    keys = {"type": "array", "minItems": 1, "items": {"type": "string"}}
    kinds = {"type": "object", "minProperties": 1, "additionalProperties": keys}
    if problems({"type": "object", "minProperties": 1, "additionalProperties": kinds}, paths, root=""):
        return [Problem(path, f"{name} is not a mapping of groups to kinds to the keys of their pod specs")]
    return []


def problems_of_known_kinds(kinds: Any, name: str, path: Path) -> list[Problem]:
    """Return what is wrong with the value of a rule that says where custom resources use images."""
    of_group = {"type": "object", "additionalProperties": {"type": "object", "required": ["source"]}}
    if problems({"type": "object", "minProperties": 1, "additionalProperties": of_group}, kinds, root=""):
        return [Problem(path, f"{name} is not a mapping of groups to kinds to where they use images, with a source")]
    return []


def problems_of_parameters(custom: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with parameters, and with the names of parameters, in METADATA of the right form."""
    found = [*_values(custom["parameters"], ("custom", "parameters")), *_namespaces(custom)]
    source = custom["match"].get("kindsFromParameter")
    if source is not None and not _holds_kinds(custom["parameters"], source):
        found.append(
            Problem(
                ("custom", "match", "kindsFromParameter"),
                f"{source} is not a parameter that lists objects with a group and a kind",
                "give it items of type object that require group and kind, both strings",
            )
        )
    return found


def _namespaces(custom: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the parameter that takes the protected namespaces, if there is one."""
    name = custom["match"].get("namespacesToParameter")
    if name is None:
        return
    path: Path = ("custom", "match", "namespacesToParameter")
    if "scope" not in custom["match"]:
        yield Problem(
            path,
            "only a policy with `scope: Cluster` takes the protected namespaces as a parameter",
            "the objects of others are matched by their namespace",
        )
    properties = dig(custom["parameters"], "properties", name, "properties")
    names, selector = dig(properties, "names"), dig(properties, "selector")
    if dig(names, "items", "type") != "string" or dig(selector, "type") != "object":
        yield Problem(
            path,
            f"{name} is not a parameter that can hold the protected namespaces",
            "give it the properties names, a list of strings, and selector, an object",
        )


def _holds_kinds(parameters: Mapping[str, Any], name: str) -> bool:
    items = dig(parameters, "properties", name, "items")
    required = dig(items, "required") or ()
    return {"group", "kind"} <= set(required) and all(
        dig(items, "properties", key, "type") == "string" for key in ("group", "kind")
    )


def _values(schema: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the patterns, defaults and examples in a structural schema that is well-formed."""
    if "pattern" in schema and not _is_plain_pattern(schema["pattern"]):
        yield Problem(
            (*path, "pattern"),
            f"{schema['pattern']} is not a regular expression that Kubernetes takes",
            "it has no look-around and no back-references",
        )
        return
    required = schema.get("required", ())
    for key in required:
        if "properties" in schema and key not in schema["properties"]:
            yield Problem((*path, "required"), f"{key} is required, but is not one of the properties")
    below = [
        *(((*path, "properties", key), node) for key, node in schema.get("properties", {}).items()),
        *(((*path, key), schema[key]) for key in ("items", "additionalProperties") if key in schema),
    ]
    inner = [problem for place, node in below for problem in _values(node, place)]
    yield from inner
    if inner:
        return
    for key in ("default", "example"):
        if key in schema:
            yield from problems(json_schema(schema), schema[key], root="", below=(*path, key))


def _is_plain_pattern(pattern: str) -> bool:
    """Tell whether a pattern is in the common ground of regular expressions: the syntax of RE2, which Go has."""
    import jsonschema_rs  # noqa: PLC0415 - as in validation.py

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    except jsonschema_rs.ValidationError:
        return False
    return True
