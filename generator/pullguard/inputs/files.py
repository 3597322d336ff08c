"""Paths as users give them -> files and their bytes. Nothing but this module touches the disk."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pullguard.inputs.problems import InputError

EXTENSIONS = (".yaml", ".yml", ".json")

STDIN = "-"
STDIN_NAME = "<stdin>"


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read.

    Attributes:
        name: The file as it is shown to users.
        data: All of its bytes.
    """

    name: str
    data: bytes


def read_files(
    paths: Sequence[str], stdin: BinaryIO | None, extensions: tuple[str, ...] = EXTENSIONS
) -> Iterator[File | InputError]:
    """Read files one after the other, each of them once, in the order of the paths.

    A folder stands for the files below it that have one of the extensions, sorted by name; hidden folders and links
    to folders are left out. A file that is named itself is read whatever its name is, "-" is standard input.
    """
    seen: set[Path] = set()
    stdin_is_read = False
    for path in paths:
        if path == STDIN:
            if not stdin_is_read:
                stdin_is_read = True
                yield _read_stdin(stdin)
            continue
        if not path:
            yield InputError("", None, None, "an empty name is no file; see where it comes from")
            continue
        for found in _find(Path(path), extensions):
            if isinstance(found, InputError):
                yield found
            elif (absolute := found.absolute()) not in seen:
                seen.add(absolute)
                yield _read(found)


def shown(path: Path) -> str:
    """Return a path as it can be printed: bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _read_stdin(stdin: BinaryIO | None) -> File | InputError:
    if stdin is None:
        if sys.stdin is None:
            return InputError(STDIN_NAME, None, None, "there is no standard input; name a file instead")
        stdin = sys.stdin.buffer
    try:
        data = stdin.read()
    except OSError as error:
        return _unreadable(Path(STDIN_NAME), error)
    if not data.strip():
        message = "nothing came on standard input; see whether the command before the pipe has failed"
        return InputError(STDIN_NAME, None, None, message)
    return File(STDIN_NAME, data)


def _read(path: Path) -> File | InputError:
    try:
        return File(shown(path), path.read_bytes())
    except OSError as error:
        return _unreadable(path, error)


def _find(path: Path, extensions: tuple[str, ...]) -> Iterator[Path | InputError]:
    """Yield the files that one path stands for."""
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        yield _unreadable(path, error)
        return
    if not is_folder:
        yield path
        return
    nothing = True
    for found in _walk(path, extensions):
        nothing = False
        yield found
    if nothing:
        name = shown(path)
        message = f"nothing to check in {name}: no {_listed(extensions)} file; name another folder, or a file"
        yield InputError(name, None, None, message)


def _walk(folder: Path, extensions: tuple[str, ...]) -> Iterator[Path | InputError]:
    """Yield the files to read below a folder, sorted; no link to a folder is followed, so it ends."""
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        try:
            if is_folder:
                waiting += reversed(_entries(path, extensions))
                continue
            mode = path.stat().st_mode
        except OSError as error:
            yield _unreadable(path, error)
            continue
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            # Opening a pipe that nobody writes to would wait for ever.
            yield InputError(shown(path), None, None, "is not a regular file; name it itself if it is to be read")


def _entries(folder: Path, extensions: tuple[str, ...]) -> list[tuple[Path, bool]]:
    """Return the entries of a folder that matter, sorted by name: their paths, and whether they are folders."""
    entries = []
    with os.scandir(folder) as listing:
        for entry in listing:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not entry.name.startswith(".") if is_folder else entry.name.lower().endswith(extensions):
                entries.append((folder / entry.name, is_folder))
    return sorted(entries)


def _listed(extensions: tuple[str, ...]) -> str:
    return f"{', '.join(extensions[:-1])} or {extensions[-1]}"


def _unreadable(path: Path, error: OSError | ValueError) -> InputError:
    # Path raises ValueError for a NUL byte, in words that change from one Python to the next.
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else "no file can have such a name"
    remedy = "see whether you may read it" if isinstance(error, PermissionError) else "see whether the path is right"
    return InputError(shown(path), None, None, f"cannot be read: {reason}; {remedy}")
