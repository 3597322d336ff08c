"""The hashes that a release states: written from its files, and what differs from them is named."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pullguard import __version__

Release = Callable[..., "subprocess.CompletedProcess[str]"]

LINUX = "pullguard-0.1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64.whl"
WINDOWS = "pullguard-0.1.0-py3-none-win_amd64.whl"
SOURCE = "pullguard-0.1.0.tar.gz"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def release(checkout: Path, folder: Path) -> Release:
    """Return a function that runs the program in a folder with a release in it."""
    (folder / "integrations").mkdir()
    (folder / "generator" / "pullguard").mkdir(parents=True)
    (folder / "generator" / "pullguard" / "__init__.py").write_text('"""x"""\n\n__version__ = "0.1.0"\n')
    (folder / "dist" / "site").mkdir(parents=True)
    for name in (LINUX, WINDOWS, SOURCE, ".stamp", "site/index.html"):
        (folder / "dist" / name).write_text(name)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(checkout / "packaging" / "release.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


def write(release: Release) -> None:
    for action in ("sums", "lock"):
        ended = release(action, "dist")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_what_is_written(release: Release, folder: Path) -> None:
    write(release)
    written = (folder / "dist" / "SHA256SUMS").read_text()
    assert written == "".join(f"{sha256(name)}  {name}\n" for name in (LINUX, WINDOWS, SOURCE))
    first, second = sorted((sha256(LINUX), sha256(WINDOWS)))
    assert (folder / "integrations" / "release.lock").read_text() == (
        "# The wheels that the CI integrations install. `make release-lock` writes this file.\n"
        f"pullguard==0.1.0 \\\n    --hash=sha256:{first} \\\n    --hash=sha256:{second}\n"
    )
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder / "dist", check=False)
    assert checked.returncode == 0
    write(release)
    assert (folder / "dist" / "SHA256SUMS").read_text() == written
    ended = release("verify", "dist", "--tag", "v0.1.0")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_what_differs_is_named(release: Release, folder: Path) -> None:
    write(release)
    (folder / "dist" / WINDOWS).write_text("another")
    (folder / "dist" / SOURCE).unlink()
    (folder / "dist" / "new.tgz").write_text("")
    ended = release("verify", "dist", "--tag", "v0.2.0")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines() == [
        "new.tgz: SHA256SUMS does not name it",
        f"{SOURCE}: is not there, though SHA256SUMS names it",
        f"{WINDOWS}: has the SHA-256 {sha256('another')}, not {sha256(WINDOWS)}",
        "v0.2.0: is not the tag of 0.1.0",
        f"{WINDOWS}: integrations/release.lock has no hash of it; was it built elsewhere?",
        "integrations/release.lock: has 1 hashes of wheels that are not there",
    ]


def test_a_lock_of_another_release(release: Release, folder: Path) -> None:
    write(release)
    (folder / "generator" / "pullguard" / "__init__.py").write_text('__version__ = "0.2.0"\n')
    ended = release("verify", "dist")
    assert (ended.returncode, ended.stdout.splitlines()) == (
        1,
        [
            "integrations/release.lock: pins 0.1.0, not 0.2.0: run `make release-lock`",
            f"{LINUX}: is not a wheel of 0.2.0",
            f"{WINDOWS}: is not a wheel of 0.2.0",
        ],
    )
    (folder / "integrations" / "release.lock").write_text("# none\n")
    assert "release.lock: pins no release, not 0.2.0" in release("verify", "dist").stdout


def test_what_cannot_be_a_release(release: Release, folder: Path) -> None:
    (folder / "integrations" / "release.lock").write_text("")
    for action in ("sums", "lock", "verify"):
        ended = release(action, "absent")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == "release: absent: holds no file: run `make dist`\n"
    (folder / "dist" / "SHA256SUMS").write_text("x  ../y\n")
    assert release("verify", "dist").stderr == (
        "release: dist/SHA256SUMS:1: is not a SHA-256, two spaces and the name of a file\n"
    )
    (folder / "dist" / "pullguard-0.2.0-py3-none-any.whl").write_text("")
    assert release("lock", "dist").stderr == "release: dist: wheels of one version are expected, not of 2\n"


def test_the_notes_of_a_release(release: Release, folder: Path) -> None:
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        "# Changes\n\n## Unreleased\n\n- New.\n\n## 0.1.0 - 2030-01-02\n\n- First.\n- Second.\n\n## 0.0.9\n\n- Old.\n"
    )
    ended = release("notes", ".")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "- First.\n- Second.\n", "")
    changelog.write_text("## 0.1.0\n\n- All.\n")
    assert release("notes", ".").stdout == "- All.\n"
    changelog.write_text("## 0.1.0-rc1\n\n- Before.\n\n## [0.1.0]\n\n- All.\n")
    assert release("notes", ".").stdout == "- All.\n"
    for without in ("## Unreleased\n\n- x\n", "## 0.1.0\n\n## 0.0.9\n- x\n", "## 0.1.01\n- x\n"):
        changelog.write_text(without)
        ended = release("notes", ".")
        said = "release: CHANGELOG.md: has nothing below a heading `## 0.1.0`\n"
        assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", said)


def test_the_committed_lock(checkout: Path) -> None:
    """It pins no release yet, or the one that the checkout is of."""
    locked = (checkout / "integrations" / "release.lock").read_text()
    assert [line for line in locked.splitlines() if line.startswith("pullguard==")] in (
        [],
        [f"pullguard=={__version__} \\"],
    )
