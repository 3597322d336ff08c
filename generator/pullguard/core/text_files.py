"""Small text files that people write."""

import errno
import os
import shutil
import stat
from pathlib import Path

from pullguard.core.errors import PullguardError
from pullguard.core.tree_files import LARGEST, read_inside

# These folders hold the streams of processes, and devices, to which links lead.
_SYSTEM_FOLDERS = ("/dev/", "/proc/")


def read_text(path: Path, shown: str | None = None, *, tree: Path | None = None) -> str:
    """Return the text of a UTF-8 file, line ends as they are.

    Args:
        path: The file.
        shown: Its name for messages, if it is another.
        tree: The folder that it must be in, as a regular file, if it is not the user who named it.

    Raises:
        PullguardError: It cannot be read, or is not UTF-8.
    """
    name = str(path) if shown is None else shown
    try:
        return (_read(path) if tree is None else read_inside(str(tree), str(path))).decode("utf-8")
    except OSError as error:
        raise PullguardError(f"cannot be read ({error.strerror})", file=name) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PullguardError("is not UTF-8", file=name, line=line, remedy="save it as UTF-8") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST >> 20} MB", str(path))
    return data


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, line ends as they are; a lone surrogate, as in a file's odd name, is escaped.

    It is written at once or not at all. A stream, such as a pipe or /dev/stdout, is written to as it is.

    Raises:
        PullguardError: It cannot be written, or a link stands in its place: it may lead anywhere.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, as `write_text` does.

    Raises:
        PullguardError: As of `write_text`.
    """
    try:
        if _is_stream(path):
            path.write_bytes(data)
            return
        link = _link(path)
        if link is not None:
            remedy = "remove it" if link == path else f"remove {link}"
            raise PullguardError("a symbolic link is not written through", file=str(path), remedy=remedy)
        replace_file(path, data)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "no file can have such a name"
        raise PullguardError(f"cannot be written ({reason})", file=str(path)) from error


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in its place at once, with the mode of what was there: nobody ever reads half of it.

    Raises:
        OSError: It cannot be written; what was there still is.
    """
    temporary = path.with_name(f".pullguard-{os.getpid()}.new")
    stream = temporary.open("xb")
    try:
        with stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if path.is_file():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_stream(path: Path) -> bool:
    if str(path.absolute()).startswith(_SYSTEM_FOLDERS):
        return True
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return not any(kind(mode) for kind in (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK))


def _link(path: Path) -> Path | None:
    """Return the link that a path goes through below the working directory, or ends with."""
    here, absolute = Path.cwd(), path.absolute()
    own = [absolute]
    if absolute.is_relative_to(here):
        own += [parent for parent in absolute.parents if parent != here and parent.is_relative_to(here)]
    found = next((each for each in reversed(own) if each.is_symlink()), None)
    return path if found == absolute else found
