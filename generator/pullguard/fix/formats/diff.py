"""What `fix` changed or would change, as a unified diff for `patch` and `git apply`."""

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import BinaryIO, TextIO

from pullguard.core.formats.text import printable, wants_colours, write_lines
from pullguard.fix.command import Change, FixReport

_COLOURS = {"+": "32", "-": "31", "@": "36"}
_PLAIN_BYTES = frozenset(range(ord(" "), ord("~") + 1)) - set(b'"\\')
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def write(report: FixReport, stream: TextIO) -> None:
    """Write what was changed, or would be, as a unified diff.

    A terminal gets colours, and nothing that it would obey; everything else gets the bytes that patch needs, in UTF-8.
    """
    coloured = wants_colours(stream)
    if stream.isatty():
        write_lines((_shown(line, coloured=coloured) for change in report.changes for line in _diff(change)), stream)
        return
    stream.flush()
    binary: BinaryIO = stream.buffer
    binary.writelines(line.encode("utf-8", "surrogateescape") for change in report.changes for line in _diff(change))
    binary.flush()


def _diff(change: Change) -> Iterator[str]:
    """Yield the lines of a diff, each with its end; only line feeds end a line, as for patch."""
    name = os.path.normpath(change.file)
    before, after = (name, name) if name.startswith("/") else (f"a/{name}", f"b/{name}")
    lines = unified_diff(
        _LINE.findall(change.before), _LINE.findall(change.after), _diff_name(before), _diff_name(after)
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n"
        if not line.endswith("\n"):
            yield "\\ No newline at end of file\n"


def _diff_name(name: str) -> str:
    """Return a name as git and patch take it: one with a blank ends with a tab, an unusual one is a string of C."""
    if name.isprintable() and not {'"', "\\"} & set(name):
        return f"{name}\t" if " " in name else name
    octal = "".join(chr(byte) if byte in _PLAIN_BYTES else f"\\{byte:03o}" for byte in os.fsencode(name))
    return f'"{octal}"'


def _shown(line: str, *, coloured: bool) -> str:
    text = printable(line.rstrip("\n"))
    colour = _COLOURS.get(line[:1])
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured and colour else text
