"""The errors of a value under a JSON Schema as sentences, each with the path of the value; pure."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullguard.core.errors import PullguardError
from pullguard.core.suggestions import nearest, suggestion

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Path = tuple[str | int, ...]
Node = Mapping[str, Any]

# A ValidationError of the kind that the function is for: the kinds have attributes of their own.
_Error = Any

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "empty",
}


_LIMITS = {
    "minItems": "has fewer than {} entries",
    "maxItems": "has more than {} entries",
    "minProperties": "has fewer than {} keys",
    "maxProperties": "has more than {} keys",
    "minLength": "is shorter than {} characters",
    "maxLength": "is longer than {} characters",
    "minimum": "is less than {}",
    "maximum": "is more than {}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a value.

    Attributes:
        path: Keys and indices from the root of the document to what is wrong.
        message: What is wrong, in one sentence.
        remedy: What can be done about it, if that is known.
    """

    path: Path
    message: str
    remedy: str | None = None


def problems(schema: Mapping[str, Any], value: Any, *, root: str, below: Path = ()) -> list[Problem]:
    """Return the errors of a value under a JSON Schema (2020-12), in the order of the paths.

    A node of the schema may carry `errorMessage`, as editors know it: the remedy when one of its keywords fails.

    Args:
        schema: The schema.
        value: A JSON value.
        root: What the document as a whole is called in messages.
        below: Where in the document the value stands; all paths begin with it.
    """
    import jsonschema_rs  # noqa: PLC0415 - only this needs it, and importing it takes time

    validator = jsonschema_rs.Draft202012Validator(dict(schema))
    found = {
        problem
        for error in validator.iter_errors(value)
        for problem in _in_words(error, schema, (*below, *error.instance_path), root)
    }
    return sorted(found, key=lambda problem: ([(isinstance(key, str), key) for key in problem.path], problem.message))


def in_file(found: Iterable[Problem], file: str, line_of: Callable[[Path], int]) -> list[PullguardError]:
    """Return the problems of a file as errors with lines."""
    return [
        PullguardError(problem.message, file=file, line=line_of(problem.path), remedy=problem.remedy)
        for problem in found
    ]


def joined(errors: Sequence[PullguardError]) -> PullguardError:
    """Return one error for at least one: itself, or a message with a line for each, in the order of the lines."""
    if len(errors) == 1:
        return errors[0]
    ordered = sorted(errors, key=lambda error: (error.file or "", error.line or 0))
    return PullguardError("\n".join(str(error) for error in ordered))


def dotted(path: Path, root: str) -> str:
    """Return a path as people write it, such as `policies.p.parameters.images[0]`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".") if text else root


def _in_words(error: "ValidationError", schema: Node, path: Path, root: str) -> list[Problem]:
    """Return one error of the validator as problems: one, or one for each key or entry that it is about."""
    node = _node(schema, list(error.schema_path)[:-1])
    describe = {
        "additionalProperties": _unknown_keys,
        "propertyNames": _bad_names,
        "uniqueItems": _repeated,
        "required": _missing,
        "type": _wrong_type,
        "enum": _not_an_option,
        "const": _not_an_option,
        "pattern": _mismatch,
    }.get(error.kind.name, _beyond_limit)
    if error.kind.name == "not" and "pattern" in node.get("not", {}):
        describe = _mismatch
    return describe(error, node, path, root)


def _unknown_keys(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    known = [key for key in node.get("properties", {}) if key not in error.instance]
    known = known or list(node.get("properties", {}))
    message = f"is not a known key of {dotted(path, root)}"
    return [Problem((*path, key), f"{key} {message}", suggestion(key, known)) for key in error.kind.unexpected]


def _bad_names(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    """Return a problem at the key: the validator's own path ends at the mapping that has it."""
    key = str(error.kind.error.instance)
    return [Problem((*path, key), f"{_shown(key)} cannot be a key of {dotted(path, root)}", node.get("errorMessage"))]


def _repeated(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    found = []
    seen: set[str] = set()
    for index, entry in enumerate(error.instance):
        text = json.dumps(entry, sort_keys=True)
        if text in seen:
            message = f"{dotted((*path, index), root)} repeats {_shown(json.loads(text))}"
            found.append(Problem((*path, index), message, node.get("errorMessage", "remove one of the two")))
        seen.add(text)
    return found


def _missing(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    name = dotted((*path, error.kind.property), root)
    return [Problem(path, f"{name} is missing", node.get("errorMessage"))]


def _wrong_type(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    name, value, remedy = dotted(path, root), error.instance, node.get("errorMessage")
    wanted = [_TYPES[kind] for kind in error.kind.types if kind != "null"]
    message = f"{name} must be {' or '.join(wanted)}, not {_TYPES[_type_of(value)]}"
    if value is None:
        message = f"{name} is empty, but must be {' or '.join(wanted)}"
    elif wanted == ["a string"] and not isinstance(value, (dict, list)):
        remedy = f'put quotes around it: "{_shown(value)}"'
    return [Problem(path, message, remedy)]


def _not_an_option(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    options = [_shown(option) for option in node.get("enum", [node.get("const")])]
    message = f"{dotted(path, root)} is {_shown(error.instance)}, which is not one of {', '.join(options)}"
    is_word = isinstance(error.instance, str)
    near = nearest(error.instance, {option: option for option in options}) if is_word else None
    return [Problem(path, message, node.get("errorMessage") if near is None else f"did you mean {near}?")]


def _mismatch(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    name, value, remedy = dotted(path, root), _shown(error.instance), node.get("errorMessage")
    message = f"{name} cannot be {value}" if remedy else f"{name} is {value}, which does not match {node['pattern']}"
    return [Problem(path, message, remedy)]


def _beyond_limit(error: _Error, node: Node, path: Path, root: str) -> list[Problem]:
    """Return a problem with a size, or for any other keyword a general problem with the value."""
    name, keyword, remedy = dotted(path, root), error.kind.name, node.get("errorMessage")
    if keyword in _LIMITS:
        limit = node[keyword]
        empty = keyword.startswith("min") and keyword != "minimum" and limit == 1
        return [Problem(path, f"{name} is empty" if empty else f"{name} {_LIMITS[keyword].format(limit)}", remedy)]
    return [Problem(path, f"{name} is not valid" if remedy else f"{name}: {error.message}", remedy)]


def _type_of(value: Any) -> str:
    for name, kind in (("null", type(None)), ("boolean", bool), ("object", dict), ("array", list), ("string", str)):
        if isinstance(value, kind):
            return name
    return "number"


def _shown(value: Any) -> str:
    """Return a value on one line, short, and without quotes where they would say nothing."""
    text = value if isinstance(value, str) and re.fullmatch(r"[!-~]+", value) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line of a terminal


def _node(schema: Node, path: Sequence[str | int]) -> Node:
    """Return the node of a schema at a path of the validator, which has replaced each `$ref` by its target."""
    node: Any = schema
    for key in path:
        node = node[key]
    return node if isinstance(node, Mapping) else {}
