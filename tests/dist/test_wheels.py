"""Wheels and the sdist: what is in them, that pullguard runs from them alone, and that they are built alike twice."""

import base64
import csv
import email.parser
import hashlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import audit_samples
import engine_parts
from local_cluster.servers import wait_until
from pullguard import __version__

# <goos>-<goarch>, how wheels for it are called, and the architecture that its engine states.
_PLATFORMS = {
    "linux-amd64": ("manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64", ("ELF", 0x3E)),
    "linux-arm64": ("manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64", ("ELF", 0xB7)),
    "darwin-amd64": ("macosx_12_0_x86_64", ("Mach-O", 0x0100_0007)),
    "darwin-arm64": ("macosx_12_0_arm64", ("Mach-O", 0x0100_000C)),
    "windows-amd64": ("win_amd64", ("PE", 0x8664)),
}
_OWN = "linux-arm64" if os.uname().machine == "aarch64" else "linux-amd64"
_INFO = f"pullguard-{__version__}.dist-info"
_MANUAL = f"pullguard-{__version__}.data/data/share/man/man1/pullguard.1"
_SECONDS = 300

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _wheel(checkout: Path, platform: str) -> Path:
    return _built(checkout, f"pullguard-{__version__}-py3-none-{_PLATFORMS[platform][0]}.whl")


def _built(checkout: Path, name: str) -> Path:
    path = checkout / "dist" / name
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make dist-wheels`")
    return path


def _run(*command: "str | Path", **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # type: ignore[call-overload,no-any-return] # as subprocess.run has them
        list(map(str, command)), capture_output=True, text=True, timeout=_SECONDS, check=False, **options
    )


# -- what is in them ----------------------------------------------------------------------------------------------


@pytest.fixture(params=_PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    """Return a platform."""
    name: str = request.param
    return name


def test_a_wheel_holds_the_package_and_an_engine(platform: str, checkout: Path) -> None:
    tags, _ = _PLATFORMS[platform]
    engine = f"pullguard/bin/pullguard-engine{'.exe' if platform.startswith('windows') else ''}"
    with zipfile.ZipFile(_wheel(checkout, platform)) as wheel:
        names = wheel.namelist()
        assert len(names) == len(set(names))
        assert {name for name in names if name.startswith("pullguard/")} == {*_package(checkout), engine}
        own = (
            "METADATA",
            "WHEEL",
            "RECORD",
            "entry_points.txt",
            "licenses/LICENSE",
            "licenses/THIRD_PARTY_LICENSES.txt",
        )
        bills = ("sboms/pullguard.cdx.json", "sboms/pullguard-engine.cdx.json")
        others = {name for name in names if not name.startswith("pullguard/")}
        assert others == {_MANUAL, *(f"{_INFO}/{name}" for name in (*own, *bills))}
        assert wheel.read(_MANUAL).startswith(b".TH PULLGUARD 1")
        assert wheel.getinfo(engine).external_attr >> 16 & 0o777 == 0o755

        lines = wheel.read(f"{_INFO}/WHEEL").decode().splitlines()
        assert [line for line in lines if line.startswith("Tag: ")] == [
            f"Tag: py3-none-{tag}" for tag in sorted(tags.split("."))
        ]
        assert "Root-Is-Purelib: false" in lines
        metadata = email.parser.BytesParser().parsebytes(wheel.read(f"{_INFO}/METADATA"))
        stated = {key: metadata[key] for key in ("Name", "Version", "Requires-Python", "License-Expression")}
        expected = {
            "Name": "pullguard",
            "Version": __version__,
            "Requires-Python": ">=3.10",
            "License-Expression": "Apache-2.0",
        }
        assert stated == expected
        assert metadata.get_all("License-File") == ["LICENSE", "THIRD_PARTY_LICENSES.txt"]

        recorded = {path: (digest, size) for path, digest, size in csv.reader(_text(wheel, f"{_INFO}/RECORD"))}
        assert set(recorded) == set(names)
        assert recorded.pop(f"{_INFO}/RECORD") == ("", "")
        for path, (digest, size) in recorded.items():
            content = wheel.read(path)
            encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={encoded}", len(content)), path


def _text(wheel: zipfile.ZipFile, name: str) -> list[str]:
    return wheel.read(name).decode().splitlines()


def _package(checkout: Path) -> Iterator[str]:
    for folder, inside in {
        "generator/pullguard": "pullguard",
        "rego": "pullguard/data/rego",
        "library": "pullguard/data/library",
    }.items():
        for file in (checkout / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{inside}/{file.relative_to(checkout / folder).as_posix()}"


def test_an_engine_is_for_its_platform(platform: str, checkout: Path) -> None:
    with zipfile.ZipFile(_wheel(checkout, platform)) as wheel:
        (name,) = (name for name in wheel.namelist() if name.startswith("pullguard/bin/"))
        with wheel.open(name) as stream:
            start = stream.read(1 << 16)
    read = {"ELF": _elf, "Mach-O": _mach_o, "PE": _pe}
    (form, machine) = _PLATFORMS[platform][1]
    assert read[form](start) == machine


def _elf(start: bytes) -> int:
    """Return the architecture of a program of Linux, which needs no loader and no library."""
    assert start[:6] == b"\x7fELF\x02\x01"
    kind, machine = struct.unpack_from("<HH", start, 16)
    (headers,) = struct.unpack_from("<Q", start, 32)
    size, count = struct.unpack_from("<HH", start, 54)
    segments = [struct.unpack_from("<I", start, headers + size * number)[0] for number in range(count)]
    dynamic, interpreter = 2, 3
    assert kind == 2  # a program that is linked to a fixed place
    assert not {dynamic, interpreter} & set(segments)
    return int(machine)


def _mach_o(start: bytes) -> int:
    """Return the architecture of a program of macOS, which asks for the version that the tag of its wheel states."""
    magic, machine, _, kind, commands = struct.unpack_from("<IIIII", start)
    assert (magic, kind) == (0xFEEDFACF, 2)
    place, oldest = 32, []
    for _ in range(commands):
        command, size = struct.unpack_from("<II", start, place)
        if command == 0x32:  # LC_BUILD_VERSION
            system, version = struct.unpack_from("<II", start, place + 8)
            oldest.append((system, version >> 16, version >> 8 & 0xFF))
        place += size
    assert oldest == [(1, 12, 0)]
    return int(machine)


def _pe(start: bytes) -> int:
    """Return the architecture of a program of Windows."""
    assert start[:2] == b"MZ"
    (place,) = struct.unpack_from("<I", start, 0x3C)
    assert start[place : place + 4] == b"PE\0\0"
    return int(struct.unpack_from("<H", start, place + 4)[0])


def test_pyproject_states_the_platforms(checkout: Path) -> None:
    (table,) = re.findall(r"(?ms)^\[tool\.hatch.*\.tags\]\n(.*?)\n\n", (checkout / "pyproject.toml").read_text())
    assert dict(re.findall(r'(?m)^(\S+) = "(.*)"$', table)) == {name: tags for name, (tags, _) in _PLATFORMS.items()}


def test_docs_have_the_sizes(platform: str, checkout: Path) -> None:
    wheel = _wheel(checkout, platform)
    page = (checkout / "docs" / "install.md").read_text()
    ((packed, unpacked),) = re.findall(
        rf"(?m)^\|.*\| `{re.escape(_PLATFORMS[platform][0])}\.whl` \| (\d+) \| (\d+) \|$", page
    )
    with zipfile.ZipFile(wheel) as content:
        installed = sum(info.file_size for info in content.infolist())
    assert abs(int(packed) - wheel.stat().st_size / 1e6) < 2
    assert abs(int(unpacked) - installed / 1e6) < 4


# -- what it is made of -------------------------------------------------------------------------------------------


def test_a_bill_lists_what_the_engine_says_it_consists_of(platform: str, checkout: Path) -> None:
    with zipfile.ZipFile(_wheel(checkout, platform)) as wheel:
        bill = wheel.read(f"{_INFO}/sboms/pullguard-engine.cdx.json")
        package = wheel.read(f"{_INFO}/sboms/pullguard.cdx.json")
        texts = wheel.read(f"{_INFO}/licenses/THIRD_PARTY_LICENSES.txt").decode()
        (name,) = (name for name in wheel.namelist() if name.startswith("pullguard/bin/"))
        engine = wheel.read(name)
    assert bill == _built(checkout, f"pullguard-engine-{__version__}-{platform}.cdx.json").read_bytes()
    assert package == _built(checkout, f"pullguard-{__version__}.cdx.json").read_bytes()
    made = json.loads(bill)
    assert not {"serialNumber", "timestamp"} & {*made, *made["metadata"]}
    assert made["metadata"]["component"]["name"] == "pullguard-engine"
    hashes = {entry["name"]: entry["value"] for entry in made["metadata"]["properties"]}
    assert hashes["cdx:gomod:binary:hash:SHA-256"] == hashlib.sha256(engine).hexdigest()
    built_in = dict(re.findall(rb"\ndep\t(\S+)\t(v\S+)\t", engine))
    modules = {name.decode(): version.decode() for name, version in built_in.items()}
    components = {component["name"]: component for component in made["components"]}
    assert modules == {name: each["version"] for name, each in components.items() if name != "std"}
    assert len(modules) > 100
    # Each has its text, below a line with all that is licensed by it.
    licensed = dict(re.findall(r"(?m)^(\S+ \S+): ([\w. -]+)$", texts.partition("=" * 100)[0]))
    of_texts = {line.partition(": ")[0] for line in texts.splitlines() if re.match(r"\S+ (?:v|go)\d\S*: ", line)}
    for name, component in components.items():
        shown = f"{name} {component['version']}"
        stated = component["licenses"][0]
        assert licensed[shown] == (stated.get("expression") or stated["license"]["id"])
        assert shown in of_texts
    allowed = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}
    assert {each for stated in licensed.values() for each in stated.split(" AND ")} <= allowed


def test_bills_are_valid(checkout: Path) -> None:
    program = (
        "import sys\n"
        "from cyclonedx.schema import SchemaVersion\n"
        "from cyclonedx.validation.json import JsonStrictValidator\n"
        "for name in sys.argv[1:]:\n"
        "    print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(name).read()))\n"
    )
    python = checkout / ".tools" / "packaging" / "bin" / "python"
    files = [f"pullguard-{__version__}.cdx.json", f"pullguard-engine-{__version__}-{_OWN}.cdx.json"]
    ended = _run(python, "-c", program, *(_built(checkout, name) for name in files))
    assert (ended.stdout, ended.stderr) == ("None\n" * 2, "")


def test_the_bill_of_the_package_lists_what_it_needs(checkout: Path) -> None:
    made = json.loads(_built(checkout, f"pullguard-{__version__}.cdx.json").read_text())
    lock = (checkout / "integrations" / "requirements.lock").read_text()
    listed = {(component["name"], component["version"]) for component in made["components"]}
    assert listed == set(re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", lock))
    component = made["metadata"]["component"]
    assert (component["name"], component["version"]) == ("pullguard", __version__)


_MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
_BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted."


def _module(folder: Path, files: Mapping[str, str], *folders: str) -> engine_parts.Module:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return engine_parts.Module("example.com/m", "v1.0.0", folder, folders or (".",))


@pytest.mark.parametrize(
    ("files", "folders", "expected"),
    [
        ({"LICENSE": _MIT}, (), ["MIT"]),
        ({"LICENSE.md": f"{_BSD} Neither the name of Google"}, (), ["BSD-3-Clause"]),
        ({"LICENCE": _BSD}, (), ["BSD-2-Clause"]),
        ({"COPYING": "Apache License\n   Version 2.0, January 2004", "NOTICE": "By us."}, (), ["Apache-2.0"]),
        (
            {"LICENSE": _MIT, "a/b/LICENSE": _BSD, "c/LICENSE": "secret", "a/b/license.go": ""},
            ("a/b",),
            ["BSD-2-Clause", "MIT"],
        ),
        ({"LICENSE": _MIT, "LICENSE.docs": "Attribution-ShareAlike 4.0 International"}, (), ["MIT"]),
        (
            {"LICENSE": "Mozilla Public License, version 2.0 ... GNU General Public License, Version 2.0"},
            (),
            ["MPL-2.0"],
        ),
    ],
)
def test_licenses_are_known_by_their_words(
    files: Mapping[str, str], folders: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    assert engine_parts.identifiers(engine_parts.texts(_module(tmp_path, files, *folders))) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"^example\.com/m v1\.0\.0 has no license: see "),
        ({"NOTICE": "By us."}, r"^example\.com/m v1\.0\.0 has no license: see "),
        ({"LICENSE.docs": "Attribution-ShareAlike 4.0 International"}, r" has no license: see "),
        (
            {"LICENSE": "All rights reserved."},
            r"^example\.com/m v1\.0\.0: LICENSE is a license that is not known: read it",
        ),
        (
            {"COPYING": "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3"},
            r": COPYING does not let everybody pass the engine on",
        ),
        (
            {"LICENSE": "GNU GENERAL PUBLIC LICENSE Version 2, June 1991"},
            r": LICENSE does not let everybody pass the engine on",
        ),
    ],
)
def test_licenses_that_are_missing_or_refused(files: Mapping[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(engine_parts.PartsError, match=message):
        engine_parts.texts(_module(tmp_path, files))


# -- that they work alone -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offline:
    """A network of its own: without anything but loopback, where it can be made, and there a package index.

    Attributes:
        through: The command that runs others in it.
        index: The address of the index.
    """

    through: tuple[str, ...]
    index: str

    def run(self, *command: "str | Path", folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a program with an empty PATH."""
        environment = {"PATH": "", "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull, **variables}
        assignments = [f"{name}={value}" for name, value in environment.items()]
        command = (*self.through, "/usr/bin/env", "-i", *assignments, *command)
        return _run(*command, cwd=folder)


@pytest.fixture(scope="session")
def wheelhouse(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel, all that it needs, and the pip that pipx wants: nothing else needs a network."""
    lock = checkout / "integrations" / "requirements.lock"
    kept = (
        checkout / ".tools" / "wheelhouse" / hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    )
    if not kept.is_dir():
        folder = kept.with_suffix(".new")
        shutil.rmtree(folder, ignore_errors=True)
        options = ("--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--dest", folder)
        _run(sys.executable, "-m", "pip", "download", *options, "--require-hashes", "-r", lock).check_returncode()
        _run(sys.executable, "-m", "pip", "download", *options, "pip", "setuptools", "wheel").check_returncode()
        folder.rename(kept)
    folder = tmp_path_factory.mktemp("wheelhouse")
    for file in (*kept.iterdir(), _wheel(checkout, _OWN)):
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="session")
def offline(checkout: Path, wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """Yield an index with the wheel and what it needs, and nothing else, on a network that has nothing else."""
    server = checkout / ".tools" / "packaging" / "bin" / "pypi-server"
    port = "8080"
    own = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] if os.geteuid() == 0 else []
    if not own:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
    command = [
        *own,
        str(server),
        "run",
        "--interface=127.0.0.1",
        f"--port={port}",
        "--disable-fallback",
        str(wheelhouse),
    ]
    log = tmp_path_factory.mktemp("index") / "log"
    with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            through = ("/usr/bin/nsenter", f"--net=/proc/{process.pid}/ns/net") if own else ()
            ask = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/simple/pullguard/')"
            wait_until(
                lambda: process.poll() is not None or _run(*through, sys.executable, "-c", ask).returncode == 0,
                timeout=60,
                what="the index to answer",
            )
            assert process.poll() is None, log.read_text()
            yield Offline(through, f"http://127.0.0.1:{port}/simple/")
        finally:
            process.terminate()


@pytest.fixture(scope="session", params=["pip", "pipx"])
def installed(
    request: pytest.FixtureRequest, offline: Offline, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the program `pullguard`, installed from the index."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    index = {"PIP_INDEX_URL": offline.index, "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if request.param == "pip":
        _run(sys.executable, "-m", "venv", folder / "environment").check_returncode()
        command: list[str | Path] = [folder / "environment" / "bin" / "python", "-m", "pip", "install", "pullguard"]
        program = folder / "environment" / "bin" / "pullguard"
    else:
        pipx = checkout / ".tools" / "packaging" / "bin" / "pipx"
        command = [pipx, "install", "--python", Path(sys.executable).resolve(), "pullguard"]
        index |= {"PIPX_HOME": str(folder / "home"), "PIPX_BIN_DIR": str(folder / "bin")}
        program = folder / "bin" / "pullguard"
    ended = offline.run(*command, folder=folder, **index)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return program


def test_a_wheel_is_all_that_is_needed(
    installed: Path, offline: Offline, folder: Path, checkout: Path, gatekeeper_manifest: Path
) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        ended = offline.run(installed, *arguments, folder=folder)
        assert (ended.stderr, ended.returncode) == ("", code)
        return ended.stdout

    shutil.copy(gatekeeper_manifest, folder / "gatekeeper.yaml")
    shutil.copy(checkout / "pullguard.yaml", folder)
    version = json.loads(run("version", "--json"))
    engine = Path(version["engine"]["path"])
    assert engine.is_relative_to(installed.parent.parent)
    assert (version["pullguard"], version["engine"]["version"]) == (__version__, __version__)
    assert version["notes"] == version["errors"] == []
    assert set(version["programs"].values()) == {None}

    report = json.loads(run("check", "-o", "json", "gatekeeper.yaml", code=1))
    assert {finding["rule"] for finding in report["findings"]} == {"pull-policy-always"}
    run("fix", "gatekeeper.yaml")
    assert json.loads(run("check", "-o", "json", "gatekeeper.yaml"))["findings"] == []
    run("generate", "--out", "own")
    assert (folder / "own" / "MANIFEST").read_bytes() == (checkout / "library" / "MANIFEST").read_bytes()
    assert re.search(r"^\d+ passed: ", run("test", "own/policies/protected_pull_policy"), re.MULTILINE)
    (folder / "dump.json").write_text(audit_samples.shop())
    audit = json.loads(run("audit", "-o", "json", "dump.json", code=1))
    assert audit["format"].startswith("pullguard-audit/")
    assert run("explain", "pull-policy-always").startswith("# ")
    assert run("--version") == f"pullguard {__version__}\n"


# -- how they are built -------------------------------------------------------------------------------------------


def _source(checkout: Path, folder: Path, git: Run) -> Path:
    """Return a copy of what Git knows or would know of the checkout, with the tools that build wheels."""
    names = git(checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    for name in filter(None, names.split("\0")):
        if (checkout / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, folder / name)
    (folder / ".tools" / "bin").mkdir(parents=True)
    (folder / ".tools" / "packaging").symlink_to(checkout / ".tools" / "packaging")
    (folder / ".tools" / "bin" / "cyclonedx-gomod").symlink_to(checkout / ".tools" / "bin" / "cyclonedx-gomod")
    return folder


def test_two_builds_give_the_same_bytes(checkout: Path, tmp_path: Path, git: Run) -> None:
    source = _source(checkout, tmp_path / "another place", git)
    for file in source.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(file.stat().st_mode & 0o700 | 0o040)
            os.utime(file, (1_000_000_000, 1_000_000_000))
    wheel, sdist = _wheel(checkout, _OWN), _built(checkout, f"pullguard-{__version__}.tar.gz")
    strange = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "COLUMNS": "40", "PYTHONHASHSEED": "7", "MAKEFLAGS": ""}
    ended = _run(
        *("sh", "-c", 'umask 077; exec make "$@"', "sh", f"PYTHON={sys.executable}"),
        *(f"dist/{wheel.name}", f"dist/{sdist.name}"),
        cwd=source,
        env={**os.environ, **strange},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for path in (wheel, sdist):
        assert (source / "dist" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_wheel_can_be_built_from_the_sdist(checkout: Path, tmp_path: Path) -> None:
    sdist = _built(checkout, f"pullguard-{__version__}.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "THIRD_PARTY_LICENSES.txt",
        "tools/go.sum",
        "tools/engine/main.go",
    }
    assert not [
        name for name in names if name.startswith((".tools", ".venv", "dist", "build", "integrations", "tests"))
    ]
    wheel = _pip_wheel(sdist, tmp_path, dict(os.environ))
    assert wheel.name == _wheel(checkout, _OWN).name
    with zipfile.ZipFile(wheel) as built, zipfile.ZipFile(_wheel(checkout, _OWN)) as released:
        bills = {name for name in released.namelist() if "/sboms/" in name}
        assert set(built.namelist()) == set(released.namelist()) - bills
        engine = "pullguard/bin/pullguard-engine"
        assert built.read(engine) == released.read(engine)
        text = f"{_INFO}/licenses/THIRD_PARTY_LICENSES.txt"
        assert built.read(text) == released.read(text)


def test_without_go_a_wheel_is_for_all_platforms_and_has_no_engine(checkout: Path, tmp_path: Path) -> None:
    sdist = _built(checkout, f"pullguard-{__version__}.tar.gz")
    wheel = _pip_wheel(sdist, tmp_path, {"PATH": str(Path(sys.executable).parent)})
    assert wheel.name == f"pullguard-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
        assert "Root-Is-Purelib: true" in _text(content, f"{_INFO}/WHEEL")
    assert not {name for name in names if name.startswith("pullguard/bin/")}
    assert names >= {"pullguard/data/library/MANIFEST", "pullguard/data/rego/gatekeeper/batch/batch.rego"}


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("plan9-mips", "PULLGUARD_PLATFORM=plan9-mips: pyproject.toml has no tag for it, only for linux-amd64, "),
        ("linux-arm64", "pullguard-engine is missing: `make dist-wheels` builds it, and the wheel"),
    ],
)
def test_platforms_that_cannot_be_built_for(
    checkout: Path, tmp_path: Path, git: Run, platform: str, message: str
) -> None:
    source = _source(checkout, tmp_path / "source", git)
    hatchling = source / ".tools" / "packaging" / "bin" / "hatchling"
    ended = _run(
        hatchling, "build", "--target", "wheel", cwd=source, env={**os.environ, "PULLGUARD_PLATFORM": platform}
    )
    assert ended.returncode == 1
    assert message in ended.stderr


def _pip_wheel(sdist: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index")
    ended = _run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, sdist, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
