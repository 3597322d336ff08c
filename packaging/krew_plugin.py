"""Writes `kubectl pullguard` for krew: an archive for each platform, and the manifest of the plugin.

An archive holds the package of a wheel with its engine, what it depends on for each version of Python, and a program
that runs it with the Python on PATH. The same wheels and the same lock give the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.markers import Marker

from archives import tar

_VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

# What the lock has for aiohttp: opa-python-client imports it, 14 MB for five versions of Python, but pullguard never
# calls that part of it. _AIOHTTP stands in.
_UNUSED = {
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "async-timeout",
    "attrs",
    "frozenlist",
    "multidict",
    "propcache",
    "typing-extensions",
    "yarl",
}
_AIOHTTP = '''\
"""Stands in for aiohttp, which opa-python-client imports; nothing in this archive calls it."""


def __getattr__(name: str) -> type:
    return type(name, (), {})
'''

# By platform: what pip calls it, newest first, and what markers read of it.
_PLATFORMS = {
    "linux-amd64": (("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"), "linux"),
    "linux-arm64": (("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"), "linux"),
    "darwin-amd64": (
        ("macosx_12_0_x86_64", "macosx_11_0_x86_64", "macosx_10_13_x86_64", "macosx_10_9_x86_64"),
        "darwin",
    ),
    "darwin-arm64": (("macosx_12_0_arm64", "macosx_11_0_arm64"), "darwin"),
    "windows-amd64": (("win_amd64",), "win32"),
}

_LAUNCHER = '''\
"""Runs pullguard, which is in the folder of this program, with the Python on PATH."""

import os
import sys

folder = os.path.dirname(os.path.realpath({file}))
version = "cp%d%d" % sys.version_info[:2]
own = os.path.join(folder, "lib-" + version)
if not os.path.isdir(own):
    sys.stderr.write(
        "pullguard: this plugin needs Python {first} to {last}, and {program} on PATH is %s; with another version, "
        "install pullguard with pip or pipx\\n" % sys.version.split()[0]
    )
    sys.exit(2)
sys.path[:1] = [own, os.path.join(folder, "lib")]
sys.argv[0] = "kubectl-pullguard"

from pullguard.__main__ import main

sys.exit(main())
'''

_MANIFEST = """\
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: pullguard
spec:
  version: v{version}
  homepage: https://github.com/{owner}/pullguard
  shortDescription: Find what cannot restart without its image registry
  description: |
    When the image registry is gone, pods with imagePullPolicy Always cannot restart, even if their image is on the
    node.
    This plugin checks manifests for that, forecasts what falls in an outage of the registry (kubectl pullguard outage),
    audits a cluster with Gatekeeper (kubectl pullguard audit), and fixes manifests.
  caveats: |
    It needs Python {first} to {last} as python3 on PATH (python on Windows), and glibc on Linux.
    krew does not install the program by which kubectl completes plugins: install pullguard with pip or pipx for that.
  platforms:
"""
_PLATFORM = """\
    - selector:
        matchLabels:
          os: {os}
          arch: {arch}
      uri: https://github.com/{owner}/pullguard/releases/download/v{version}/{archive}
      sha256: {digest}
      bin: {program}
"""


def main() -> None:
    """Write an archive, or the manifest of archives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True, help="the version of pullguard")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    commands = parser.add_subparsers(required=True, dest="command")
    archive = commands.add_parser("archive")
    archive.add_argument("--platform", choices=_PLATFORMS, required=True)
    archive.add_argument("--wheel", type=Path, required=True, help="the wheel of pullguard for the platform")
    archive.add_argument("--lock", type=Path, required=True, help="the lock of what the package depends on")
    archive.add_argument(
        "--wheels", type=Path, required=True, help="the folder for downloaded wheels, kept between runs"
    )
    archive.add_argument("--license", type=Path, required=True, help="the file LICENSE")
    manifest = commands.add_parser("manifest")
    manifest.add_argument("--owner", required=True, help="who owns the repository on GitHub")
    manifest.add_argument("archives", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "manifest":
        arguments.out.write_text(_manifest(arguments.archives, arguments.version, arguments.owner), "utf-8")
        return
    tags, system = _PLATFORMS[arguments.platform]
    folder = arguments.wheels / arguments.platform
    wheels = {version: _download(arguments.lock, folder / version, version, tags, system) for version in _VERSIONS}
    files = _libraries(arguments.wheel, wheels)
    files["LICENSE"] = arguments.license.read_bytes()
    files["lib/aiohttp.py"] = _AIOHTTP.encode()
    program, content = _program(system)
    files[program] = content
    programs = {program, *(name for name in files if name.startswith("lib/pullguard/bin/"))}
    arguments.out.write_bytes(gzip.compress(tar(files, programs), compresslevel=6, mtime=0))


def _download(lock: Path, folder: Path, version: str, tags: Sequence[str], system: str) -> list[Path]:
    """Download the wheels of the requirements for a version of Python on a platform, by the hashes of the lock."""
    environment = {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    blocks = re.findall(
        r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=\S+(?: \\)?\n)+)",
        lock.read_text("utf-8"),
        re.MULTILINE,
    )
    wanted = [
        f"{name}=={pinned} {' '.join(hashes.replace(chr(92), ' ').split())}\n"
        for name, pinned, marker, hashes in blocks
        if name not in _UNUSED and (not marker or Marker(marker).evaluate(environment))
    ]
    stated = "".join(wanted)
    requirements = folder / "requirements.txt"
    if not requirements.is_file() or requirements.read_text("utf-8") != stated:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        pending = folder / "pending.txt"
        pending.write_text(stated, "utf-8")
        options = [f"--python-version={version}", "--implementation=cp", *(f"--platform={tag}" for tag in tags)]
        options += ["--only-binary=:all:", "--require-hashes", f"--requirement={pending}", f"--dest={folder}"]
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*download, *options], check=True, timeout=600)
        # Under this name it says that all of them are there.
        pending.rename(requirements)
    return sorted(folder.glob("*.whl"))


def _libraries(package: Path, wheels: Mapping[str, Sequence[Path]]) -> dict[str, bytes]:
    """Return the files of wheels: those of most versions of Python in lib/, others in a folder for each version."""
    files = _contents(package, "lib")
    count = Counter(path.name for paths in wheels.values() for path in paths)
    shared: dict[str, str] = {}
    for name in sorted(count, key=lambda name: (-count[name], name)):
        if not re.search(r"-cp3\d+-cp3\d+-", name):
            shared.setdefault(name.split("-")[0], name)
    for version, paths in wheels.items():
        own = f"lib-cp{version.replace('.', '')}"
        for path in paths:
            files.update(_contents(path, "lib" if path.name in shared.values() else own))
    return files


def _contents(wheel: Path, folder: str) -> dict[str, bytes]:
    """Return the files of a wheel but for its tests, by their place in a folder."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            f"{folder}/{name}": archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/") and "/tests/" not in name and ".data/" not in name
        }


def _program(system: str) -> tuple[str, bytes]:
    """Return the name and the content of the program that kubectl runs."""
    if system != "win32":
        text = _LAUNCHER.format(file="__file__", first=_VERSIONS[0], last=_VERSIONS[-1], program="python3")
        return "kubectl-pullguard", f"#!/usr/bin/env python3\n{text}".encode()
    # The launcher of pip's programs on Windows: it runs the archive behind it with the Python that is named between.
    from pip._vendor import distlib  # noqa: PLC0415 - only one platform needs it

    text = _LAUNCHER.format(file="os.path.dirname(__file__)", first=_VERSIONS[0], last=_VERSIONS[-1], program="python")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py"), text)
    launcher = Path(distlib.__file__).with_name("t64.exe").read_bytes()
    return "kubectl-pullguard.exe", launcher + b"#!/usr/bin/env python\r\n" + buffer.getvalue()


def _manifest(archives: Sequence[Path], version: str, owner: str) -> str:
    """Return the manifest of the plugin."""
    text = _MANIFEST.format(version=version, owner=owner, first=_VERSIONS[0], last=_VERSIONS[-1])
    for path in archives:
        system, arch = path.name.removesuffix(".tar.gz").split("-")[-2:]
        text += _PLATFORM.format(
            os=system,
            arch=arch,
            owner=owner,
            version=version,
            archive=path.name,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            program=json.dumps("kubectl-pullguard.exe" if system == "windows" else "kubectl-pullguard"),
        )
    return text


if __name__ == "__main__":
    main()
