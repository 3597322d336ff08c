"""Which library is meant where none is named."""

import os

#: What the library that comes with pullguard is called; a folder of that name is ./builtin.
BUILTIN = "builtin"

#: The library that is used without being named, if pullguard wrote it.
DEFAULT = "library"

_MANIFEST = "MANIFEST"
# Of the lines of a MANIFEST: a hash, two blanks, and a path.
_HASH_LENGTH = 64
_HEXADECIMAL = frozenset(b"0123456789abcdef")
_LARGEST_MANIFEST = 10 * 2**20


def is_own(folder: str) -> bool:
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
