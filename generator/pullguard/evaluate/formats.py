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
    "duration": r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)\s*(?:ns|us|µs|μs|ms|s|m|h|d|w"
    r"|nanos(?:econds?)?|micros(?:econds?)?|millis(?:econds?)?|sec(?:onds?)?|min(?:utes?)?|hours?|days?|weeks?))+)",
    "hexcolor": r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})",
    "k8s-long-name": rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*",
    "k8s-short-name": rf"(?=.{{1,63}}\Z){_LABEL}",
    "mac": r"(?i)[0-9a-f]{2}(?::[0-9a-f]{2}){5,7}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5,7}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,3}",
    "uuid": _UUID.format(version=_HEX4, variant=_HEX4),
    "uuid3": _UUID.format(version="3[0-9a-f]{3}", variant=_HEX4),
    "uuid4": _UUID.format(version="4[0-9a-f]{3}", variant=_VARIANT),
    "uuid5": _UUID.format(version="5[0-9a-f]{3}", variant=_VARIANT),
}
_HOSTNAME_LABEL = re.compile(r"[^\W_](?:[-\w]{0,61}[^\W_])?")
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[-+]\d\d:?\d\d)?", re.IGNORECASE | re.ASCII
)
_EMAIL = re.compile(r"(?:[^<>]*<)?[^@\s<>,;]+@[^@\s<>,;]+>?")
_URI = re.compile(r"(?:[A-Za-z][-+.A-Za-z0-9]*:|/)[^\s]*")


def _matches(pattern: str) -> Callable[[str], bool]:
    # Compiled when it is first needed: most schemas have no formats.
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True)) and len(text) % 4 == 0
    except binascii.Error:
        return False


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _parses(dt.date.fromisoformat, text[:10])


def _is_hostname(text: str) -> bool:
    *labels, last = text.split(".")
    return (
        len(text.encode()) <= _MAX_HOSTNAME
        and all(_HOSTNAME_LABEL.fullmatch(label) for label in (*labels, last))
        and (not labels or (last.isalpha() and len(last) > 1))
    )


#: The check of each format by its name. Kubernetes takes "date-time" with and without the dash.
CHECKS: Mapping[str, Callable[[str], bool]] = {
    **{name: _matches(pattern) for name, pattern in _PATTERNS.items()},
    "byte": _is_base64,
    "cidr": lambda text: "/" in text and _parses(ipaddress.ip_interface, text),
    "date": lambda text: len(text) == len("2006-01-02") and _parses(dt.date.fromisoformat, text),
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": _is_hostname,
    "ipv4": lambda text: _parses(ipaddress.IPv4Address, text),
    "ipv6": lambda text: _parses(ipaddress.IPv6Address, text),
    "uri": lambda text: _URI.fullmatch(text) is not None,
}
