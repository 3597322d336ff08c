"""The plugin of kubectl as krew installs it: from a local archive, with the real krew and kubectl."""

import hashlib
import os
import re
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: kube-system}
spec:
  containers:
  - {name: a, image: "registry.k8s.io/a:v1", imagePullPolicy: Always}
"""
PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64")
VERSIONS = ("310", "311", "312", "313", "314")
# The compiled parts, as their platforms name files.
COMPILED = {
    "linux-amd64": "x86_64-linux-gnu.so",
    "linux-arm64": "aarch64-linux-gnu.so",
    "darwin-amd64": "darwin.so",
    "darwin-arm64": "darwin.so",
    "windows-amd64": "win_amd64.pyd",
}


@pytest.fixture(scope="session")
def dist(checkout: Path) -> Path:
    """Return dist/, which holds the plugin."""
    if not (checkout / "dist" / "pullguard.yaml").is_file():
        pytest.fail("dist/ does not hold the plugin: run `make dist-kubectl`")
    return checkout / "dist"


@pytest.fixture(scope="session")
def manifest(dist: Path) -> Any:
    return yaml.safe_load((dist / "pullguard.yaml").read_text("utf-8"))


def _archive(dist: Path, platform: str) -> Path:
    (path,) = dist.glob(f"kubectl-pullguard-*-{platform}.tar.gz")
    return path


class Plugin:
    """kubectl with krew and Python on PATH, and nothing else.

    Args:
        checkout: The checkout, which has the programs.
        folder: An empty folder.
    """

    def __init__(self, checkout: Path, folder: Path) -> None:
        programs = folder / "programs"
        programs.mkdir()
        for name, program in (("kubectl", "kubectl"), ("kubectl-krew", "krew")):
            found = checkout / ".tools" / "bin" / program
            if not os.access(found, os.X_OK):
                pytest.fail(f"{found} is missing: run `make {found.relative_to(checkout)}`")
            (programs / name).symlink_to(found)
        (programs / "python3").symlink_to(shutil.which("python3", path="/usr/bin:/usr/local/bin") or "")
        self.root = folder / "krew"
        # What krew takes for the clone of an index: it looks for one, though nothing here is installed from it.
        (self.root / "index" / "default" / ".git").mkdir(parents=True)
        (self.root / "index" / "default" / "plugins").mkdir()
        self.environment = {
            "PATH": f"{self.root}/bin:{programs}",
            "HOME": str(folder),
            "KREW_ROOT": str(self.root),
            "KREW_NO_UPGRADE_CHECK": "1",
        }
        self.folder = folder

    def __call__(self, *arguments: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run kubectl."""
        done = subprocess.run(
            [self.folder / "programs" / "kubectl", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def plugin(checkout: Path, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """Return kubectl with the plugin, which krew has installed from the archive for this machine."""
    found = Plugin(checkout, tmp_path_factory.mktemp("plugin"))
    done = found(
        "krew", "install", f"--manifest={dist / 'pullguard.yaml'}", f"--archive={_archive(dist, 'linux-amd64')}"
    )
    assert "Installed plugin: pullguard" in done.stderr
    assert "It needs Python 3.10 to 3.14 as python3 on PATH" in done.stderr
    return found


def test_kubectl_finds_it(plugin: Plugin) -> None:
    assert plugin("krew", "list").stdout.split() == ["detached/pullguard"]
    names = plugin("plugin", "list", "--name-only").stdout.splitlines()
    assert [name for name in names if name.startswith("kubectl-")] == ["kubectl-pullguard", "kubectl-krew"]
    assert plugin("pullguard", "--version").stdout.startswith("pullguard 0.1.0")


def test_it_checks_manifests(plugin: Plugin) -> None:
    (plugin.folder / "pod.yaml").write_text(POD, "utf-8")
    done = plugin("pullguard", "check", "pod.yaml", check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(
        "pod.yaml:6: high: pull-policy-always\n  Pod kube-system/web, container a\n"
        '  container "a" image "registry.k8s.io/a:v1": imagePullPolicy is Always: cannot start without its registry;'
    )
    (plugin.folder / "pod.yaml").write_text(POD.replace("Always", "IfNotPresent"), "utf-8")
    assert plugin("pullguard", "check", "pod.yaml").returncode == 0


def test_it_generates_a_library_and_tests_it(plugin: Plugin) -> None:
    plugin("pullguard", "init")
    plugin("pullguard", "generate")
    tested = plugin("pullguard", "test", "library/policies/protected_pull_policy").stdout
    assert re.search(r"^\d+ passed: \d+ cases in 1 Suites", tested, re.MULTILINE)


def test_it_is_removed_without_a_trace(plugin: Plugin) -> None:
    plugin("krew", "uninstall", "pullguard")
    assert [path for path in plugin.root.rglob("*") if path.is_file() or path.is_symlink()] == []


def test_krew_finds_the_manifest_valid(checkout: Path, dist: Path) -> None:
    done = subprocess.run(
        [checkout / ".tools/bin/validate-krew-manifest", "-skip-install", f"-manifest={dist / 'pullguard.yaml'}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_krew_refuses_an_archive_that_was_changed(checkout: Path, dist: Path, tmp_path: Path) -> None:
    plugin = Plugin(checkout, tmp_path)
    changed = tmp_path / "changed.tar.gz"
    changed.write_bytes(_archive(dist, "linux-amd64").read_bytes() + b"\0")
    done = plugin("krew", "install", f"--manifest={dist / 'pullguard.yaml'}", f"--archive={changed}", check=False)
    assert done.returncode == 1
    assert "checksum does not match" in done.stderr


def test_the_manifest_names_the_archives(dist: Path, manifest: Any) -> None:
    found = manifest["spec"]["platforms"]
    assert ["{os}-{arch}".format(**platform["selector"]["matchLabels"]) for platform in found] == list(PLATFORMS)
    for name, platform in zip(PLATFORMS, found, strict=True):
        archive = _archive(dist, name)
        assert platform["uri"].endswith(f"/pullguard/releases/download/v0.1.0/{archive.name}")
        assert platform["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_archive_holds_what_its_platform_needs(dist: Path, manifest: Any, platform: str) -> None:
    with tarfile.open(_archive(dist, platform)) as archive:
        members = {entry.name: entry for entry in archive}
        windows = platform.startswith("windows")
        program, engine = ("kubectl-pullguard.exe", ".exe") if windows else ("kubectl-pullguard", "")
        assert members[program].mode == members[f"lib/pullguard/bin/pullguard-engine{engine}"].mode == 0o755
        assert {entry.mtime for entry in members.values()} == {0}
        assert {"LICENSE", "lib/pullguard/cli.py", "lib/pullguard/data/library/MANIFEST"} <= set(members)
        for version in VERSIONS:
            (compiled,) = (name for name in members if name.startswith(f"lib-cp{version}/yaml/_yaml."))
            assert f"{version}-" in compiled
            assert compiled.endswith(COMPILED[platform])
        start = archive.extractfile(program)
        assert start is not None
        content = start.read()
    stated = next(entry for entry in manifest["spec"]["platforms"] if platform in entry["uri"])
    assert stated["bin"] == program
    if windows:
        offset = struct.unpack_from("<I", content, 0x3C)[0]
        assert (content[:2], content[offset : offset + 4]) == (b"MZ", b"PE\0\0")
        assert struct.unpack_from("<H", content, offset + 4)[0] == 0x8664  # x86_64
    else:
        assert content.startswith(b"#!/usr/bin/env python3\n")


def test_an_unsupported_python_is_named(dist: Path, tmp_path: Path) -> None:
    with tarfile.open(_archive(dist, "linux-amd64")) as archive:
        archive.extract("kubectl-pullguard", tmp_path, filter="data")
    done = subprocess.run(
        [tmp_path / "kubectl-pullguard", "check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("pullguard: this plugin needs Python 3.10 to 3.14, and python3 on PATH is 3.")
