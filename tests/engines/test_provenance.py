"""A library that is used without being named: the first line of a report says if pullguard would not generate it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pullguard import cli
from pullguard.generate.command import generate

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: web}
spec:
  containers: [{name: main, imagePullPolicy: Always, image: registry.example.com/dns:v1}]
"""
_CONFIG = "protectedNamespaces:\n  names: [web]\n"
_WARNING = "library is not what pullguard generates from pullguard.yaml: "
_REMEDY = "name the library that is to judge with --library; `pullguard generate --check` says how this one differs"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory: a manifest with a finding, a configuration, and the library of that."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "place"
    (place / "deploy").mkdir(parents=True)
    (place / "deploy" / "a.yaml").write_text(_POD)
    (place / "pullguard.yaml").write_text(_CONFIG)
    monkeypatch.chdir(place)
    generate(None, Path("library"))
    return place


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str) -> tuple[int, str]:
        assert folder.is_dir()
        capsys.readouterr()
        return cli.main([*arguments, "deploy"]), capsys.readouterr().out

    return run_command


def test_nothing_is_said_of_what_pullguard_generates(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run("check")
    assert (code, "Warning" in output) == (1, False)
    assert "deploy/a.yaml:5: high: pull-policy-always" in output.splitlines()
    # It is found to be right once.
    assert len((tmp_path / "cache" / "pullguard" / "generated").read_text().split()) == 1
    monkeypatch.setattr("pullguard.library.provenance._difference", None)
    assert run("check") == (code, output)


def _weaken_constraints(folder: Path) -> None:
    """Make it match nothing, in all files, with a MANIFEST that has their hashes, as an attacker would."""
    elsewhere = folder.parent / "weak.yaml"
    elsewhere.write_text(_CONFIG.replace("web", "nothing"))
    shutil.rmtree(folder / "library")
    generate(elsewhere, folder / "library")


def _weaken_policy(folder: Path) -> None:
    for path in (folder / "library").rglob("*"):
        if path.is_file() and "protected_pull_policy" in str(path) and path.suffix in {".yaml", ".rego"}:
            path.write_text(path.read_text().replace("violation contains", "none contains"))


def _remove_the_configuration(folder: Path) -> None:
    (folder / "pullguard.yaml").unlink()


def _break_the_configuration(folder: Path) -> None:
    (folder / "pullguard.yaml").write_text("protectedNamespaces: 7\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_weaken_constraints, "policies/protected_image_cache/constraints.yaml and "),
        (_weaken_policy, "policies/protected_pull_policy/template.yaml and 3 more differ"),
        (_remove_the_configuration, "pullguard.yaml: there is no such file; "),
        (_break_the_configuration, "pullguard.yaml:1: "),
    ],
)
def test_the_first_line_says_what_is_wrong(run: Run, folder: Path, change: Callable[[Path], None], reason: str) -> None:
    change(folder)
    first = run("check")[1].splitlines()[0]
    assert first.startswith(f"Warning: {_WARNING}{reason}")
    assert first.endswith(_REMEDY)


def test_every_report_for_people_says_it_first(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pullguard.library.provenance._difference", lambda *_: "x%")
    assert folder.is_dir()
    assert run("check", "-o", "github")[1].startswith(f"::warning title=pullguard%3A library::{_WARNING}x%25; ")
    assert run("check", "-o", "markdown")[1].splitlines()[2].startswith("**Warning: library is not what pullguard")
    cli.main(["fix", "--diff", "deploy"])
    assert capsys.readouterr().err.startswith(f"Warning: {_WARNING}x%; ")
    # Whoever names it has chosen it, and the one of pullguard needs no configuration.
    for library in ("./library", "library", "builtin"):
        code, output = run("check", "--everywhere", "--library", library)
        assert (code, "Warning" in output) == (1, False)


def test_the_weak_library_of_a_stranger(run: Run, folder: Path) -> None:
    shutil.rmtree(folder / "library")
    (folder / "library").mkdir()
    (folder / "library" / "template.yaml").write_text("kind: ConstraintTemplate\n")
    (folder / "deploy" / "a.yaml").write_text(_POD.replace("namespace: web", "namespace: kube-system"))
    code, output = run("check")
    assert code == 1
    assert "Library: the one that comes with pullguard\n" in output
    assert "Note: ./library was not written by pullguard, so it was not used; " in output
