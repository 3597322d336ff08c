"""The report of `fix`, for people."""

import shlex
from collections.abc import Iterator
from typing import TextIO

from pullguard.core.findings import Finding
from pullguard.core.formats.text import counted, printable, wants_colours, write_lines
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.problems import InputError
from pullguard.fix.command import FixReport, Left
from pullguard.fix.manifests import wanted
from pullguard.judging import words

_COLOURS = {"fixed": "32", "left": "33", "error": "31;1", "place": "1"}


def write(report: FixReport, stream: TextIO) -> None:
    """Write what was done and what is left; with colours if the stream is a terminal that wants them."""
    write_lines(_lines(report, coloured=wants_colours(stream)), stream)


def _lines(report: FixReport, *, coloured: bool) -> Iterator[str]:
    if report.doubt:
        yield from (f"{_colour('error', 'Warning', coloured=coloured)}: {printable(report.doubt)}", "")
    word = "would be fixed" if report.only_compared else "fixed"
    elsewhere = {id(found): change.file for change in report.changes for found in change.fixed}
    for found in report.fixed:
        yield from _entry(found, "fixed", word, coloured=coloured)
        path, value = wanted(found) or (("",), "")
        file = elsewhere.get(id(found), found.file)
        where = "" if file == found.file else f" in {file}"
        pin = report.pins.get(value)
        new = value if pin is None else f"pinned to {pin.digest}"
        yield f"  {printable(f'{path[-1]}: {_stated(found)} -> {new}{where}')}"
        if pin is not None:
            yield f"  {printable(pin.evidence)}"
    for left in report.left:
        yield from _left(left, coloured=coloured)
    for problem in report.errors:
        place, error = _place(problem, coloured=coloured), _colour("error", "error", coloured=coloured)
        yield f"{place}: {error}: {printable(problem.message)}"
    if report.fixed or report.left or report.errors:
        yield ""
    where = f"by {printable(report.written[0])}" if report.written else f"in {counted(len(report.changes), 'file')}"
    yield f"{len(report.fixed)} {word} {where}, {len(report.left)} left, {counted(len(report.errors), 'error')}"
    yield f"Library: {printable(report.library)}"
    notes = [*report.notes, *words.hints([*report.fixed, *(left.finding for left in report.left)])]
    if report.patch_base is not None and report.patch_base.is_elsewhere:
        folder = shlex.quote(str(report.patch_base.folder))
        notes.append(f"the diff is to be applied in another folder: `git -C {folder} apply` or `patch -p1 -d {folder}`")
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


def _place(where: Finding | InputError, *, coloured: bool) -> str:
    return _colour("place", printable(words.place(where)), coloured=coloured)


def _colour(name: str, text: str, *, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if coloured else text
