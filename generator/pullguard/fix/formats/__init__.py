"""What `fix` did or would do: a report for people, and a unified diff for `patch` and `git apply`."""

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import BinaryIO, TextIO

from pullguard.core.findings import Finding, Problem
from pullguard.core.formats.text import counted, printable, wants_colours, write_lines
from pullguard.core.gatekeeper import dig
from pullguard.fix.command import Change, FixReport, Left
from pullguard.fix.manifests import wanted
from pullguard.judging import words

_COLOURS = {"fixed": "32", "left": "33", "error": "31;1", "place": "1"}
_DIFF_COLOURS = {"+": "32", "-": "31", "@": "36"}
_PLAIN_BYTES = frozenset(range(ord(" "), ord("~") + 1)) - set(b'"\\')
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def write(report: FixReport, stream: TextIO) -> None:
    """Write what was done and what is left; with colours if the stream is a terminal that wants them."""
    write_lines(_lines(report, coloured=wants_colours(stream)), stream)


def write_diff(report: FixReport, stream: TextIO) -> None:
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


def _lines(report: FixReport, *, coloured: bool) -> Iterator[str]:
    word = "would be fixed" if report.only_compared else "fixed"
    for found in report.fixed:
        yield from _entry(found, "fixed", word, coloured=coloured)
        path, value = wanted(found) or (("",), "")
        yield f"  {printable(f'{path[-1]}: {_stated(found)} -> {value}')}"
    for left in report.left:
        yield from _left(left, coloured=coloured)
    for problem in report.errors:
        place, error = _place(problem, coloured=coloured), _colour("error", "error", coloured=coloured)
        yield f"{place}: {error}: {printable(problem.message)}"
    if report.fixed or report.left or report.errors:
        yield ""
    yield (
        f"{len(report.fixed)} {word} in {counted(len(report.changes), 'file')}, {len(report.left)} left, "
        f"{counted(len(report.errors), 'error')}"
    )
    yield f"Library: {printable(report.library)}"
    notes = [*report.notes, *words.hints([*report.fixed, *(left.finding for left in report.left)])]
    if report.exempt:
        notes.append(f"{counted(report.exempt, 'finding')} exempt, and left as before")
    if report.others:
        notes.append(f"{counted(report.others, 'finding')} of other kinds: see `pullguard check`")
    yield from (f"Note: {printable(note)}" for note in notes)


def _left(left: Left, *, coloured: bool) -> Iterator[str]:
    yield from _entry(left.finding, "left", "left", coloured=coloured)
    yield from (f"  {printable(line)}" for line in (left.reason or words.message(left.finding)).splitlines())


def _entry(found: Finding, colour: str, word: str, *, coloured: bool) -> Iterator[str]:
    yield f"{_place(found, coloured=coloured)}: {_colour(colour, word, coloured=coloured)}: {printable(found.rule)}"
    yield f"  {printable(words.subject(found))}"


def _stated(found: Finding) -> str:
    return str(dig(found.details, "stated") or "(none)")


def _place(where: Finding | Problem, *, coloured: bool) -> str:
    return _colour("place", printable(words.place(where)), coloured=coloured)


def _colour(name: str, text: str, *, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if coloured else text


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
    colour = _DIFF_COLOURS.get(line[:1])
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured and colour else text
