"""Completion scripts, in the shells themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pullguard import cli
from pullguard.completion.command import script


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
