"""Limits of what is read. An input beyond them is an error, never a crash."""

from typing import NamedTuple

from pullguard.core.errors import PullguardError

#: The highest limit for nesting: Python's json module, which reads the engine's records, does not go much deeper.
DEEPEST = 900

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_LARGEST = 4 * 2**30


class Limits(NamedTuple):
    """What is read.

    Attributes:
        document: The largest document, in bytes.
        depth: Levels of mappings and lists.
        aliased: Bytes that the aliases of a document may expand to; an API server takes objects of at most 3 MB.
    """

    document: int
    depth: int
    aliased: int

    def as_json(self) -> dict[str, int]:
        """Return the limits as the protocol of the engine has them."""
        return {"maxDocument": self.document, "maxDepth": self.depth, "maxAliased": self.aliased}


def stated_limits(document: str, depth: str, aliased: str) -> Limits:
    """Return the limits that users state: sizes such as 500K, 64M or 1G, in powers of 1024, and a number of levels.

    Raises:
        PullguardError: One is not a size, or no number of levels.
    """
    if not depth.isdecimal() or not 0 < int(depth) <= DEEPEST:
        raise PullguardError(f"--max-depth {depth} is not a number from 1 to {DEEPEST}")
    return Limits(_size("--max-document", document), int(depth), _size("--max-aliased", aliased))


def _size(option: str, text: str) -> int:
    digits, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    size = int(digits) * _UNITS.get(unit, 0) if digits.isdecimal() else 0
    if not 0 < size < _LARGEST:
        raise PullguardError(f"{option} {text} is not a size below 4G, such as 500K, 64M or 1G")
    return size
