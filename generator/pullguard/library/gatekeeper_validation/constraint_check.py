"""Whether Gatekeeper accepts a constraint for its template, as its client and gator check it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullguard.core.gatekeeper import CONSTRAINT_GROUP, ConstraintTemplate, dig
from pullguard.library.gatekeeper_validation import formats
from pullguard.library.gatekeeper_validation.constraint_schema import GLOB_PATTERN, constraint_schema

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

#: Whether a pattern (RE2, unanchored) matches a text; OPA decides, as Python's regular expressions differ.
Matches = Callable[[str, str], bool]

_VERSIONS = ("v1alpha1", "v1beta1")
_META = ("apiVersion", "kind", "metadata")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_MAX_SUBDOMAIN, _MAX_LABEL = 253, 63
_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAME = re.compile("[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")

#: Keywords that mean the same in JSON Schema.
_SHARED = (
    "enum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "required",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Gatekeeper refuses a constraint.

    Attributes:
        message: What is wrong with it.
        by_schema: Whether the schema refuses it, as ``invalid: true`` of a Suite's test expects.
    """

    message: str
    by_schema: bool = False


class ConstraintChecker:
    """Checks the constraints of one template.

    Args:
        template: The template.
        matches: Tells whether a pattern matches.
    """

    def __init__(self, template: ConstraintTemplate, matches: Matches) -> None:
        self._template = template
        self._schema = constraint_schema(template)
        self._validator = _validator(self._schema, matches)

    def refusal(self, constraint: Mapping[str, Any]) -> Refusal | None:
        """Return why Gatekeeper refuses a constraint, its defaults not filled in, or None where it does not."""
        return (
            _refused_identity(constraint, self._template)
            or _refused_selector(constraint)
            or _refused_name(constraint, self._template)
            or self._refused_by_schema(constraint)
            or _refused_fields(constraint, self._schema)
            or _refused_scope(constraint)
        )

    def _refused_by_schema(self, constraint: Mapping[str, Any]) -> Refusal | None:
        errors = _errors(self._validator, constraint)
        return Refusal("; ".join(errors), by_schema=True) if errors else None


def patterns(schema: Any) -> set[str]:
    """Return the patterns of a schema."""
    found = (node.get("pattern") for node in _nodes(schema))
    return {pattern for pattern in found if isinstance(pattern, str) and pattern}


def schema_errors(value: Any, schema: Mapping[str, Any], matches: Matches) -> list[str]:
    """Return the errors of a value under an OpenAPI v3 schema of Kubernetes, except unknown fields."""
    return _errors(_validator(schema, matches), value)


def unknown_fields(value: Any, schema: Any, *, root: bool) -> list[str]:
    """Return the fields of a value that its schema does not know, as dotted paths; root: it is a whole object."""
    found: list[str] = []
    pending: list[tuple[Any, Any, str, bool, bool]] = [(value, schema, "", root, False)]
    while pending:
        value, schema, path, whole, kept = pending.pop()
        node = schema if isinstance(schema, Mapping) else None
        if node is None and kept:
            continue
        kept = node is not None and (kept or node.get(_PRESERVE) is True)
        if isinstance(value, list):
            below = None if node is None else node.get("items")
            pending.extend((item, below, f"{path}[{index}]", False, kept) for index, item in enumerate(value))
        elif isinstance(value, Mapping):
            whole = whole or (node is not None and node.get("x-kubernetes-embedded-resource") is True)
            for key, item in value.items():
                if whole and key in _META:
                    continue
                place = f"{path}.{key}" if path else str(key)
                known, below = _below(node, key)
                if known:
                    pending.append((item, below, place, False, False))
                elif not kept:
                    found.append(place)
    return sorted(found)


def _below(node: Mapping[str, Any] | None, key: str) -> tuple[bool, Any]:
    """Return whether a schema knows a field, and the field's schema, which may be None all the same."""
    if node is None:
        return False, None
    properties = node.get("properties")
    if isinstance(properties, Mapping) and key in properties:
        return True, properties[key]
    others = node.get("additionalProperties")
    return others is not None, others


def _refused_identity(constraint: Mapping[str, Any], template: ConstraintTemplate) -> Refusal | None:
    name, kind = _text(constraint, "metadata", "name"), _text(constraint, "kind")
    group, version = _group_version(constraint)
    if not name:
        return Refusal("its metadata.name is missing")
    if not kind or version is None:
        return Refusal("its kind is missing")
    if group != CONSTRAINT_GROUP:
        return Refusal(f'its API group is "{group}" and not {CONSTRAINT_GROUP}')
    if kind.lower() != template.name:
        return Refusal(f"its kind is {kind}, for which there is no template: the template makes {template.kind}")
    return None


def _refused_name(constraint: Mapping[str, Any], template: ConstraintTemplate) -> Refusal | None:
    name, kind = _text(constraint, "metadata", "name"), _text(constraint, "kind")
    _, version = _group_version(constraint)
    if len(name) > _MAX_SUBDOMAIN or not _SUBDOMAIN.fullmatch(name):
        return Refusal(f'its name "{name}" is not a DNS subdomain in lower case')
    if kind != template.kind:
        return Refusal(f"its kind is {kind}, but the template makes {template.kind}")
    if version not in _VERSIONS:
        return Refusal(f'its version is "{version}" and not one of {", ".join(_VERSIONS)}')
    return None


def _refused_fields(constraint: Mapping[str, Any], schema: Mapping[str, Any]) -> Refusal | None:
    unknown = unknown_fields(constraint, schema, root=True)
    return Refusal(f"the schema does not know {', '.join(unknown)}") if unknown else None


def _refused_scope(constraint: Mapping[str, Any]) -> Refusal | None:
    if dig(constraint, "spec", "enforcementAction") != "scoped":
        return None
    if isinstance(dig(constraint, "spec", "scopedEnforcementActions"), list):
        return None
    return Refusal("its enforcementAction is scoped, but spec.scopedEnforcementActions is missing")


def _refused_selector(constraint: Mapping[str, Any]) -> Refusal | None:
    spec = constraint.get("spec")
    for above, value in (("spec", spec), ("spec.match", dig(spec, "match"))):
        if value is not None and not isinstance(value, Mapping):
            return Refusal(f"its {above} is not an object")
    for name in ("labelSelector", "namespaceSelector"):
        match = dig(spec, "match")
        if not isinstance(match, Mapping) or name not in match:
            continue
        fault = _selector_fault(match[name])
        if fault is not None:
            return Refusal(f"its spec.match.{name} {fault}")
    return None


def _selector_fault(selector: Any) -> str | None:
    if not isinstance(selector, Mapping):
        return "is not an object"
    labels = _or_empty(selector.get("matchLabels"), {})
    expressions = _or_empty(selector.get("matchExpressions"), [])
    if not isinstance(labels, Mapping) or not isinstance(expressions, list):
        return "has matchLabels that are not an object, or matchExpressions that are not a list"
    for key, value in labels.items():
        fault = _label_fault(key, [_or_empty(value, "")])
        if fault is not None:
            return fault
    for expression in expressions:
        fault = _expression_fault(_or_empty(expression, {}))
        if fault is not None:
            return fault
    return None


def _expression_fault(expression: Any) -> str | None:
    if not isinstance(expression, Mapping):
        return "has a matchExpression that is not an object"
    key, operator = (_or_empty(expression.get(name), "") for name in ("key", "operator"))
    values = _or_empty(expression.get("values"), [])
    if not isinstance(key, str) or not isinstance(operator, str) or not isinstance(values, list):
        return "has a matchExpression whose key, operator or values are of the wrong type"
    if operator in {"In", "NotIn"} and not values:
        return f"has the operator {operator} without values"
    if operator in {"Exists", "DoesNotExist"} and values:
        return f"has the operator {operator} with values"
    if operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
        return f'has the operator "{operator}", which is not one of In, NotIn, Exists, DoesNotExist'
    return _label_fault(key, [_or_empty(value, "") for value in values])


def _label_fault(key: str, values: Sequence[Any]) -> str | None:
    prefix, slash, name = key.rpartition("/")
    prefixed = not slash or (len(prefix) <= _MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix))
    if not prefixed or len(name) > _MAX_LABEL or not _NAME.fullmatch(name):
        return f'has the key "{key}", which is not the key of a label'
    for value in values:
        if not isinstance(value, str) or len(value) > _MAX_LABEL or not (value == "" or _NAME.fullmatch(value)):
            return f"has the value {value!r}, which is not the value of a label"
    return None


def _or_empty(value: Any, empty: Any) -> Any:
    """Return what Go makes of a value in a struct: null is as good as absent."""
    return empty if value is None else value


def _text(obj: Mapping[str, Any], *path: str) -> str:
    value = dig(obj, *path)
    return value if isinstance(value, str) else ""


def _group_version(obj: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return group and version; the version is "" if Kubernetes has no such apiVersion."""
    parts = _text(obj, "apiVersion").split("/")
    if len(parts) == 1:
        return "", parts[0]
    return (parts[0], parts[1]) if len(parts) == 2 else ("", None)  # noqa: PLR2004 - group and version


def _nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every schema in a schema."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if not isinstance(node, Mapping):
            continue
        yield node
        pending.extend(node.get(name) for name in ("items", "additionalProperties", "not"))
        properties = node.get("properties")
        pending.extend(properties.values() if isinstance(properties, Mapping) else ())
        for name in ("allOf", "anyOf", "oneOf"):
            pending.extend(_or_empty(node.get(name), []))


def _validator(schema: Mapping[str, Any], matches: Matches) -> "Draft202012Validator":
    import jsonschema_rs  # noqa: PLC0415 - only this needs it, and importing it takes time

    nodes = list(_nodes(schema))
    named = {node.get("format") for node in nodes}
    checks = {name: check for name, check in formats.CHECKS.items() if name in named}
    for node in nodes:
        pattern = node.get("pattern")
        if pattern and pattern != GLOB_PATTERN:
            checks[_pattern_format(pattern)] = _pattern_check(pattern, matches)
    return jsonschema_rs.Draft202012Validator(_json_schema(schema, checks), formats=checks, validate_formats=True)


def _errors(validator: "Draft202012Validator", value: Any) -> list[str]:
    if validator.is_valid(value):
        return []
    return sorted(
        f"{'.'.join(str(part) for part in error.instance_path) or 'the value'}: {error.message}"
        for error in validator.iter_errors(value)
    )


def _pattern_format(pattern: str) -> str:
    return f"match for {pattern}"


def _pattern_check(pattern: str, matches: Matches) -> Callable[[str], bool]:
    return lambda text: matches(pattern, text)


def _json_schema(schema: Mapping[str, Any], checks: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a structural schema; patterns become formats, as OPA decides them."""
    result: dict[str, Any] = {key: schema[key] for key in _SHARED if schema.get(key) is not None and schema[key] != []}
    kinds = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else [schema.get("type")]
    if any(kinds):
        result["type"] = [*kinds, "null"] if schema.get("nullable") else kinds
    result.update(_limits(schema))
    if schema.get("pattern") == GLOB_PATTERN:
        result["pattern"] = GLOB_PATTERN
    for name in (schema.get("format"), _pattern_format(schema.get("pattern") or "")):
        if name in checks:
            result.setdefault("allOf", []).append({"format": name})
    for name in ("allOf", "anyOf", "oneOf"):
        clauses = [_json_schema(clause, checks) for clause in schema.get(name) or ()]
        if clauses:
            result[name] = result.get(name, []) + clauses
    for name in ("items", "not", "additionalProperties"):
        below = schema.get(name)
        if below is not None:
            result[name] = _json_schema(below, checks) if isinstance(below, Mapping) else below
    result["properties"] = {key: _json_schema(below, checks) for key, below in (schema.get("properties") or {}).items()}
    return result


def _limits(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return minimum and maximum as JSON Schema has them, those of the format included."""
    limits: dict[str, Any] = {}
    lowest, highest = _INTEGERS.get(str(schema.get("format")), (None, None))
    if lowest is not None and schema.get("type") == "integer":
        limits["allOf"] = [{"minimum": lowest, "maximum": highest}]
    for plain, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if schema.get(plain) is not None:
            limits[exclusive if schema.get(exclusive) else plain] = schema[plain]
    return limits
