"""`make demo`: which wheel it takes, and what it says."""

import hashlib
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import demo
from pullguard import __version__

_NAME = "pullguard-1.2.3-py3-none-any.whl"


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a server on loopback that has a release of `someone`."""
    file = tmp_path / "served" / "someone" / "pullguard" / "releases" / "download" / "v1.2.3" / _NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a wheel")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def checkout_with_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with an empty integrations/release.lock."""
    lock = tmp_path / "checkout" / "integrations" / "release.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("# None has been released.\n")
    monkeypatch.setattr(demo, "CHECKOUT", tmp_path / "checkout")
    return tmp_path / "checkout"


def _find(
    folder: Path, stated: str = "", owner: str = demo.NOBODY, releases: str = "http://127.0.0.1:1"
) -> Path | None:
    return demo.find_wheel(stated, built=folder / _NAME, owner=owner, version="1.2.3", releases=releases)


def _state(checkout: Path, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    (checkout / "integrations" / "release.lock").write_text(f"pullguard==1.2.3 \\\n    --hash=sha256:{digest}\n")


def test_a_wheel_that_is_named_comes_first(tmp_path: Path) -> None:
    (tmp_path / _NAME).touch()
    (tmp_path / "other.whl").touch()
    assert _find(tmp_path, str(tmp_path / "other.whl")) == tmp_path / "other.whl"
    with pytest.raises(demo.DemoError, match=r"^WHEEL=nowhere\.whl: there is no such file$"):
        _find(tmp_path, "nowhere.whl")


def test_then_that_of_dist(tmp_path: Path) -> None:
    (tmp_path / _NAME).touch()
    assert _find(tmp_path, owner="someone") == tmp_path / _NAME


def test_nothing_is_fetched_unless_an_owner_is_named(tmp_path: Path, checkout_with_lock: Path) -> None:
    _state(checkout_with_lock, b"a wheel")
    assert _find(tmp_path) is None


def test_a_release_is_fetched_and_held_to_its_hash(
    tmp_path: Path, checkout_with_lock: Path, releases: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _find(tmp_path, owner="someone", releases=releases) is None
    assert capsys.readouterr().out == (
        "integrations/release.lock states no hash yet, so the wheel of a release is not fetched.\n"
    )
    _state(checkout_with_lock, b"a wheel")
    found = _find(tmp_path, owner="someone", releases=releases)
    assert found is not None
    assert found.read_bytes() == b"a wheel"
    assert _find(tmp_path, owner="nobody", releases=releases) is None
    assert "It is not there (HTTP Error 404: File not found)." in capsys.readouterr().out
    _state(checkout_with_lock, b"another wheel")
    with pytest.raises(demo.DemoError, match=r"is not what integrations/release\.lock states: do not use it"):
        _find(tmp_path, owner="someone", releases=releases)


def test_make_demo_with_a_wheel(checkout: Path) -> None:
    wheels = sorted((checkout / "dist").glob(f"pullguard-{__version__}-py3-none-*{os.uname().machine}.whl"))
    if not wheels:
        pytest.fail("dist/ has no wheel for this machine: run `make dist-wheels`")
    wheel = next(each for each in wheels if "linux" in each.name)
    ended = subprocess.run(
        ["make", "--no-print-directory", "demo", f"WHEEL={wheel}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = [line for line in ended.stdout.splitlines() if not line.startswith("Making an environment")]
    assert lines[:5] == [
        f"Installing {wheel.name} into .tools/demo ...",
        "Fetching the manifest of Gatekeeper ...",
        "",
        "pullguard check .tools/manifests/gatekeeper.yaml",
        "",
    ]
    readme = (checkout / "README.md").read_text()
    assert "\n".join(lines[5:]).split("\n\n")[0] in readme


def test_without_a_wheel_and_without_go() -> None:
    command = ["--built=nowhere.whl", f"--owner={demo.NOBODY}", "--version=1.2.3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        with pytest.raises(
            demo.DemoError, match=r"^there is no wheel, and no Go to build pullguard with: name a wheel "
        ):
            demo.run(command)
