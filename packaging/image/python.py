"""pullguard with its dependencies, for the image's Python, and that Python itself: what builds them runs here."""

import csv
import hashlib
import io
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

from image.debian import CannotBuildError, python
from image.tree import Entry, File, Tree, from_folder, without, write

_TIMEOUT = 600.0
# What the image has for this machine, and the tags of wheels for it: those for its C library and older ones.
_TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = range(41, 4, -1)
#: Where the image's Python looks for what Debian does not have, as it is named there.
_EXCLUDED = ("/*/tests", "/bin", "/share", "/_yaml/__pycache__")
_SCRIPT = """#!/usr/bin/{python}
import sys

from {module} import {function}

sys.exit({function}())
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The image's Python, which this machine can run.

    Attributes:
        root: The folder with the image's files.
        architecture: Debian's name of the architecture.
    """

    root: Path
    architecture: str

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Run Python, without looking at Python's files on this machine.

        Raises:
            CannotBuildError: It fails.
        """
        libraries = self.root / "usr/lib" / _TRIPLETS[self.architecture]
        (loader,) = libraries.glob("ld-linux*.so.*")
        command = [str(loader), "--library-path", str(libraries), str(self.root / "usr/bin" / python()), "-S", "-s"]
        others = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [*command, *arguments],
            env={**others, **(environment or {}), "PYTHONHOME": str(self.root / "usr")},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise CannotBuildError(f"{' '.join(arguments)} ended with code {done.returncode}: {done.stderr.strip()}")


@contextmanager
def interpreter(debian: Tree, architecture: str) -> Iterator[Interpreter]:
    """Yield the Python of an image for this machine; its files are there until the end.

    Args:
        debian: Debian's files in the image.
        architecture: That of this machine.
    """
    with tempfile.TemporaryDirectory(prefix="pullguard-image-") as folder:
        write(debian, Path(folder))
        yield Interpreter(Path(folder), architecture)


def packages_folder() -> str:
    """Return the folder in which the image's Python finds what is not from Debian."""
    return f"usr/local/lib/{python()}/dist-packages"


def compiled(runner: Interpreter, tree: Tree) -> dict[str, Entry]:
    """Return a tree with its Python modules compiled as well; the root file system cannot be written later.

    The bytes depend on the modules alone: they state no time, and Python does not look at the sources again.
    """
    with tempfile.TemporaryDirectory(prefix="pullguard-image-") as name:
        folder = Path(name)
        write({path: entry for path, entry in tree.items() if path.endswith(".py")}, folder)
        options = ("-q", "-j1", "--invalidation-mode=unchecked-hash", f"-s{folder}", "-p/")
        runner.run("-m", "compileall", *options, str(folder), environment={"PYTHONHASHSEED": "0"})
        made = {path: entry for path, entry in from_folder(folder).items() if path.endswith(".pyc")}
    return {**tree, **made}


def installed(runner: Interpreter, wheel: Path, lock: Path, architecture: str, pip: Path) -> dict[str, Entry]:
    """Return pullguard and what it needs to run, as pip installs it, in the versions and with the hashes of a lock.

    Args:
        runner: The image's Python for this machine.
        wheel: The wheel of pullguard.
        lock: The lock, in pip's format.
        architecture: Debian's name of the architecture that the image is for.
        pip: The folder of the module pip.

    Raises:
        CannotBuildError: pip fails, for example for a hash.
    """
    name, version, *_ = wheel.name.split("-")
    machine = _PLATFORMS[architecture]
    platforms = (f"linux_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in _GLIBC))
    with tempfile.TemporaryDirectory(prefix="pullguard-image-") as made:
        requirements, target = Path(made, "requirements.txt"), Path(made, "target")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        requirements.write_text(f"{name}[repair]=={version} --hash=sha256:{digest}\n", "utf-8")
        runner.run(
            *(str(pip), "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--only-binary=:all:"),
            *("--require-hashes", f"--requirement={requirements}", f"--constraint={lock}"),
            *(f"--find-links={wheel.parent}", f"--target={target}"),
            *(f"--platform={platform}" for platform in platforms),
        )
        tree = without(from_folder(target), _EXCLUDED)
    kept = {path: _recorded(path, entry, tree) for path, entry in tree.items()}
    place = packages_folder()
    return {**{f"{place}/{path}": entry for path, entry in kept.items()}, **_scripts(kept, name)}


def distributions(tree: Tree) -> list[tuple[str, str, str]]:
    """Return the name, the version and the licence of each Python distribution in a tree, sorted."""
    found = []
    for path, entry in tree.items():
        if path.endswith(".dist-info/METADATA") and isinstance(entry, File):
            fields = BytesParser(policy=compat32).parsebytes(entry.data, headersonly=True)
            found.append((fields["Name"], fields["Version"], fields["License-Expression"] or fields["License"] or ""))
    return sorted(found)


def _recorded(path: str, entry: Entry, tree: Tree) -> Entry:
    """Return an entry; the list of a distribution's files without those that are left out, such as pip's scripts.

    Their hashes would differ each time, since they name the Python that ran pip.
    """
    if not path.endswith(".dist-info/RECORD") or not isinstance(entry, File):
        return entry
    rows = csv.reader(io.StringIO(entry.data.decode()))
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(row for row in rows if row[0] in tree)
    return File(stream.getvalue().encode(), entry.mode)


def _scripts(tree: Tree, name: str) -> dict[str, Entry]:
    """Return the commands that a distribution has; pip's are for the Python that ran pip."""
    (points,) = (
        entry.data.decode()
        for path, entry in tree.items()
        if re.fullmatch(rf"{name}-[^/]+\.dist-info/entry_points\.txt", path) and isinstance(entry, File)
    )
    _, _, section = points.partition("[console_scripts]\n")
    return {
        f"usr/bin/{command}": File(_SCRIPT.format(python=python(), module=module, function=function).encode(), 0o755)
        for command, module, function in re.findall(r"^(\S+)\s*=\s*([\w.]+):(\w+)$", section, re.MULTILINE)
    }
