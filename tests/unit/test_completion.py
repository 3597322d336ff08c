"""Completion scripts, in the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pullguard import cli
from pullguard.completion.command import script
from pullguard.completion.kubectl import completions


def _shell(name: str, *arguments: str, cwd: Path) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    command = [program, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for shell in ("bash", "zsh", "fish", "tcsh"):
        (tmp_path / f"script.{shell}").write_text(script(cli.parser(), shell))
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifest.yaml").touch()
    return tmp_path


_BASH = """\
source script.bash
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_pullguard
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pullguard ch", {"check"}),
        ("pullguard check --writ", {"--write-baseline"}),
        ("pullguard check -o sar", {"sarif"}),
        ("pullguard check --library man", {"manifests"}),
        ("pullguard check --baseline manifest.", {"manifest.yaml"}),
        ("pullguard completion f", {"fish"}),
    ],
)
def test_bash(folder: Path, words: str, expected: set[str]) -> None:
    found = _shell("bash", "--norc", "-c", _BASH.format(words=words), cwd=folder)
    assert set(found.split()) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("pullguard expl", {"explain"}), ("pullguard check --write-b", {"--write-baseline"})],
)
def test_fish(folder: Path, line: str, expected: set[str]) -> None:
    found = _shell("fish", "--no-config", "-c", f"source script.fish; complete -C '{line}'", cwd=folder)
    assert {entry.split("\t")[0] for entry in found.splitlines()} == expected


def test_zsh_reads_its_script(folder: Path) -> None:
    assert _shell("zsh", "-n", "script.zsh", cwd=folder) == ""


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", "tcsh"]) == 0
    assert capsys.readouterr().out == script(cli.parser(), "tcsh") + "\n"


@pytest.mark.parametrize(
    ("words", "expected", "directive"),
    [
        (["ch"], ["check"], 4),
        (["--ver"], ["--version"], 4),
        (["check", "--write-b"], ["--write-baseline"], 4),
        (["check", "-o", "sar"], ["sarif"], 4),
        (["check", "--output=sar"], ["--output=sarif"], 4),
        (["check", "--baseline", ""], [], 0),
        (["check", "--namespace", ""], [], 4),
        (["check", "--everywhere", ""], [], 0),
        (["check", "deploy/", "--fail-on", "de"], ["deny"], 4),
        (["completion", "f"], ["fish"], 4),
        (["drill", "pl"], ["plan"], 4),
        (["nothing", "check", "--stric"], ["--strict"], 4),
    ],
)
def test_kubectl_protocol(words: list[str], expected: list[str], directive: int) -> None:
    *lines, last = completions(cli.parser(), words).splitlines()
    assert [line.split("\t")[0] for line in lines] == expected
    assert last == f":{directive}"


def test_kubectl_protocol_names_all_commands() -> None:
    lines = completions(cli.parser(), [""]).splitlines()
    assert lines == completions(cli.parser(), []).splitlines()
    names = [line.split("\t")[0] for line in lines[:-1]]
    assert names == sorted(names)
    assert {"check", "drill", "outage"} < set(names)
    assert "check\tCheck manifests by the templates and constraints of a library." in lines


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["che"], {"check"}), (["outage", "--eve"], {"--event"}), (["check", "-o", "jun"], {"junit"})],
)
def test_kubectl(kubectl: str, words: list[str], expected: set[str]) -> None:
    """The real kubectl finds the plugin, and completes it."""
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = [kubectl, "__complete", "pullguard", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert {line.split("\t")[0] for line in done.stdout.splitlines() if not line.startswith(":")} == expected


def test_kubectl_runs_the_plugin(kubectl: str) -> None:
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = [kubectl, "pullguard", "--version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("pullguard ")
