"""Numbers as Gatekeeper hands them to policies: ``sprintf("%v", [1000000])`` of a number of the review is 1e+06."""

import json
import re
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(-?\d+)(\.\d+)?([eE][-+]?\d+)?')
# All other numbers have the same text in both.
_ODD = re.compile(r"\d{7}|\d[.eE]")
_INT64 = range(-(2**63), 2**63)
# Powers of ten of the numbers that are written without an exponent: by fmt, and by encoding/json.
_FIXED_POINT = range(-4, 6)
_JSON_FIXED_POINT = range(-6, 21)


def as_floats(value: Any) -> str:
    """Return the JSON of a review or an inventory: on Gatekeeper's way to the policy all its numbers become floats."""
    return _with_numbers(value, _FIXED_POINT)


def as_marshalled(value: Any) -> str:
    """Return the JSON of an inventory for policies that marshal objects of it: OPA hands those to Go as they are."""
    return _with_numbers(value, _JSON_FIXED_POINT)


def as_parameters(value: Any) -> str:
    """Return the JSON of parameters: Kubernetes keeps the integers that fit 64 bits."""
    return _with_numbers(value, _FIXED_POINT, keep_integers=True)


def _with_numbers(value: Any, fixed_point: range, *, keep_integers: bool = False) -> str:
    text = json.dumps(value)
    if _ODD.search(text) is None:
        return text

    def number(found: re.Match[str]) -> str:
        integer, fraction, exponent = found.groups()
        if integer is None or (keep_integers and fraction is None and exponent is None and int(integer) in _INT64):
            return found[0]
        return _shortest(float(found[0]), fixed_point)

    return _TOKEN.sub(number, text)


def _shortest(number: float, fixed_point: range) -> str:
    """Write a float as Go's strconv.FormatFloat(number, 'g', -1, 64) does, or encoding/json: Python's digits.

    Args:
        number: The float.
        fixed_point: The powers of ten that are written without an exponent.
    """
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The position of the point, counted from the first digit.
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    sign = "-" if number < 0 else ""
    if point - 1 not in fixed_point:
        rest = f".{digits[1:]}" if digits[1:] else ""
        # fmt always writes at least two digits of an exponent.
        return f"{sign}{digits[0]}{rest}e{point - 1:{'+03' if fixed_point is _FIXED_POINT else '+'}}"
    padded = digits.rjust(len(digits) + max(1 - point, 0), "0").ljust(point, "0")
    point = max(point, 1)
    rest = f".{padded[point:]}" if padded[point:] else ""
    return f"{sign}{padded[:point]}{rest}"
