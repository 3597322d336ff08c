"""Wheels: their contents, and that pullguard runs from a wheel alone."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Build = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def build(source: Path, tmp_path: Path, git: Callable[..., object]) -> Build:
    """Return a function that builds a wheel from a clone."""

    def run(environment: Mapping[str, str]) -> Path:
        git(tmp_path, "clone", "--quiet", str(source), "clone")
        options = ["--no-deps", "--no-build-isolation", "--wheel-dir", "out"]
        command = [sys.executable, "-m", "pip", "wheel", *options, "./clone"]
        subprocess.run(command, cwd=tmp_path, env=dict(environment), capture_output=True, timeout=580, check=True)
        (wheel,) = (tmp_path / "out").iterdir()
        return wheel

    return run


def test_a_wheel_brings_its_engine(build: Build, repository: Path, tmp_path: Path) -> None:
    wheel = build(os.environ)
    tags = r"manylinux_2_17_(\w+)\.manylinux2014_\1\.musllinux_1_1_\1"
    assert re.fullmatch(rf"pullguard-[0-9.]+-py3-none-{tags}\.whl", wheel.name)
    folder = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    ended = subprocess.run(
        [sys.executable, "-m", "pullguard", "check", "-o", "github", "deploy"],
        cwd=repository,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("::error title=pull-policy-always,file=deploy/dns.yaml,line=9::")
    assert os.access(folder / "pullguard" / "bin" / "pullguard-engine", os.X_OK)
    assert (folder / "share/man/man1/pullguard.1").read_text().startswith(".TH PULLGUARD 1")


def test_a_wheel_without_go_is_for_all_platforms(build: Build) -> None:
    wheel = build({"PATH": str(Path(sys.executable).parent)})
    assert wheel.name.endswith("-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "pullguard/bin/pullguard-engine" not in names
    assert names >= {"pullguard/data/library/MANIFEST", "pullguard/data/rego/gatekeeper/batch/batch.rego"}
