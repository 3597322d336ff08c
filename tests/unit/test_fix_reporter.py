"""What `fix` says: for people, for terminals, and as a diff."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from fixable import findings_in
from pullguard.core.editing.edits import Edit
from pullguard.core.inputs.problems import InputError
from pullguard.fix.command import Change, FixReport, Left
from pullguard.fix.formats import diff, text
from pullguard.fix.patch_base import PatchBase

POD = (
    "kind: Pod\nmetadata: {name: p, namespace: ns}\nspec:\n  containers:\n  - image: x:1\n    imagePullPolicy: Always\n"
)
(FOUND,) = findings_in("a\x1b.yaml", POD)
ASSUMED = (
    "Note: the labels of ns are not known, so the objects there count as protected; "
    "check the Namespace manifests along with them"
)
HERE = Path("/here")
EMPTY = FixReport(
    only_compared=False,
    changes=(),
    patch_base=PatchBase(HERE, is_elsewhere=False, is_repository=False),
    fixed=(),
    left=(),
    exempt=0,
    others=0,
    errors=(),
    output=None,
    library="lib\x1b",
    notes=(),
)
CHANGE = Change("./d/../m.yaml", HERE / "m.yaml", "a\x1b\nb\n", "utf-8", (Edit(3, 5, "c"),))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def written(report: FixReport, stream: io.StringIO) -> str:
    text.write(report, stream)
    return stream.getvalue()


def diff_of(change: Change) -> bytes:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    diff.write(replace(EMPTY, changes=(change,)), stream)
    buffer = stream.detach()
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


def test_nothing() -> None:
    assert written(EMPTY, io.StringIO()) == "0 fixed in 0 files, 0 left, 0 errors\nLibrary: lib\\x1b\n"


def test_everything() -> None:
    report = replace(
        EMPTY,
        only_compared=True,
        changes=(CHANGE,),
        fixed=(FOUND, replace(FOUND, details={**FOUND.details, "stated": None})),
        left=(Left(replace(FOUND, namespace_assumed=True), None), Left(FOUND, "because\x1b")),
        exempt=1,
        others=2,
        errors=(InputError("e\x1b.yaml", None, None, "bad\x1b"),),
        notes=("note",),
    )
    assert written(report, io.StringIO()).splitlines() == [
        r"a\x1b.yaml:1: would be fixed: pull-policy-always",
        "  Pod ns/p, container number 1",
        "  imagePullPolicy: Always -> IfNotPresent",
        r"a\x1b.yaml:1: would be fixed: pull-policy-always",
        "  Pod ns/p, container number 1",
        "  imagePullPolicy: (none) -> IfNotPresent",
        r"a\x1b.yaml:1: left: pull-policy-always",
        "  Pod ns/p, container number 1, labels of the namespace unknown",
        "  wrong",
        r"a\x1b.yaml:1: left: pull-policy-always",
        "  Pod ns/p, container number 1",
        r"  because\x1b",
        r"e\x1b.yaml: error: bad\x1b",
        "",
        "2 would be fixed in 1 file, 2 left, 1 error",
        r"Library: lib\x1b",
        "Note: note",
        ASSUMED,
        "Note: 1 finding exempt, and left as before",
        "Note: 2 findings of other kinds: see `pullguard check`",
    ]


def test_colours(terminal: Terminal) -> None:
    assert written(replace(EMPTY, fixed=(FOUND,)), terminal).splitlines()[0] == (
        "\x1b[1ma\\x1b.yaml:1\x1b[0m: \x1b[32mfixed\x1b[0m: pull-policy-always"
    )


def test_a_diff_for_programs() -> None:
    assert diff_of(CHANGE) == (
        b"--- a/m.yaml\n+++ b/m.yaml\n@@ -1,2 +1,2 @@\n a\x1b\n-b\n+c\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b", "a/a b\t"),
        ('a"\n+++ \\é', r'"a/a\042\012+++ \134\303\251"'),
    ],
)
def test_names_in_a_diff(name: str, shown: str) -> None:
    assert diff_of(replace(CHANGE, path=HERE / name)).splitlines()[0].decode() == f"--- {shown}"


def test_where_to_apply_a_diff() -> None:
    base = PatchBase(Path("/a b"), is_elsewhere=True, is_repository=True)
    change = replace(CHANGE, path=Path("/a b/c d/m.yaml"))
    report = replace(EMPTY, only_compared=True, changes=(change,), patch_base=base)
    note = "Note: the diff is to be applied in another folder: `git -C '/a b' apply` or `patch -p1 -d '/a b'`"
    assert note in written(report, io.StringIO()).splitlines()
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    diff.write(report, stream)
    buffer = stream.detach()
    assert isinstance(buffer, io.BytesIO)
    assert buffer.getvalue().splitlines()[:3] == [
        b"diff --git a/c d/m.yaml b/c d/m.yaml",
        b"--- a/c d/m.yaml\t",
        b"+++ b/c d/m.yaml\t",
    ]


def test_a_diff_for_a_terminal(terminal: Terminal) -> None:
    diff.write(replace(EMPTY, changes=(CHANGE,)), terminal)
    assert terminal.getvalue().splitlines() == [
        "\x1b[31m--- a/m.yaml\x1b[0m",
        "\x1b[32m+++ b/m.yaml\x1b[0m",
        "\x1b[36m@@ -1,2 +1,2 @@\x1b[0m",
        " a\\x1b",
        "\x1b[31m-b\x1b[0m",
        "\x1b[32m+c\x1b[0m",
        "\\ No newline at end of file",
    ]
