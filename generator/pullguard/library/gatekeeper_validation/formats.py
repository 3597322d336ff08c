"""The formats of strings that schemas of CustomResourceDefinitions know, as Kubernetes 1.36 checks them.

Not among them, and so accepted: bsonobjectid, creditcard, isbn, isbn10, isbn13, password, rgbcolor, ssn.
"""

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping

_MAX_HOSTNAME = 255
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_UUID = r"(?i)[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}-?{variant}-?[0-9a-f]{{12}}"
_HEX4, _VARIANT = "[0-9a-f]{4}", "[89ab][0-9a-f]{3}"
_PATTERNS = {
    "hexcolor": r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})",
    "k8s-long-name": rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*",
    "k8s-short-name": rf"(?=.{{1,63}}\Z){_LABEL}",
    "mac": r"(?i)[0-9a-f]{2}(?::[0-9a-f]{2}){5,7}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5,7}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,3}",
    "uuid": _UUID.format(version=_HEX4, variant=_HEX4),
    "uuid3": _UUID.format(version="3[0-9a-f]{3}", variant=_HEX4),
    "uuid4": _UUID.format(version="4[0-9a-f]{3}", variant=_VARIANT),
    "uuid5": _UUID.format(version="5[0-9a-f]{3}", variant=_VARIANT),
}
_LETTER, _SIGN = r"[^\W\d_]", r"[^\W_]"
_HOSTNAME = re.compile(
    rf"{_SIGN}(?:-?{_SIGN}{{0,62}})?|(?:{_SIGN}(?:(?:{_SIGN}|-){{0,61}}{_SIGN})?\.)+{_LETTER}{{2,63}}"
)
_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h))+)", re.ASCII)
_NUMBER_WITH_UNIT = re.compile(r"\d+\s*([A-Za-zµ]+)", re.ASCII)
_UNITS = ("ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk")
_LONG_UNITS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_DATE = re.compile(r"\d{4}(-\d\d-\d\d)", re.ASCII)
_HOUR = r"(?:[01]\d|2[0-3])"
_TIME = re.compile(rf"{_HOUR}:[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[-+]{_HOUR}:[0-5]\d)", re.ASCII | re.IGNORECASE)
_LEADING_ZEROS = re.compile(r"(?<![0-9a-fA-F:.])0+(?=\d)|(?<=\.)0+(?=\d)")
_EMAIL = re.compile(r"(?:[^<>]*<)?(?:[^@\s<>,;\"]+|\"[^\"]*\")@[^@\s<>,;]+>?")
_URI = re.compile(r"(?:[A-Za-z][-+.A-Za-z0-9]*:|/)(?:[^\s%]|%[0-9a-fA-F]{2})*")


def _matches(pattern: str) -> Callable[[str], bool]:
    # Compiled when it is first needed: most schemas have no formats.
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_duration(text: str) -> bool:
    """Tell whether Go accepts a duration, or whether there is a number with a unit anywhere in the text."""
    if _GO_DURATION.fullmatch(text):
        return True
    units = (found[1].lower() for found in _NUMBER_WITH_UNIT.finditer(text))
    return any(unit in _UNITS or unit.startswith(_LONG_UNITS) for unit in units)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True)) and len(text) % 4 == 0
    except binascii.Error:
        return False


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    # Go's years begin at 0, which is a leap year like 2000.
    year = "2000" if text.startswith("0000") else text[:4]
    return found is not None and _parses(dt.date.fromisoformat, year + found[1])


def _is_date_time(text: str) -> bool:
    date, separator, time = text[:10], text[10:11], text[11:]
    return separator in {"T", "t"} and _is_date(date) and _TIME.fullmatch(time) is not None


def _is_ip(text: str, parse: Callable[[str], object]) -> bool:
    """Tell whether Go accepts an address or a network; it allows leading zeros, but no zones."""
    return "%" not in text and _parses(parse, _LEADING_ZEROS.sub("", text))


def _is_hostname(text: str) -> bool:
    return len(text.encode()) <= _MAX_HOSTNAME and _HOSTNAME.fullmatch(text) is not None


#: The check of each format by its name. Kubernetes takes "date-time" with and without the dash.
CHECKS: Mapping[str, Callable[[str], bool]] = {
    **{name: _matches(pattern) for name, pattern in _PATTERNS.items()},
    "byte": _is_base64,
    "cidr": lambda text: "/" in text and _is_ip(text, ipaddress.ip_interface),
    "date": _is_date,
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "duration": _is_duration,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": _is_hostname,
    "ipv4": lambda text: "." in text and _is_ip(text, ipaddress.ip_address),
    "ipv6": lambda text: ":" in text and _is_ip(text, ipaddress.IPv6Address),
    "uri": lambda text: _URI.fullmatch(text) is not None,
}
