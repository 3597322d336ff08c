"""Hunks: whatever is edited, applying them gives what the edits give, and they are as short as possible."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.fix.hunks import ByteEdit, hunks

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")


def _lines(*numbers: int) -> bytes:
    return b"".join(b"%d\n" % number for number in numbers)


def _diff(data: bytes, *edits: tuple[int, int, bytes]) -> bytes:
    return b"".join(hunks(data, [ByteEdit(*edit) for edit in edits]))


def test_a_line_in_the_middle() -> None:
    data = _lines(*range(9))
    assert _diff(data, (8, 9, b"x")) == (b"@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n")


@pytest.mark.parametrize(
    ("data", "edit", "expected"),
    [
        (b"a", (0, 1, b"b"), b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"),
        (b"a\n", (1, 1, b"\nb"), b"@@ -1 +1,2 @@\n a\n+b\n"),
        (b"a\n", (2, 2, b"b"), b"@@ -1 +1,2 @@\n a\n+b\n\\ No newline at end of file\n"),
        (b"a\nb\n", (1, 2, b""), b"@@ -1,2 +1 @@\n-a\n-b\n+ab\n"),
        (b"a\n", (0, 0, b"b\n"), b"@@ -1 +1,2 @@\n+b\n a\n"),
        (b"a\0\n\0", (0, 1, b"b"), b"@@ -1,2 +1,2 @@\n-a\0\n+b\0\n \0\n\\ No newline at end of file\n"),
    ],
)
def test_ends(data: bytes, edit: tuple[int, int, bytes], expected: bytes) -> None:
    assert _diff(data, edit) == expected


@pytest.mark.parametrize(("between", "count"), [(6, 1), (7, 2)])
def test_hunks_whose_contexts_meet_are_one(between: int, count: int) -> None:
    data = b"a\n" + b"-\n" * between + b"a\n"
    end = len(data) - 2
    assert len(_HEADER.findall(_diff(data, (0, 1, b"b\nc"), (end, end + 1, b"b")))) == count


@given(st.data())
def test_a_patch_does_what_the_edits_do(draw: st.DataObject) -> None:
    text = st.text(alphabet="ab\n", max_size=60).map(str.encode)
    data = draw.draw(text.filter(bool))
    places = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edits = [ByteEdit(start, end, draw.draw(text)) for start, end in list(pairwise(places))[::2]]
    expected, end = b"", 0
    for edit in edits:
        expected, end = expected + data[end : edit.start] + edit.data, edit.end
    expected += data[end:]
    assert _patched(data, b"".join(hunks(data, edits))) == expected


def _patched(data: bytes, diff: bytes) -> bytes:
    """Return what a patch makes of some bytes, and hold its headers to its lines."""
    old = re.findall(rb"[^\n]*\n|[^\n]+", data)
    new: list[bytes] = []
    done = 0
    for header, body in zip(_HEADER.finditer(diff), re.split(_HEADER.pattern, diff)[5::5], strict=True):
        first, length, new_first, new_length = (1 if number is None else int(number) for number in header.groups())
        start = first - 1 if length else first
        new += old[done:start]
        assert len(new) == (new_first - 1 if new_length else new_first)
        lines = re.findall(rb"([ +-])([^\n]*\n)(\\ No newline at end of file\n)?", body)
        texts = [(mark, text[:-1] if cut else text) for mark, text, cut in lines]
        assert [text for mark, text in texts if mark != b"+"] == old[start : start + length]
        added = [text for mark, text in texts if mark != b"-"]
        assert len(added) == new_length
        new += added
        done = start + length
    return b"".join([*new, *old[done:]])
