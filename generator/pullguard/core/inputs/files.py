"""Paths as users give them -> files and their bytes. Nothing but this module touches the disk."""

import errno
import os
import re
import select
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pullguard.core import systems
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import ALL, Selection

if TYPE_CHECKING:
    from typing_extensions import Self

STDIN = "-"
STDIN_NAME = "<stdin>"
#: What standard input is called; another process that opened one of the last would read its own.
STDIN_PATHS = frozenset({STDIN, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})

_WILDCARD = re.compile(r"[*?\[]")
_ANY_FOLDERS = "**"
_CHUNK = 1 << 20


class Stdin:
    """Standard input among files."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read.

    Attributes:
        name: The file as it is shown to users.
        data: All of its bytes, or a part of them.
        first_line: The line of the file on which they begin.
    """

    name: str
    data: bytes
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Located:
    """A file that another process can open.

    Attributes:
        name: The file as it is shown to users.
        path: Its absolute path, in the encoding of the file system.
    """

    name: str
    path: bytes

    @classmethod
    def of(cls, path: Path) -> "Self":
        """Return a file by its path."""
        return cls(shown(path), os.path.abspath(os.fsencode(path)))  # noqa: PTH100 - bytes

    def unreadable(self, number: int) -> InputError:
        """Return what is wrong with it if reading it fails with an error number."""
        path = Path(STDIN_NAME if self.name == STDIN_NAME else os.fsdecode(self.path))
        return unreadable(path, systems.error(number))


#: A file, or what is wrong with a path.
Found = Path | Stdin | InputError


def find_files(paths: Sequence[str], selection: Selection = ALL) -> Iterator[Found]:
    """Find files one after the other, each of them once, in the order of the paths.

    A folder stands for the files below it that have one of its extensions, sorted by name; hidden folders and links
    to folders are left out. A file that is named itself is read whatever its name is, "-" is standard input. What is
    no file may be a glob, in which `**` stands for folders; it leaves out the same as a folder.
    """
    seen: set[Path] = set()
    stdin_is_found = False
    for path in paths:
        if path in STDIN_PATHS:
            if not stdin_is_found:
                stdin_is_found = True
                yield Stdin()
            continue
        if not path:
            yield InputError("", None, None, "an empty name is not a file; see where it comes from")
            continue
        for found in _find(path, selection):
            if isinstance(found, InputError):
                yield found
            elif (absolute := found.absolute()) not in seen:
                seen.add(absolute)
                if selection.has_changed(found):
                    yield found


def read_file(found: Path | Stdin, stdin: BinaryIO | None) -> File | InputError:
    """Read one of the files that `find_files` found."""
    if isinstance(found, Stdin):
        return _read_stdin(stdin)
    try:
        return File(shown(found), found.read_bytes())
    except OSError as error:
        return unreadable(found, error)


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield all that a stream holds, even if it was opened without blocking."""
    while True:
        chunk: bytes | None = stream.read(_CHUNK)
        if chunk:
            yield chunk
        elif chunk is None:  # nothing yet
            select.select([stream], [], [])
        else:
            return


def located(found: Found, stdin: BinaryIO | None, stack: ExitStack) -> Located | InputError:
    """Return where another process can open what `find_files` found.

    Standard input, which can be read once, is written to a file that goes with the stack.

    Raises:
        PullguardError: It could not be kept whole: less of it would look like less to find.
    """
    if isinstance(found, InputError):
        return found
    if isinstance(found, Path):
        return Located.of(found)
    stream = _stdin(stdin)
    if isinstance(stream, InputError):
        return stream
    waiting = chunks(stream)
    try:
        buffer, path = stack.enter_context(systems.readable_file())
        while True:
            try:
                chunk = next(waiting, None)
            except OSError as error:
                return unreadable(Path(STDIN_NAME), error)
            if chunk is None:
                break
            buffer.write(chunk)
        buffer.flush()
    except OSError as error:
        raise PullguardError(
            f"standard input could not be kept in a temporary file ({error.strerror})",
            remedy="free space, or name a folder with more of it in the variable TMPDIR",
        ) from error
    return Located(STDIN_NAME, os.fsencode(path))


def nothing_on_stdin() -> InputError:
    """Return what is wrong with a pipe that nothing came through."""
    message = "nothing came on standard input; see whether the command before the pipe has failed"
    return InputError(STDIN_NAME, None, None, message)


def shown(path: Path) -> str:
    """Return a path as it can be printed: bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _stdin(stream: BinaryIO | None) -> BinaryIO | InputError:
    if stream is not None:
        return stream
    if sys.stdin is None:
        return InputError(STDIN_NAME, None, None, "there is no standard input; name a file instead")
    return sys.stdin.buffer


def _read_stdin(stdin: BinaryIO | None) -> File | InputError:
    stream = _stdin(stdin)
    if isinstance(stream, InputError):
        return stream
    try:
        data = b"".join(chunks(stream))
    except OSError as error:
        return unreadable(Path(STDIN_NAME), error)
    return File(STDIN_NAME, data) if data.strip() else nothing_on_stdin()


def _is_glob(path: str) -> bool:
    """Tell whether a path is a glob: there is no file of that name."""
    return _WILDCARD.search(path) is not None and not os.path.lexists(path)


def _fixed_folder(glob: str) -> Path:
    """Return the folder in which a glob looks for files: what stands before its first wildcard."""
    parts = Path(glob).parts
    return Path(*parts[: next(place for place, part in enumerate(parts) if _WILDCARD.search(part))])


def _find(name: str, selection: Selection) -> Iterator[Path | InputError]:
    """Yield the files that one path stands for."""
    if _is_glob(name):
        matches_nothing = True
        for found in _globbed(name):
            for each in [found] if isinstance(found, InputError) else _below(*found, selection):
                matches_nothing = False
                yield each
        if matches_nothing:
            message = "the pattern matches no file; mind that hidden folders and links to folders are left out"
            yield InputError(shown(Path(name)), None, None, message)
        return
    path = Path(name)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        yield unreadable(path, error)
        return
    if is_folder:
        yield from _below(path, True, selection)
    else:
        yield path


def _globbed(glob: str) -> Iterator[tuple[Path, bool] | InputError]:
    """Yield what a glob matches, sorted: each path, and whether it is a folder. No link to a folder is followed."""
    from fnmatch import translate  # noqa: PLC0415 - seldom needed, as shells do it

    folder = _fixed_folder(glob)
    waiting = [(folder, True, Path(glob).parts[len(folder.parts) :])]
    while waiting:
        path, is_folder, parts = waiting.pop()
        if not parts or parts == (_ANY_FOLDERS,):
            yield path, is_folder
            continue
        if not is_folder:
            continue
        try:
            entries = _listing(path)
        except (OSError, ValueError) as error:
            if path.is_dir():
                yield unreadable(path, error)
            continue
        part, *rest = parts
        if part == _ANY_FOLDERS:
            waiting += [(each, True, parts) for each, is_one in reversed(entries) if is_one and _is_shown(each)]
            waiting.append((path, True, tuple(rest)))
        else:
            matches = re.compile(translate(part)).match
            waiting += [
                (each, is_one, tuple(rest))
                for each, is_one in reversed(entries)
                if matches(each.name) and (_is_shown(each) or part.startswith("."))
            ]


def _below(path: Path, is_folder: bool, selection: Selection) -> Iterator[Path | InputError]:
    """Yield the files to read of what was found, sorted; a folder without any is an error."""
    nothing = is_folder
    for found in _walk(path, is_folder, selection):
        nothing = False
        yield found
    if nothing:
        name = shown(path)
        message = f"nothing to check in {name}: no {_listed(selection.extensions)} file; name another folder, or a file"
        yield InputError(name, None, None, message)


def _walk(root: Path, is_folder: bool, selection: Selection) -> Iterator[Path | InputError]:
    """Yield the files to read below a folder, sorted; no link to a folder is followed, so it ends."""
    waiting = [(root, is_folder)]
    while waiting:
        path, is_folder = waiting.pop()
        try:
            if is_folder:
                waiting += reversed(
                    [
                        (each, is_one)
                        for each, is_one in _listing(path)
                        if (_is_shown(each) if is_one else selection.takes(each.name))
                        and not selection.excludes(str(each.relative_to(root)), is_folder=is_one)
                    ]
                )
                continue
            mode = path.stat().st_mode
        except OSError as error:
            yield unreadable(path, error)
            continue
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            # Opening a pipe that nobody writes to would wait forever.
            yield InputError(shown(path), None, None, "is not a regular file; name it itself if it is to be read")


def _listing(folder: Path) -> list[tuple[Path, bool]]:
    """Return what is in a folder, sorted by name: the paths, and whether they are folders themselves, not links."""
    with os.scandir(folder) as listing:
        return sorted((folder / entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing)


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")


def _listed(extensions: tuple[str, ...]) -> str:
    return f"{', '.join(extensions[:-1])} or {extensions[-1]}"


def unreadable(path: Path, error: OSError | ValueError) -> InputError:
    """Return what is wrong with a file that cannot be read."""
    # Path raises ValueError for a NUL byte, in words that change from one Python to the next.
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else "no file can have such a name"
    if isinstance(error, OSError) and error.errno in {errno.ENOENT, errno.ELOOP} and path.is_symlink():
        message = "is a symbolic link that leads nowhere; fix it, or remove it"
        return InputError(shown(path), None, None, message)
    remedy = "see whether you may read it" if isinstance(error, PermissionError) else "see whether the path is right"
    return InputError(shown(path), None, None, f"cannot be read: {reason}; {remedy}")
