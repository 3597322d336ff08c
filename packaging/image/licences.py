"""The licences of the Go modules that a program consists of, from the modules themselves."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from image.debian import CannotBuildError
from image.tree import Entry, File

_TIMEOUT = 300.0
_LICENCE = re.compile(r"(licen[cs]e|copying|notice|patents)([.-].*)?", re.IGNORECASE)


def licences(modules: Sequence[tuple[str, str]], folder: Path, below: str) -> dict[str, Entry]:
    """Return the files with the licences of modules.

    Args:
        modules: The path and the version of each module; "stdlib" is Go itself.
        folder: The folder of the Go module that the program is built from.
        below: The path in the image below which they are.

    Raises:
        CannotBuildError: There is no Go, or a module has no licence.
    """
    listed = _go(folder, "list", "-m", "-f", "{{.Path}}\t{{.Dir}}", "all")
    places = dict(line.split("\t") for line in listed.splitlines())
    places["stdlib"] = _go(folder, "env", "GOROOT").strip()
    found: dict[str, Entry] = {}
    for path, version in modules:
        place = places.get(path)
        if not place:
            raise CannotBuildError(f"{folder} knows nothing of the Go module {path}, of which a program consists")
        files = [file for file in sorted(Path(place).iterdir()) if file.is_file() and _LICENCE.fullmatch(file.name)]
        if not files:
            raise CannotBuildError(f"the Go module {path} {version} has no file with its licence")
        found.update({f"{below}/{path}@{version}/{file.name}": File(file.read_bytes()) for file in files})
    return found


def _go(folder: Path, *arguments: str) -> str:
    command = ["go", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except FileNotFoundError:
        raise CannotBuildError("the licences of kubectl are in its Go modules: install Go") from None
    if done.returncode != 0:
        raise CannotBuildError(f"go {' '.join(arguments)} in {folder}: {done.stderr.strip()}")
    return done.stdout
