"""Lines for terminals and logs."""

import os
from collections.abc import Iterable
from typing import TextIO


def printable(text: str) -> str:
    """Return a text with everything escaped that a terminal would not print but obey: no manifest moves a cursor."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def write_lines(lines: Iterable[str], stream: TextIO) -> None:
    """Write lines; characters that the stream's encoding does not have are escaped."""
    encoding = stream.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def wants_colours(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is right."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
