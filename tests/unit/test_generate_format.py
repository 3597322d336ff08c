"""What `generate` says: a line, and the files only to those who ask."""

import io
from pathlib import Path

import pytest

from pullguard.generate.command import GenerateResult
from pullguard.generate.formats import text
from pullguard.library.store import Difference

_OUT = Path("lib\x1b")
_DIFFERENCE = Difference(("MANIFEST", "a.yaml"), ("b.yaml",), ("c\x1b.yaml",))
_NOTHING = Difference((), (), ())


def _written(difference: Difference, *, only_compared: bool, verbose: bool) -> list[str]:
    stream = io.StringIO()
    text.write(GenerateResult(_OUT, 268, difference, only_compared=only_compared), stream, verbose=verbose)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("only_compared", [True, False])
@pytest.mark.parametrize("verbose", [True, False])
def test_nothing_differs(*, only_compared: bool, verbose: bool) -> None:
    lines = [r"lib\x1b: 269 files, up to date"]
    assert _written(_NOTHING, only_compared=only_compared, verbose=verbose) == lines


def test_what_was_written() -> None:
    summary = r"lib\x1b: 269 files, wrote 2, updated 1, removed 1"
    assert _written(_DIFFERENCE, only_compared=False, verbose=False) == [summary]
    assert _written(_DIFFERENCE, only_compared=False, verbose=True) == [
        r"wrote: lib\x1b/MANIFEST",
        r"wrote: lib\x1b/a.yaml",
        r"updated: lib\x1b/b.yaml",
        r"removed: lib\x1b/c\x1b.yaml",
        summary,
    ]


def test_what_differs() -> None:
    summary = (
        r"lib\x1b is not what the policies and the configuration give (missing 2, changed 1, stale 1): "
        "run `pullguard generate`"
    )
    assert _written(_DIFFERENCE, only_compared=True, verbose=False) == [f"{summary}; --verbose lists the files"]
    assert _written(_DIFFERENCE, only_compared=True, verbose=True) == [
        r"missing: lib\x1b/MANIFEST",
        r"missing: lib\x1b/a.yaml",
        r"changed: lib\x1b/b.yaml",
        r"stale: lib\x1b/c\x1b.yaml",
        summary,
    ]
