"""pullguard-engine as Python talks to it: start and end, requests of all kinds, and what it should never write."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pullguard.check.command import check
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.limits import Limits, stated_limits
from pullguard.core.inputs.problems import InputError
from pullguard.engine.builds import BuiltObject
from pullguard.engine.files import FileEnd, FoundInFile, JudgedFiles, JudgedObject, Request
from pullguard.engine.process import Process
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import query

# Says of every object that all of it is wrong, so that the engine tells all that it has read.
TELLS_ALL = """\
package policies.tells_all

violation contains {"msg": "", "details": {"path": path}} if {
\tsome path in ["metadata", "spec", "data"]
\tinput.review.object[path]
}

violation contains {"msg": ""}
"""

Found = list[tuple[int, FoundInFile | BuiltObject]]


def group(checkout: Path, rego: str = TELLS_ALL) -> dict[str, Any]:
    """Return a group with one policy, which matches everything."""
    modules = {"policies/tells_all.rego": rego}
    for file in (checkout / "rego" / "gatekeeper").rglob("*.rego"):
        if not file.stem.endswith("_test"):
            modules[file.name] = file.read_text(encoding="utf-8")
    constraint = {"kind": "TellsAll", "metadata": {"name": "c"}, "spec": {}}
    data = {"constraints": [{"policy": "tells_all", "constraint": constraint}]}
    return {"regoVersion": "v1", "modules": modules, "data": data}


def judged(engine: Engine, *paths: Path) -> Found:
    requests = [Request(os.fsencode(path), path.name, "", replaces=False) for path in paths]
    return sorted(JudgedFiles(engine, requests, {}), key=lambda entry: entry[0])


def test_limits(tmp_path: Path, checkout: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(f"kind: A\ndata: {'x' * 3 * 2**20}\n---\nkind: B\n---\nkind: C\ndata: [[[[1]]]]\n---\nkind: D\n")
    with Engine() as engine:
        engine.setup([group(checkout)], limits=Limits(document=2 * 2**20, depth=4, aliased=100))
        found = [entry for _, entry in judged(engine, file)]
    objects = [entry.object for entry in found if isinstance(entry, JudgedObject)]
    assert sorted(obj["kind"] for obj in objects) == ["B", "D"]
    errors = [(entry.document, entry.line) for entry in found if isinstance(entry, InputError)]
    assert sorted(errors) == [(0, 1), (2, 7)]


@pytest.mark.parametrize("depth", [500, 501])
def test_the_limits_of_the_engine_are_those_that_the_command_line_states(tmp_path: Path, depth: int) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(f"kind: A\ndata: {'[' * (depth - 1)}{']' * (depth - 1)}\n")
    report = check([str(file)])
    assert report == check([str(file)], limits=stated_limits("256M", "500", "10M"))
    assert len(report.errors) == depth - 500


def test_files_that_cannot_be_read(tmp_path: Path, checkout: Path) -> None:
    with Engine() as engine:
        engine.setup([group(checkout)])
        assert judged(engine, tmp_path / "gone.yaml", tmp_path) == [
            (0, FileEnd(0, 0, 2, is_blank=False)),
            (1, FileEnd(0, 0, 21, is_blank=False)),
        ]


def test_policies_that_cannot_be_loaded(checkout: Path) -> None:
    with Engine() as engine:
        engine.setup([group(checkout, "package policies.tells_all\n\nx := y\n")])
        with pytest.raises(PullguardError, match=r"^OPA cannot load the policies: .*rego:3: var y is unsafe$"):
            engine.finish()


def test_queries() -> None:
    rego = {"a.rego": "package a\n\nb := input.c * 2\n\nd := 1 / input.zero\n"}
    with Engine() as engine:
        assert query(engine, rego, "data.a.b", {"c": 21}) == 42
        assert query(engine, rego, "data.a.b", {"c": 4}) == 8
        with pytest.raises(PullguardError, match=r"^OPA has no answer to data\.a\.b: "):
            query(engine, rego, "data.a.b", {})
        with pytest.raises(PullguardError, match=r"^OPA has no answer to data\.a\.b: .*rego:3: var z is unsafe"):
            query(engine, {"a.rego": "package a\n\nb := z\n"}, "data.a.b", {})


def test_it_ends_when_nobody_holds_its_input() -> None:
    process = Process()
    process.requests.close()
    assert process.records.read() == b'{"protocol":1}\n'
    process.stop()


def test_it_leaves_no_descriptor_open() -> None:
    folder = Path("/proc/self/fd")
    before = len(list(folder.iterdir()))
    for _ in range(3):
        with Engine() as engine:
            assert query(engine, {"a.rego": "package a\n\nb := 1\n"}, "data.a.b", {}) == 1
    assert len(list(folder.iterdir())) == before


# -- what it should never do --------------------------------------------------------------------------------------


@pytest.fixture
def replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts a script of a shell in the place of the engine."""

    def replace(script: str) -> None:
        program = tmp_path / "pullguard-engine"
        program.write_text(script)
        program.chmod(0o700)
        monkeypatch.setattr("pullguard.engine.process.find_tool", lambda _: program)

    return replace


AGAIN = "; install pullguard again, so that its engine is of the same version"
CUT_OFF = "pullguard-engine has ended before its answers were complete{}; run the command again; if it happens again, "
CUT_OFF += "please report this"
HELLO = """echo '{"protocol":1}'\n"""


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("", CUT_OFF.format("")),
        ("echo >&2; echo '  panic: oh' >&2; echo more >&2; exit 2", CUT_OFF.format(" (panic: oh)")),
        ("printf '{\"protocol\"'", CUT_OFF.format("")),
        ("kill -9 $$", CUT_OFF.format("")),
        ("echo usage", f"pullguard-engine has written `usage`, which pullguard cannot read{AGAIN}"),
        ("echo '[1]'", f"pullguard-engine has written `[1]`, which pullguard cannot read{AGAIN}"),
        (
            "echo '{\"protocol\":2}'",
            f"pullguard-engine has written version 2 of the protocol, not 1, which pullguard cannot read{AGAIN}",
        ),
        (HELLO, CUT_OFF.format("")),
        (
            f"""{HELLO}echo '{{"type":"done","id":1,"size":9}}'; printf abc""",
            CUT_OFF.format(""),
        ),
        (
            f"""{HELLO}echo '{{"type":"done","id":1,"size":"many"}}'""",
            (
                'pullguard-engine has written `{"type":"done","id":1,"size":"many"}`, '
                f"which pullguard cannot read{AGAIN}"
            ),
        ),
        (
            f"""{HELLO}echo '{{"type":"done","id":1000}}'""",
            f"pullguard-engine has written a record that belongs to no request, which pullguard cannot read{AGAIN}",
        ),
        (
            f"""{HELLO}echo '{{"type":"done"}}'""",
            f"pullguard-engine has written a record that belongs to no request, which pullguard cannot read{AGAIN}",
        ),
        (f"""{HELLO}echo '{{"type":"fatal","message":"it is full"}}'""", "pullguard-engine: it is full"),
        (
            f"""{HELLO}echo '{{"type":"failed","id":1,"message":"a.rego:1: no"}}'""",
            "OPA cannot load the policies: a.rego:1: no",
        ),
        (
            f"""{HELLO}echo '{{"type":"finding","id":2,"document":0}}'; sleep 9""",
            (
                "pullguard-engine has written a record of the type finding (KeyError('responses')), "
                f"which pullguard cannot read{AGAIN}"
            ),
        ),
        (
            f"""{HELLO}echo '{{"type":"error","id":2,"line":1}}'; sleep 9""",
            (
                "pullguard-engine has written a record of the type error (KeyError('message')), "
                f"which pullguard cannot read{AGAIN}"
            ),
        ),
    ],
)
def test_an_engine_that_is_none(
    replaced: Callable[[str], None], checkout: Path, tmp_path: Path, script: str, message: str
) -> None:
    replaced(f"#!/bin/sh\n{script}\n")
    file = tmp_path / "m.yaml"
    file.write_text("kind: X\n")
    with pytest.raises(PullguardError) as caught:
        check([str(file)], library=str(checkout / "library"))
    assert str(caught.value) == message


def test_a_program_that_cannot_be_started(replaced: Callable[[str], None], checkout: Path) -> None:
    replaced("no program")
    with pytest.raises(PullguardError, match=r"pullguard-engine cannot be started: Exec format error$"):
        check([str(checkout / "library")], library=str(checkout / "library"))


def test_without_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pullguard.core.resources._CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        PullguardError,
        match=r"^pullguard-engine was not found; install pullguard from a wheel for this platform, or run `make ",
    ):
        check([str(tmp_path)])
