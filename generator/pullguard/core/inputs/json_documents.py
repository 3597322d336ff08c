"""One JSON document -> one JSON value, as Kubernetes takes it."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from pullguard.core.inputs.limits import DEFAULT_LIMITS, Limits
from pullguard.core.inputs.lines import LineTable
from pullguard.core.inputs.problems import BrokenDocumentError, Duplicate, Reading, duplicate_problems, too_deep

#: A string, a number or word, or what stands between them, of JSON that is known to be valid.
TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_INTEGER_DIGITS = 20  # of a 64-bit integer, with its sign

_CORRECT = "correct the document"


def replace_lone_surrogates(text: str) -> str:
    r"""Return the text with `\ufffd` for each escaped half of a surrogate pair, as Go reads it; no place moves."""
    if _SURROGATE.search(text) is None:
        return text
    return _ESCAPES.sub(lambda match: r"\ufffd" if match[1] else match[0], text)


def read(text: str, start: int, first_line: int, limits: Limits = DEFAULT_LIMITS) -> tuple[Reading, int]:
    """Read the JSON value that begins at a place in a text.

    Args:
        text: The text, without lone surrogates.
        start: Where the value begins, not before its first character.
        first_line: The line of the file on which `start` is.
        limits: What is beyond them is an error.

    Returns:
        What was read, and where it ends in the text.

    Raises:
        BrokenDocumentError: It is no JSON, or beyond a limit.
    """
    has_duplicates = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_duplicates
        mapping = dict(pairs)
        has_duplicates = has_duplicates or len(mapping) != len(pairs)
        return mapping

    try:
        value, end = _decode(text, start, collect, limits.depth)
    except json.JSONDecodeError as error:
        line = first_line + text.count("\n", start, error.pos)
        raise BrokenDocumentError(f"not valid JSON: {error.msg}", line, _CORRECT) from error
    except (RecursionError, _TooDeepError) as error:
        raise too_deep(limits, first_line) from error
    duplicates: list[Duplicate] = []
    if has_duplicates:
        _tabulate(text, start, first_line, duplicates)
    return Reading(value, duplicate_problems(duplicates)), end


def lines(text: str, first_line: int) -> LineTable:
    """Return where the values of a JSON document stand that `read` has read before."""
    return _tabulate(text, 0, first_line, [])


class _TooDeepError(ValueError):
    """A value is nested too deep."""


def _decode(text: str, start: int, collect: Any, depth: int) -> tuple[Any, int]:
    decoder = json.JSONDecoder(object_pairs_hook=collect, parse_float=_float, parse_constant=_constant)
    try:
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to make an integer of more than 4,300 digits.
        decoder = json.JSONDecoder(
            object_pairs_hook=collect, parse_float=_float, parse_constant=_constant, parse_int=_integer
        )
        value, end = decoder.raw_decode(text, start)
    if text.count("{", start, end) + text.count("[", start, end) > depth:
        _check_depth(value, depth)
    return value, end


def _float(text: str) -> float | str:
    """Return the float, or the text of a number that is beyond a float."""
    value = float(text)
    return value if math.isfinite(value) else text


def _integer(text: str) -> int | float | str:
    """Return the integer, or the float that is next to it."""
    return int(text) if len(text) <= _MAX_INTEGER_DIGITS else _float(text)


def _constant(text: str) -> Any:
    raise json.JSONDecodeError(f"{text} is no JSON value", "", 0)


def _check_depth(value: Any, depth: int) -> None:
    """Raise if a value is nested too deep; level by level, so that nothing recurses."""
    level = _containers_in([value])
    for _ in range(depth):
        level = [container for parent in level for container in _containers_in(parent)]
        if not level:
            return
    raise _TooDeepError


def _containers_in(parent: Any) -> list[Any]:
    children = parent.values() if type(parent) is dict else parent
    return [child for child in children if type(child) in {dict, list}]


def _tabulate(text: str, start: int, first_line: int, duplicates: list[Duplicate]) -> LineTable:
    """Note the line of every entry, and every duplicate key, of a value that is known to be valid JSON."""
    table = LineTable(root_line=first_line)
    containers: list[Any] = []  # those that are open
    keys: list[str | None] = []  # of each of them the key whose value comes next
    line, place = first_line, start
    for match in TOKEN.finditer(text, start):
        token = match[0]
        line += text.count("\n", place, match.start())
        place = match.start()
        if token in {",", ":"}:
            continue
        if token in {"}", "]"}:
            containers.pop()
            keys.pop()
        elif containers and type(containers[-1]) is dict and keys[-1] is None:
            mapping = containers[-1]
            key = keys[-1] = json.loads(token)
            if key in mapping:
                first = table.line_in(mapping, key) or line
                duplicates.append(Duplicate(key, line, first, at_top=len(containers) == 1))
            table.note(mapping, key, line)
        else:
            value = _CONTAINERS.get(token, _nothing)()
            if not containers:
                table.root = value
            elif type(containers[-1]) is dict:
                containers[-1][keys[-1]] = value
                keys[-1] = None
            else:
                table.note(containers[-1], len(containers[-1]), line)
                containers[-1].append(value)
            if value is not None:
                table.keep(value)
                containers.append(value)
                keys.append(None)
        if not containers:
            break
    return table


def _nothing() -> None:
    """Stand for a scalar: the table is about containers."""


_CONTAINERS: dict[str, Callable[[], Any]] = {"{": dict, "[": list}
