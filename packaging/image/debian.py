"""Debian's packages: those of packages.txt, in the newest version that Debian's mirrors have, unpacked in memory.

apt fetches them and checks their signatures, in a state of its own: for another release of Debian and another
architecture than those of this machine. Nothing is installed, and no script of a package runs.
"""

import io
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from image.tree import Entry, File, Link, Tree, from_tar, without

#: The release that the packages are from.
SUITE = "trixie"
PACKAGES = Path(__file__).with_name("packages.txt")

_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_AUTHORITIES = "usr/share/ca-certificates/mozilla/"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_TIMEOUT = 300.0

#: What is left out: documentation but for licences, other languages, and what nothing here can use.
_EXCLUDED = (
    *("/usr/share/info", "/usr/share/lintian", "/usr/share/locale", "/usr/share/man", "/usr/share/doc-base"),
    *("/usr/share/bug", "/usr/share/base-files", "/usr/share/gcc", "/usr/share/gdb", "/usr/share/binfmts"),
    *("/usr/share/applications", "/usr/share/pixmaps", "/usr/share/ca-certificates", "/usr/share/python3"),
    *("/usr/sbin/update-ca-certificates", "/etc/ca-certificates", "/etc/update-motd.d", "/etc/skel", "/etc/profile.d"),
    *("/etc/ld.so.conf.d", "/etc/python3.13", "/usr/lib/binfmt.d", "/usr/lib/python3.13/sitecustomize.py"),
    # What debuggers and profilers load.
    *(f"/usr/lib/*/lib{name}.so*" for name in ("thread_db", "memusage", "pcprofile", "c_malloc_debug")),
    # Conversions of character sets for C, and providers of old ciphers.
    *("/usr/lib/*/gconv", "/usr/lib/*/engines-3", "/usr/lib/*/ossl-modules", "/usr/lib/*/audit"),
    # Parts of Python for developers, and those that need libraries which are not here.
    *("/usr/lib/python3.13/test", "/usr/lib/python3.13/pydoc_data", "/usr/lib/python3.13/_pyrepl"),
    *("/usr/lib/python3.13/sqlite3", "/usr/lib/python3.13/dbm", "/usr/lib/python3.13/curses"),
    *(f"/usr/lib/python3.13/lib-dynload/{name}.*.so" for name in ("_curses*", "_dbm", "_sqlite3", "readline")),
    *(f"/usr/lib/python3.13/lib-dynload/{name}.*.so" for name in ("_test*", "_xxtestfuzz", "xx*", "_ctypes_test")),
)
_LICENCES = re.compile(r"usr/share/doc/[^/]+/copyright(\.gz)?|usr/share/common-licenses/.*")


class CannotBuildError(Exception):
    """The image cannot be built; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package.

    Attributes:
        name: Its name.
        version: Its version.
        architecture: Its architecture; "all" for any.
        control: What Debian says of it, as `dpkg --status` has it.
        tree: Its files.
    """

    name: str
    version: str
    architecture: str
    control: str
    tree: Tree


def names() -> list[str]:
    """Return the names in packages.txt."""
    return PACKAGES.read_text("utf-8").split()


def python() -> str:
    """Return the name of the image's Python, such as python3.13."""
    (found,) = (name for name in names() if re.fullmatch(r"python3\.\d+-minimal", name))
    return found.removesuffix("-minimal")


def fetched(architecture: str, cache: Path) -> list[Package]:
    """Fetch the packages, as far as they are not there yet.

    Args:
        architecture: Debian's name of the architecture, such as "amd64".
        cache: The folder for packages and for apt's state.

    Raises:
        CannotBuildError: This machine has no apt of Debian, or it refuses.
    """
    state = cache / f"apt-{architecture}"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    options = _options(state, architecture)
    _run(["apt-get", *options, "--quiet=2", "update"], cwd=state)
    debs = cache / f"debs-{architecture}"
    debs.mkdir(exist_ok=True)
    # Each line has an address, the name of a file, its size and its hash. A file that is there already has none.
    listed = _run(["apt-get", *options, "download", "--print-uris", *names()], cwd=state)
    files = [line.split()[1] for line in listed.splitlines() if line.startswith("'")]
    if any(not (debs / file).exists() for file in files):
        _run(["apt-get", *options, "--quiet=2", "download", *names()], cwd=debs)
    found = sorted((_package(debs / file) for file in files), key=lambda package: package.name)
    if [package.name for package in found] != sorted(names()):
        raise CannotBuildError(f"apt found {', '.join(package.name for package in found)}, not what packages.txt has")
    return found


def merged(packages: list[Package]) -> dict[str, Entry]:
    """Return the files of the packages, what their scripts would have made, and what a system needs besides."""
    whole: dict[str, Entry] = {}
    for package in packages:
        whole.update(package.tree)
    authorities = [
        entry.data for path, entry in sorted(whole.items()) if path.startswith(_AUTHORITIES) and isinstance(entry, File)
    ]
    docs = without(whole, ("/usr/share/doc/*/*", "/usr/share/common-licenses"))
    licences = {path: entry for path, entry in whole.items() if _LICENCES.fullmatch(path)}
    return {
        **without(docs, _EXCLUDED),
        **licences,
        _BUNDLE: File(b"".join(each if each.endswith(b"\n") else each + b"\n" for each in authorities)),
        # Where OpenSSL looks.
        "usr/lib/ssl/cert.pem": Link(f"/{_BUNDLE}"),
        # Scanners read here which packages an image without dpkg has.
        **{f"var/lib/dpkg/status.d/{package.name}": File(package.control.encode()) for package in packages},
        "etc/nsswitch.conf": File(b"passwd: files\ngroup: files\nhosts: files dns\n"),
        "usr/bin/python3": Link(python()),
    }


def _options(state: Path, architecture: str) -> list[str]:
    """Return apt's options; the mirrors are those of this machine."""
    sources = state / "sources.list"
    sources.write_text("".join(f"deb [signed-by={_KEYS}] {site} {suite} main\n" for site, suite in _mirrors()), "utf-8")
    values = {
        "Dir::State": state,
        "Dir::State::status": "/dev/null",
        "Dir::Cache": state / "cache",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    }
    return [f"--option={name}={value}" for name, value in values.items()]


def _mirrors() -> list[tuple[str, str]]:
    """Return the mirrors from which this machine has its own packages of Debian, each with a suite of ours."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text("utf-8").splitlines() if "=" in line
    )
    own = release.get("VERSION_CODENAME", "").strip('"')
    listed = _run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"], cwd=Path("/"))
    sites = {name: site for site, name in (line.split() for line in listed.splitlines())}
    found = [
        (sites[f"{own}{suffix}"], f"{SUITE}{suffix}")
        for suffix in ("", "-updates", "-security")
        if f"{own}{suffix}" in sites
    ]
    if release.get("ID", "").strip('"') != "debian" or f"{SUITE}-security" not in {suite for _, suite in found}:
        raise CannotBuildError(
            "apt of this machine has no mirror of Debian and its security updates; "
            "build the image with packaging/image/Dockerfile instead"
        )
    return found


def _package(file: Path) -> Package:
    control = _run(["dpkg-deb", "--field", str(file)], cwd=file.parent)
    fields = dict(re.findall(r"^(\S+): (.*)$", control, re.MULTILINE))
    command = ["dpkg-deb", "--fsys-tarfile", str(file)]
    content = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=True)
    with tarfile.open(fileobj=io.BytesIO(content.stdout)) as archive:
        tree = from_tar(archive)
    return Package(fields["Package"], fields["Version"], fields["Architecture"], control, tree)


def _run(command: list[str], *, cwd: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise CannotBuildError(
            f"{command[0]} is not on this machine: build the image with packaging/image/Dockerfile instead"
        ) from None
    if done.returncode != 0:
        raise CannotBuildError(f"{' '.join(command)} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout
