"""Files that are edited in place: read whole, and replaced at once or not at all."""

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pullguard.core import systems

# root may write to read-only files, but they were not meant to be edited.
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class EditableFile:
    """A file that was read to be edited.

    Attributes:
        path: The file itself, never a link to it.
        data: Its bytes.
    """

    path: Path
    data: bytes


def is_stream(name: str) -> bool:
    """Tell whether a path leads to a pipe or a device, which can be read once and not be edited."""
    try:
        mode = Path(name).stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_link(name: str) -> bool:
    """Tell whether a name is a symbolic link, which is never edited: it may lead anywhere."""
    return Path(name).is_symlink()


def read(name: str) -> EditableFile | str:
    """Return a file to edit, or why it cannot be edited and what to do."""
    try:
        real = Path(name).resolve(strict=True)
        return EditableFile(real, b"" if is_link(name) else real.read_bytes())
    except (OSError, RuntimeError) as error:  # a cycle of links is a RuntimeError in old Pythons
        return _reason("read", error)


def replace(file: EditableFile, data: bytes) -> str | None:
    """Replace the bytes of a file, and keep its mode, owner and attributes.

    Returns:
        None if it was done; else why nothing was written, and what to do.
    """
    try:
        state = file.path.stat()
        if not state.st_mode & _WRITABLE or not os.access(file.path, os.W_OK):
            return "is read-only; make it writable, or edit what it is generated from"
        if state.st_nlink > 1:
            return "has hard links, which would keep the old text; replace them by symbolic links or copies"
        handle, temporary = tempfile.mkstemp(prefix=".pullguard-", suffix=".new", dir=file.path.parent)
    except OSError as error:
        return _reason("written", error)
    try:
        with open(handle, "wb") as stream:  # noqa: PTH123 - the handle of mkstemp
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        systems.give(temporary, state)
        shutil.copystat(file.path, temporary)
        os.utime(temporary)
        if file.path.read_bytes() != file.data:
            return "was changed while it was being fixed, so nothing was written; run the command again"
        os.replace(temporary, file.path)  # noqa: PTH105 - both are at hand
    except OSError as error:
        return _reason("written", error)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return None


def _reason(what: str, error: OSError | RuntimeError) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    remedy = "see whether you may change the file and its folder" if what == "written" else "see whether it is there"
    return f"cannot be {what}: {reason}; {remedy}"
