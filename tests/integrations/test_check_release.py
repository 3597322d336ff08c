"""What the last job of a release runs: it takes nothing for granted of what was published."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from repositories import Release, serve_wheels

Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def page(release: Release, tmp_path: Path) -> Path:
    """Return the files of a release page."""
    folder = tmp_path / "page"
    shutil.copytree(release.wheels, folder)
    subprocess.run([sys.executable, "packaging/release.py", "sums", str(folder)], cwd=release.source, check=True)
    return folder


@pytest.fixture
def check(release: Release, page: Path, environment: Mapping[str, str]) -> Check:
    """Return a function that runs the program in the checkout of the release."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "packaging/check_release.py", str(page), *arguments]
        own = {**environment, **release.index, **variables}
        return subprocess.run(
            command, cwd=release.source, env=own, capture_output=True, text=True, timeout=600, check=False
        )

    return run


def test_a_release(check: Check, release: Release) -> None:
    ended = check("--tag", f"v{release.version}")
    said = f"5 wheels of {release.version} are in the index, as released, and the one for this machine works\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, said, "")


def test_a_page_with_another_file(check: Check, page: Path, release: Release) -> None:
    (wheel,) = page.glob("*win_amd64.whl")
    content = bytearray(wheel.read_bytes())
    content[1000] ^= 1
    wheel.write_bytes(content)
    ended = check("--tag", "v9")
    assert ended.returncode == 1
    assert re.sub("[0-9a-f]{64}", "HASH", ended.stdout).splitlines() == [
        f"{wheel.name}: has the SHA-256 HASH, not HASH",
        f"v9: is not the tag of {release.version}",
        f"{wheel.name}: integrations/release.lock has no hash of it; was it built elsewhere?",
        "integrations/release.lock: has 1 hashes of wheels that are not there",
    ]
    (page / "SHA256SUMS").unlink()
    ended = check()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"check_release: {page}/SHA256SUMS: is not there: run `make dist`\n"


@pytest.mark.parametrize("change", ["bytes", "another", "none"])
def test_an_index_with_other_wheels(change: str, check: Check, page: Path, checkout: Path) -> None:
    """The wheel for this machine is right; one for another machine is not, or is not there."""
    folder = page.parent / "index"
    shutil.copytree(page, folder)
    (wheel,) = folder.glob("*win_amd64.whl")
    if change == "bytes":
        wheel.write_bytes(b"x")
        said = "THESE PACKAGES DO NOT MATCH THE HASHES"
    elif change == "another":  # whose hash pip accepts
        (other,) = folder.glob("*macosx*arm64.whl")
        shutil.copy2(other, wheel)
        said = f"{wheel.name}: the index has other bytes than the release page\n"
    else:
        wheel.unlink()
        said = "No matching distribution found for pullguard=="
    with serve_wheels(checkout, folder) as address:
        ended = check(PIP_EXTRA_INDEX_URL=address)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == said if change == "another" else "--platform=win_amd64" in ended.stdout
    assert said in ended.stdout
