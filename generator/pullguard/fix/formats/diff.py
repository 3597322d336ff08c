"""What `fix` changed or would change, as a unified diff for `patch` and `git apply`."""

import os
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from pullguard.core.formats.text import printable, wants_colours, write_lines
from pullguard.fix.command import Change, FixReport
from pullguard.fix.hunks import ByteEdit, hunks

_COLOURS = {"+": "32", "-": "31", "@": "36"}
_PLAIN_BYTES = frozenset(range(ord(" "), ord("~") + 1)) - set(b'"\\')


def write(report: FixReport, stream: TextIO) -> None:
    """Write what was changed, or would be, as a unified diff.

    A terminal gets colours, and no control characters of the files; everything else gets the bytes that patch needs, in
    the encodings of the files.
    """
    if stream.isatty():
        coloured = wants_colours(stream)
        lines = (line.decode("utf-8", "replace") for line in _diff(report, "utf-8"))
        write_lines((_shown(line, coloured=coloured) for line in lines), stream)
        return
    stream.flush()
    binary: BinaryIO = stream.buffer
    binary.writelines(_diff(report))
    binary.flush()


def _diff(report: FixReport, encoding: str | None = None) -> Iterator[bytes]:
    """Yield the lines of a diff, each with its end, in an encoding, or in those of the files."""
    base = report.patch_base
    for change in report.changes:
        name = change.file if base is None or change.path is None else base.name_of(change.path)
        before, after = f"a/{name}", f"b/{name}"
        header = [f"--- {_delimited(before)}\n", f"+++ {_delimited(after)}\n"]
        if base is not None and base.is_repository:
            header.insert(0, f"diff --git {_quoted(before)} {_quoted(after)}\n")
        yield from (line.encode("utf-8", "surrogateescape") for line in header)
        yield from hunks(*_encoded(change, encoding or change.encoding))


def _encoded(change: Change, encoding: str) -> tuple[bytes, list[ByteEdit]]:
    """Return the text and the edits of a change as bytes."""
    parts: list[bytes] = []
    edits: list[ByteEdit] = []
    length = end = 0
    for edit in sorted(change.edits, key=lambda edit: (edit.start, edit.end)):
        kept = change.text[end : edit.start].encode(encoding)
        replaced = change.text[edit.start : edit.end].encode(encoding)
        length += len(kept)
        edits.append(ByteEdit(length, length + len(replaced), edit.text.encode(encoding)))
        parts += [kept, replaced]
        length += len(replaced)
        end = edit.end
    return b"".join([*parts, change.text[end:].encode(encoding)]), edits


def _delimited(name: str) -> str:
    """Return a name as git and patch expect it after --- and +++: one with a space ends with a tab."""
    quoted = _quoted(name)
    return f"{quoted}\t" if " " in quoted and quoted == name else quoted


def _quoted(name: str) -> str:
    """Return a name as git and patch expect it: an unusual one is a C string."""
    if name.isprintable() and not {'"', "\\"} & set(name):
        return name
    octal = "".join(chr(byte) if byte in _PLAIN_BYTES else f"\\{byte:03o}" for byte in os.fsencode(name))
    return f'"{octal}"'


def _shown(line: str, *, coloured: bool) -> str:
    text = printable(line.rstrip("\n"))
    colour = _COLOURS.get(line[:1])
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured and colour else text
