"""What differs between operating systems: pullguard runs on Linux, on macOS, and, with fewer safeguards, on Windows.

Linux alone can limit the memory of programs and end them with this process, and has files without a name that others
can open. mypy checks the package for each of the three.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

if sys.platform == "win32":
    #: What the file names of programs end with.
    PROGRAM_SUFFIX = ".exe"
    #: The signals by which users end pullguard.
    ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
    #: How to open a file of others: no pipe is waited for, no child process gets it, and no byte is changed.
    READ_ONLY = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
    #: What programs need of the environment: they may be shims of version managers, and need temporary files.
    VARIABLES = ("HOME", "PATH", "PATHEXT", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE")
else:
    PROGRAM_SUFFIX = ""
    ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    VARIABLES = ("HOME", "PATH", "TMPDIR")

#: The number that shells give SIGPIPE in exit codes, also where there is no such signal.
SIGPIPE = 13


def error(number: int) -> OSError:
    """Return the error of the operating system that has a number."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - seldom needed

        return ctypes.WinError(number)
    return OSError(number, os.strerror(number))


@contextmanager
def readable_file() -> Iterator[tuple[IO[bytes], str]]:
    """Make a file for other processes of ours: yield it, open for writing, and the path by which they open it.

    On Linux it has no name, so that nobody else can find it; elsewhere it is in a folder of this user alone.
    """
    import tempfile  # noqa: PLC0415 - importing it takes time

    if sys.platform == "linux":
        with tempfile.TemporaryFile() as file:
            yield file, f"/proc/{os.getpid()}/fd/{file.fileno()}"
    else:
        with tempfile.TemporaryDirectory(prefix="pullguard-", ignore_cleanup_errors=True) as folder:
            path = os.path.join(os.path.realpath(folder), "file")
            with open(path, "wb") as file:
                yield file, path


def which(name: str) -> str | None:
    """Return the absolute path of a program that is stated by its path or found on PATH; None if it is nowhere.

    Never one of the current folder, which may be a repository under check: Windows would look there first, and a PATH
    with empty or relative entries leads there too.
    """
    file = name if name.endswith(PROGRAM_SUFFIX) else f"{name}{PROGRAM_SUFFIX}"
    if os.path.dirname(name):
        candidates = [os.path.abspath(file)]
    else:
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        candidates = [os.path.join(folder, file) for folder in folders if os.path.isabs(folder)]
    return next((path for path in candidates if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def give(path: str, state: os.stat_result) -> None:
    """Give a file to the owner and the group that another one has; on Windows, it gets them from its folder."""
    if sys.platform != "win32":
        os.chown(path, state.st_uid, state.st_gid)
