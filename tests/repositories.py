"""Fixtures: a clone of pullguard's repository, a user's repository, and an environment without Go."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

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
