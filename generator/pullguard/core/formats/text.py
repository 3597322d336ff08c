"""Lines for terminals and logs."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

# Some systems look for commands anywhere in a line, some only at its beginning.
_COMMAND = re.compile(r"#(?=#\w*\[)")
_FIRST_COMMAND = re.compile(r"\A(\s*):(?=:)")


def printable(text: str) -> str:
    """Return a text in which everything is escaped that a terminal would obey, such as what moves the cursor."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def inert(line: str) -> str:
    """Return a line of a log in which no CI system finds a command such as ##vso[...], ##[...] or ::error::."""
    return _FIRST_COMMAND.sub(r"\1\\x3a", inert_within(line))


def inert_within(text: str) -> str:
    """Return a part of a line without commands of CI systems, except those that must begin a line."""
    return _COMMAND.sub(r"\\x23", text)


def page(text: str) -> Iterator[str]:
    """Yield the lines of a text, without anything that a terminal or a CI system would obey."""
    return (inert(printable(line)) for line in text.expandtabs().splitlines())


def write_lines(lines: Iterable[str], stream: TextIO) -> None:
    """Write lines for people; nothing in them is a command, and characters that the encoding lacks are escaped."""
    write_commands(map(inert, lines), stream)


def write_commands(lines: Iterable[str], stream: TextIO) -> None:
    """Write lines that a CI system must obey; characters that the stream's encoding lacks are escaped."""
    encoding = stream.encoding or "utf-8"
    for line in lines:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def wants_colours(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is right."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
