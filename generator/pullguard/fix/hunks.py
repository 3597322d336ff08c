"""Edits of bytes -> the hunks of a unified diff, in linear time: what was edited is known; pure."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_CONTEXT = 3
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_NO_LINE_FEED = b"\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class ByteEdit:
    """What takes the place of a part of some bytes.

    Attributes:
        start: Where the part begins.
        end: Where it ends.
        data: What takes its place.
    """

    start: int
    end: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Splice:
    """Lines that take the place of others, from a line on (from 0)."""

    first: int
    old: Sequence[bytes]
    new: Sequence[bytes]

    @property
    def end(self) -> int:
        return self.first + len(self.old)


def hunks(data: bytes, edits: Sequence[ByteEdit]) -> Iterator[bytes]:
    """Yield the lines of the hunks, each with its end. Only line feeds end a line, as for patch.

    Args:
        data: What is edited.
        edits: The edits, in their order; they do not overlap.
    """
    lines = _LINE.findall(data)
    shift = 0
    for group in _groups(_splices(data, lines, edits)):
        first, end = max(group[0].first - _CONTEXT, 0), min(group[-1].end + _CONTEXT, len(lines))
        grown = sum(len(splice.new) - len(splice.old) for splice in group)
        yield f"@@ -{_range(first, end)} +{_range(first + shift, end + shift + grown)} @@\n".encode()
        for splice in group:
            yield from _marked(b" ", lines[first : splice.first])
            yield from _marked(b"-", splice.old)
            yield from _marked(b"+", splice.new)
            first = splice.end
        yield from _marked(b" ", lines[first:end])
        shift += grown


def _splices(data: bytes, lines: Sequence[bytes], edits: Sequence[ByteEdit]) -> Iterator[_Splice]:
    """Yield what the edits do to lines: edits of the same lines together, without what stays the same at both ends."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    touched: list[tuple[int, int, list[ByteEdit]]] = []
    for edit in edits:
        first = min(bisect_right(starts, edit.start), len(lines)) - 1
        end = min(bisect_right(starts, edit.end), len(lines))
        if touched and first < touched[-1][1]:
            touched[-1][2].append(edit)
            touched[-1] = (touched[-1][0], max(end, touched[-1][1]), touched[-1][2])
        else:
            touched.append((first, end, [edit]))
    for first, end, own in touched:
        old = list(lines[first:end])
        new = _LINE.findall(_applied(data[starts[first] : starts[end]], starts[first], own))
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        yield _Splice(first + head, old[head : len(old) - tail], new[head : len(new) - tail])


def _applied(data: bytes, offset: int, edits: Sequence[ByteEdit]) -> bytes:
    parts = []
    end = 0
    for edit in edits:
        parts += [data[end : edit.start - offset], edit.data]
        end = edit.end - offset
    return b"".join([*parts, data[end:]])


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Return how many lines two lists have in common at their beginning."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def _groups(splices: Iterator[_Splice]) -> Iterator[list[_Splice]]:
    """Yield the splices of each hunk: those whose contexts meet."""
    group: list[_Splice] = []
    for splice in splices:
        if group and splice.first - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(splice)
    if group:
        yield group


def _range(first: int, end: int) -> str:
    length = end - first
    return str(first + 1) if length == 1 else f"{first + 1 if length else first},{length}"


def _marked(mark: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.endswith(b"\n"):
            yield mark + line
        else:
            yield mark + line + b"\n"
            yield _NO_LINE_FEED
