"""An independent implementation of the API server's rule for the pull policy of an image that does not state any.

It parses a reference step by step, as distribution/reference documents its grammar. The policy's Rego uses one regular
expression instead.
"""

import re

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\Z", re.ASCII)
_DOMAIN_LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\Z", re.ASCII)
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}


def implied_policy(image: object) -> str:
    """Return the policy that the API server fills in for ``image``."""
    return "Always" if isinstance(image, str) and parsed_tag(image) == "latest" else "IfNotPresent"


def parsed_tag(image: str) -> str | None:
    """Return the tag of a reference, "latest" if it has neither tag nor digest, or None if it cannot be parsed."""
    if re.fullmatch(r"[a-f0-9]{64}", image):
        return None
    name, at, digest = image.partition("@")
    if at and not _is_digest(digest):
        return None
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.match(tag):
        return None
    if not _is_name(head + slash + last):
        return None
    if colon:
        return tag
    return None if at else "latest"


def is_reference(image: object) -> bool:
    """Return whether ``image`` can be pulled: a name with an optional tag and an optional digest."""
    if not isinstance(image, str):
        return False
    name, at, digest = image.partition("@")
    return parsed_tag(name) is not None and (not at or _is_digest(digest))


def _is_name(name: str) -> bool:
    first, slash, rest = name.partition("/")
    if not slash:
        path = f"library/{name}"
    elif not re.search(r"[.:A-Z]", first) and first != "localhost":
        path = name
    elif not _is_domain(first):
        path = name  # an invalid domain can still be the first component of a path
    else:
        path = f"library/{rest}" if first in {"docker.io", "index.docker.io"} and "/" not in rest else rest
    return len(path) <= 255 and all(_COMPONENT.match(component) for component in path.split("/"))


def _is_domain(domain: str) -> bool:
    if domain.startswith("["):
        return re.fullmatch(r"\[[a-fA-F0-9:]+\](:[0-9]+)?", domain) is not None
    host, colon, port = domain.partition(":")
    if colon and not re.fullmatch(r"[0-9]+", port):
        return False
    return all(_DOMAIN_LABEL.match(label) for label in host.split("."))


def _is_digest(digest: str) -> bool:
    algorithm, _, encoded = digest.partition(":")
    return re.fullmatch(r"[a-f0-9]*", encoded) is not None and len(encoded) == _HEX_DIGITS.get(algorithm, 0) > 0
