"""Scalars of YAML as Go's readers take them.

"kubernetes" is sigs.k8s.io/yaml, that is go-yaml v2 and then JSON: YAML 1.1 booleans, dates stay strings.
"gator" is go-yaml v3 and then JSON: only true and false are booleans, dates become RFC 3339 timestamps.
"""

import base64
import math
import re
import struct
from typing import Literal

Dialect = Literal["kubernetes", "gator"]
Scalar = str | int | float | bool | None

_PREFIX = "tag:yaml.org,2002:"
STR_TAG = _PREFIX + "str"
MERGE_TAG = _PREFIX + "merge"
_BINARY_TAG = _PREFIX + "binary"
_NULL_TAG = _PREFIX + "null"
_BOOL_TAG = _PREFIX + "bool"
_INT_TAG = _PREFIX + "int"
_FLOAT_TAG = _PREFIX + "float"
_TIMESTAMP_TAG = _PREFIX + "timestamp"

#: First characters of scalars that may be something else than a string; "" is the empty scalar.
_NUMBER_STARTS = frozenset("+-.0123456789")
SPECIAL_STARTS = frozenset("yYnNtTfFoO~") | _NUMBER_STARTS | {""}

_NAN = float("nan")
_WORDS: dict[str, Scalar] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".nan", ".NaN", ".NAN"), _NAN)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf)
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf)
)
_WORDS_BY_DIALECT: dict[Dialect, dict[str, Scalar]] = {
    "gator": _WORDS,
    "kubernetes": _WORDS
    | dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True)
    | dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}

_INT = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
# What Go's branch for "0b" takes beyond that: a sign after the prefix; v3 does the same for "0o".
_INT_SIGN_INSIDE = re.compile(r"0(?:b([-+][01]+)|o([-+][0-7]+))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FLOAT_FROM_DOT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?P<separator>[Tt ])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})"
    r"(?:[.,](?P<fraction>[0-9]+))?(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_TIME_LIMITS = (23, 59, 59, 23, 59)  # hour, minute, second; hours and minutes of the zone

_MIN_INT64, _MAX_INT64, _MAX_UINT64 = -(2**63), 2**63 - 1, 2**64 - 1
_MAX_DIGITS = 64  # of a 64-bit integer in base 2
_FIXED_POINT = (-4, 5)  # the powers of ten that Go's format 'g' writes without an exponent
_SHOWN = 20  # characters of a scalar in a message


class ScalarError(ValueError):
    """A scalar is not what its tag says."""


def plain(text: str, dialect: Dialect) -> Scalar:
    """Return the value of a plain scalar without a tag. NaN and infinities are floats here."""
    words = _WORDS_BY_DIALECT[dialect]
    if text in words:
        return words[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if dialect == "gator":
        timestamp = _timestamp(text)
        if timestamp is not None:
            return timestamp
    return _number(text, dialect)


def tagged(tag: str, text: str, dialect: Dialect) -> Scalar:
    """Return the value of a scalar with a tag; tags that Go does not know leave a string.

    Raises:
        ScalarError: The scalar is not what the tag says.
    """
    if tag == _BINARY_TAG:
        return _binary(text)
    if tag == _TIMESTAMP_TAG:
        timestamp = _timestamp(text)
        if timestamp is None:
            raise ScalarError(_mismatch(text, tag))
        return text if dialect == "kubernetes" else timestamp
    if tag not in _TYPES:
        return text
    words = _WORDS_BY_DIALECT[dialect]
    value = words[text] if text in words else _number(text, dialect)
    if tag == _FLOAT_TAG and type(value) is int and value <= _MAX_INT64:
        return float(value)
    if type(value) is not _TYPES[tag]:
        raise ScalarError(_mismatch(text, tag))
    return value


def as_value(value: Scalar) -> Scalar:
    """Return what JSON makes of a scalar in the place of a value.

    Go writes whole floats without a fraction, so they are read as integers. NaN and infinities, which JSON does
    not have, stay the words that stand for them.
    """
    if type(value) is not float:
        return value
    if math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < _MAX_INT64 else value
    return _not_finite(value)


def as_key(value: Scalar) -> str | None:
    """Return the string that Kubernetes makes of a scalar in the place of a key, or None if it refuses it."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value) if value <= _MAX_INT64 else None
    if type(value) is float:
        return _float32_text(value)
    return None


_TYPES: dict[str, type] = {
    _NULL_TAG: type(None),
    _BOOL_TAG: bool,
    _INT_TAG: int,
    _FLOAT_TAG: float,
}


def _number(text: str, dialect: Dialect) -> Scalar:
    """Return the number that a scalar is, or the scalar itself."""
    if text[:1] not in _NUMBER_STARTS or not text:
        return text
    if text[0] == ".":
        return _finite(text.replace("_", "")) if _FLOAT_FROM_DOT.fullmatch(text) else text
    digits = text.replace("_", "")
    value: Scalar = _integer(digits)
    if value is None and _FLOAT.fullmatch(digits):
        value = _finite(digits)
    if value is None and (match := _INT_SIGN_INSIDE.fullmatch(digits)):
        binary, octal = match.groups()
        if binary:
            value = _in_range(binary[0], binary[1:], 2)
        elif dialect == "gator":
            value = _in_range(octal[0], octal[1:], 8)
    return text if value is None or type(value) is str else value


def _integer(text: str) -> int | None:
    match = _INT.fullmatch(text)
    if match is None:
        return None
    sign, hexadecimal, octal, binary, decimal = match.groups()
    if decimal:
        return _in_range(sign, decimal, 10)
    if hexadecimal:
        return _in_range(sign, hexadecimal, 16)
    return _in_range(sign, octal, 8) if octal else _in_range(sign, binary, 2)


def _in_range(sign: str, digits: str, base: int) -> int | None:
    """Return the integer if it fits 64 bits, unsigned ones without a sign; long ones are never computed."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS:
        return None
    value = int(sign + digits, base)
    return value if _MIN_INT64 <= value <= (_MAX_INT64 if sign else _MAX_UINT64) else None


def _finite(text: str) -> float | str:
    """Return the float, or the text if it is beyond what a float can hold."""
    value = float(text)
    return value if math.isfinite(value) else text


def _binary(text: str) -> str:
    try:
        data = base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except ValueError as error:
        raise ScalarError("!!binary value is not base64") from error
    # Go puts one replacement character for each byte that is not UTF-8.
    return re.sub("[\udc80-\udcff]", "\ufffd", data.decode("utf-8", "surrogateescape"))


def _timestamp(text: str) -> str | None:
    """Return the RFC 3339 form of a date or time that go-yaml recognises."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(number) for number in match.group(1, 2, 3))
    if not 1 <= month <= len(_DAYS) or not 1 <= day <= _DAYS[month - 1] - (month == _FEBRUARY and not _is_leap(year)):
        return None
    date = f"{match[1]}-{month:02}-{day:02}"
    if match["separator"] is None:
        return f"{date}T00:00:00Z"
    time = [int(number) for number in match.group("hour", "minute", "second")]
    zone = match["zone"]
    offset = [int(zone[1:3]), int(zone[4:])] if zone and zone != "Z" else [0, 0]
    # A zone goes with T and t, and only with them.
    fits = all(number <= limit for number, limit in zip([*time, *offset], _TIME_LIMITS, strict=True))
    if not fits or (zone is None) != (match["separator"] == " "):
        return None
    fraction = (match["fraction"] or "")[:9].rstrip("0")
    clock = ":".join(f"{number:02}" for number in time) + (f".{fraction}" if fraction else "")
    return f"{date}T{clock}{zone if any(offset) else 'Z'}"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    return ".inf" if value > 0 else "-.inf"


def _float32_text(value: float) -> str:
    """Write a float as Go's FormatFloat(value, 'g', -1, 32) does: the shortest digits that tell the float32."""
    try:
        single = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = math.copysign(math.inf, value)
    if not math.isfinite(single):
        return _not_finite(single)
    text = next(
        text
        for text in (f"{single:.{precision}e}" for precision in range(10))
        if struct.unpack("f", struct.pack("f", float(text)))[0] == single
    )
    digits, _, exponent = text.partition("e")
    power = int(exponent)
    if _FIXED_POINT[0] <= power <= _FIXED_POINT[1]:
        places = max(len(digits.lstrip("-").replace(".", "")) - 1 - power, 0)
        return f"{float(text):.{places}f}"
    return f"{digits}e{'-' if power < 0 else '+'}{abs(power):02}"


def _mismatch(text: str, tag: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"`{shown}` is not a value of the tag !!{tag.removeprefix(_PREFIX)}"
