"""Which library is used.

The engine waits for this module, so it imports as little as possible.
"""

import os
from typing import NamedTuple

from pullguard.core.resources import packaged_library

#: The name of the library that comes with pullguard; a folder of that name is ./builtin.
BUILTIN = "builtin"

#: The library that is used without being named, if pullguard wrote it.
DEFAULT = "library"

# How reports call it if nobody named it.
_DEFAULT_SHOWN = f"./{DEFAULT}"

_MANIFEST = "MANIFEST"
# Of the lines of a MANIFEST: a hash, two blanks, and a path.
_HASH_LENGTH = 64
_HEXADECIMAL = frozenset(b"0123456789abcdef")
_LARGEST_MANIFEST = 10 * 2**20


class Choice(NamedTuple):
    """A library.

    Attributes:
        folder: Its folder.
        shown: Its name in reports.
        notes: What users should know about the choice.
        is_unnamed: Whether it is ./library although nobody named it.
    """

    folder: str
    shown: str
    notes: tuple[str, ...] = ()
    is_unnamed: bool = False


def choose(stated: str | None) -> Choice:
    """Return the library.

    Args:
        stated: The folder, or BUILTIN. None: ./library if pullguard wrote it, else the one in pullguard.
    """
    if stated is not None and stated != BUILTIN:
        return Choice(stated, stated)
    notes: tuple[str, ...] = ()
    if stated is None and os.path.isdir(DEFAULT):
        if _is_own(DEFAULT):
            return Choice(DEFAULT, _DEFAULT_SHOWN, is_unnamed=True)
        # Many projects have a folder of that name, for other things.
        notes = (
            f"./{DEFAULT} was not written by pullguard, so it was not used; if it is meant, add --library ./{DEFAULT}",
        )
    return Choice(packaged_library(), "the one that comes with pullguard", notes)


def _is_own(folder: str) -> bool:
    """Tell whether a folder holds a library that pullguard wrote: its MANIFEST lists the template of a policy."""
    path = os.path.join(folder, _MANIFEST)
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as stream:
            lines = stream.read(_LARGEST_MANIFEST).splitlines()
    except OSError:
        return False
    return any(
        _HEXADECIMAL.issuperset(line[:_HASH_LENGTH])
        and line[_HASH_LENGTH:].startswith(b"  policies/")
        and line.endswith(b"/template.yaml")
        for line in lines
    )
