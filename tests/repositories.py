"""Fixtures: a clone of pullguard's repository, a release of it, a user's repository, and an environment without Go."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

# A manifest with one finding on line 9.
_ALWAYS = """\
apiVersion: v1
kind: Pod
metadata:
  name: dns
  namespace: kube-system
spec:
  containers:
    - name: main
      imagePullPolicy: Always
      image: registry.example.com/dns:v1
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def git() -> Run:
    """Return a function that runs git in a folder."""

    def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)

    return run


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, checkout: Path, git: Run) -> Path:
    """Return a repository with the contents of the checkout and, as the only build output, the engine."""
    folder = tmp_path_factory.mktemp("source") / "pullguard"
    names = git(checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    for name in filter(None, names.split("\0")):
        if (checkout / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    # Git ignores the engine, and a wheel includes it as it is: building it takes minutes, and Go.
    engine = Path(".tools", "bin", "pullguard-engine")
    (folder / engine).parent.mkdir(parents=True)
    shutil.copy2(checkout / engine, folder / engine)
    return folder


@dataclass(frozen=True, slots=True)
class Release:
    """A release as CI systems find it.

    Attributes:
        source: The repository, whose integrations/release.lock pins the wheels.
        wheels: The folder of the package index.
        index: The settings of pip by which it finds the index, beside the one that has the dependencies.
        version: The version of pullguard.
    """

    source: Path
    wheels: Path
    index: Mapping[str, str]
    version: str


def examples(checkout: Path) -> Mapping[str, Any]:
    """Return the files that docs/ci.md shows, by the name in their first line; the first of each."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", (checkout / "docs/ci.md").read_text(), re.DOTALL)
    return {name: yaml.safe_load(text) for name, text in reversed(blocks)}


@contextlib.contextmanager
def serve_wheels(checkout: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a package index on loopback that has the packages of a folder, and no others."""
    program = checkout / ".tools" / "packaging" / "bin" / "pypi-server"
    if not program.is_file():
        pytest.fail(f"{program} is missing: run `make dist-wheels`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--interface=127.0.0.1", f"--port={port}", "--disable-fallback", "--backend=simple-dir"]
    with subprocess.Popen(
        [str(program), "run", *options, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert server.poll() is None, "the index ended"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/simple"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, checkout: Path, source: Path, git: Run) -> Iterator[Release]:
    """Yield a release of the wheels in dist/."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "wheels").mkdir()
    wheels = sorted((checkout / "dist").glob("pullguard-*.whl"))
    if not wheels:
        pytest.fail(f"{checkout / 'dist'} has no wheels: run `make dist-wheels`")
    for wheel in wheels:
        shutil.copy2(wheel, folder / "wheels")
    repository = folder / "pullguard"
    git(folder, "clone", "--quiet", str(source), str(repository))
    command = [sys.executable, "packaging/release.py", "lock", str(folder / "wheels")]
    subprocess.run(command, cwd=repository, check=True, timeout=60)
    git(repository, "commit", "--all", "--quiet", "--message", "release")
    with serve_wheels(checkout, folder / "wheels") as address:
        index = {"PIP_EXTRA_INDEX_URL": address}
        yield Release(repository, folder / "wheels", index, wheels[0].name.split("-")[1])


@pytest.fixture
def repository(tmp_path: Path, git: Run) -> Path:
    """Return the repository of a user of pullguard, with a manifest that has a finding."""
    folder = tmp_path / "repository"
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "dns.yaml").write_text(_ALWAYS)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    return folder


@pytest.fixture
def environment(tmp_path: Path, opa: tuple[str, ...]) -> Mapping[str, str]:
    """Return an environment with OPA on PATH and, as far as possible, without Go."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_") or key.lower().endswith("_proxy")}
    path = [str(Path(opa[0]).parent), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    cache = {"PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))}
    return {**kept, **cache, "HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": os.pathsep.join(path)}


@pytest.fixture
def bash(environment: Mapping[str, str]) -> Run:
    """Return a function that runs a script as CI systems do: bash exits at the first command that fails."""

    def run(script: str, *, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(
            command, cwd=cwd, env={**environment, **variables}, capture_output=True, text=True, timeout=600, check=False
        )

    return run
