"""What `pullguard version` says of the real engine and library, and of parts that are missing or not its own."""

import json
import os
import re
from pathlib import Path

import pytest

from pullguard import __version__, cli
from pullguard.core import resources
from pullguard.version.command import version


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, object]:
    assert cli.main(["version", *arguments]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_json(capsys: pytest.CaptureFixture[str], engine_program: Path, checkout: Path) -> None:
    found = _json(capsys, "--json", "--library", "builtin")
    assert list(found) == [
        *("format", "pullguard", "package", "python", "platform", "engine", "library"),
        *("extras", "programs", "notes", "errors"),
    ]
    assert (found["format"], found["pullguard"]) == ("pullguard-version/v1", __version__)
    assert (found["notes"], found["errors"]) == ([], [])
    engine = found["engine"]
    assert isinstance(engine, dict)
    assert (engine["path"], engine["version"]) == (str(engine_program), __version__)
    pinned = dict(re.findall(r"(?m)^\t(\S+) (v\S+)", (checkout / "tools" / "go.mod").read_text()))
    assert len(engine["modules"]) > 50
    assert {name: pinned.get(name) for name in engine["modules"]} == engine["modules"]
    library = found["library"]
    assert isinstance(library, dict)
    assert {"name": "protected_pull_policy", "kind": "K8sProtectedPullPolicy", "version": "1.1.0"} in library[
        "policies"
    ]
    assert [policy["name"] for policy in library["policies"]] == sorted(
        file.parent.name for file in (checkout / "library" / "policies").glob("*/template.yaml")
    )
    assert _json(capsys, "-o", "json", "--library", "builtin") == found


def test_text(capsys: pytest.CaptureFixture[str], engine_program: Path, checkout: Path) -> None:
    assert cli.main(["version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"pullguard    {__version__} (")
    assert re.fullmatch(rf"engine       {__version__} for \w+/\w+, go[\d.]+ \({engine_program}\)", lines[2])
    assert [line[:13].strip() for line in lines[3:7]] == ["OPA", "kustomize", "Helm", "Kubernetes"]
    assert all(re.fullmatch(r"v[\d.]+", line[13:]) for line in lines[3:7])
    page = (checkout / "docs" / "install.md").read_text()
    (shown,) = re.findall(r"(?ms)^```\n(pullguard    .*?)^```$", page)
    assert [line[:13] for line in shown.splitlines()] == [line[:13] for line in lines]
    # What does not differ from one machine to the next.
    assert [line for line in shown.splitlines() if line.startswith(" ")] == [line for line in lines if line[0] == " "]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo usage >&2; exit 2", " does not say what it is; install pullguard again"),
        ("echo '[]'", " does not say what it is; install pullguard again"),
        ("echo '{\"modules\": 3}'", " does not say what it is; install pullguard again"),
        (None, "pullguard-engine was not found; install pullguard from a wheel"),
    ],
)
def test_an_engine_that_cannot_be_asked_is_an_error(
    script: str | None, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(script, folder, monkeypatch)
    found = _json(capsys, "--json", code=2)
    assert found["engine"] is None
    errors = found["errors"]
    assert isinstance(errors, list)
    assert said in errors[0]


def test_an_engine_of_another_version_is_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"version": "0.0.9", "go": "go1.26", "platform": "linux/amd64", "modules": {}}'
    _use(f"echo '{said}'", folder, monkeypatch)
    report = version(library="builtin")
    remedy = "install pullguard again, so that its engine is of the same version"
    assert report.notes == (f"the engine is of version 0.0.9, not {__version__}: {remedy}",)


def test_an_engine_that_is_older_than_its_source_is_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps({"version": __version__, "go": "go1.26", "platform": "linux/amd64", "modules": {}})
    _use(f"echo '{said}'", folder, monkeypatch)
    (folder / "rego" / "policies").mkdir(parents=True)
    (folder / "Makefile").touch()
    (folder / "tools" / "engine" / "read").mkdir(parents=True)
    for name in ("go.mod", "go.sum", "engine/main.go", "engine/main_test.go", "engine/read/split.go"):
        (folder / "tools" / name).touch()
        os.utime(folder / "tools" / name, (1, 1))
    assert version(library=None).notes == ()
    os.utime(folder / "tools" / "engine" / "main_test.go")
    assert version(library=None).notes == ()
    os.utime(folder / "tools" / "engine" / "read" / "split.go", (2**33, 2**33))
    note = "the engine is older than its source (tools/engine/read/split.go): run `make tools`"
    assert version(library=None).notes == (note,)


def test_other_libraries(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "--json", "--library", "nowhere", code=2)
    assert found["library"] is None
    assert found["errors"] == ["nowhere: is not a folder; name the folder of a library"]
    (folder / "library").mkdir()
    notes = _json(capsys, "--json")["notes"]
    assert isinstance(notes, list)
    assert notes[0].startswith("./library was not written by pullguard, so it was not used")


def _use(script: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a script in the place of the engine, in a folder in the place of the checkout."""
    packaged = resources.packaged_library()
    monkeypatch.setattr(resources, "packaged_library", lambda: packaged)
    monkeypatch.setattr("pullguard.library.choice.packaged_library", lambda: packaged)
    monkeypatch.setattr(resources, "_CHECKOUT", str(folder))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    if script is not None:
        program = folder / ".tools" / "bin" / "pullguard-engine"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
