"""How a run of the command begins and ends: whatever goes wrong becomes one message and an exit code."""

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn, TextIO

from pullguard import __version__
from pullguard.core import systems
from pullguard.core.errors import PullguardError
from pullguard.core.formats.text import page, write_lines


def reserve_streams() -> None:
    """Replace standard streams that are closed, so that no file or pipe gets their numbers.

    Reading and writing still fail there; whatever is written to standard error is lost.
    """
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 - three times
            os.open(os.devnull, mode)  # gets the lowest free number
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open


def guarded(run: Callable[[], int]) -> int:
    """Run a command; return its exit code, or one that says how it ended.

    2: something could not be read, written or run, or pullguard has a fault; 128 + N: signal N.
    """
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Characters that its encoding lacks are escaped.
            stream.reconfigure(errors="backslashreplace")
    ends_at_once = signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    try:
        try:
            if ends_at_once:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            code = run()
            sys.stdout.flush()
        finally:
            if ends_at_once:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of the output has seen enough; the rest of the buffer is lost.
        _abandon(sys.stdout)
        return 128 + systems.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it must not look like findings
        return _failed(error)
    return code


def require_plain_names(arguments: Sequence[str]) -> None:
    """Refuse options that are names of files as well: a glob of the shell, or a list of files, may have become one.

    Raises:
        PullguardError: There is one.
    """
    for argument in arguments:
        if argument == "--":
            return
        if argument.startswith("-") and argument != "-" and os.path.lexists(argument):
            raise PullguardError(
                f"{argument} is an option and the name of a file",
                remedy=f"put -- before the names of files, or write ./{argument}",
            )


def require_working_directory() -> None:
    """Refuse a working directory that was removed.

    Raises:
        PullguardError: It cannot be used.
    """
    try:
        os.getcwd()  # noqa: PTH109 - importing pathlib takes time
    except OSError as error:
        raise PullguardError(f"the working directory cannot be used ({error.strerror})", remedy="leave it") from error


def _failed(error: Exception) -> int:
    """Say why there is no result, if standard error can be written to; return the exit code."""
    if isinstance(error, OSError):
        # An error without a file name is one of an open file. Output that is cut off must not look like findings.
        _abandon(sys.stdout)
    try:
        write_lines(page(f"pullguard: {_message(error)}"), sys.stderr)
        sys.stderr.flush()
    except MemoryError:
        os.write(2, b"pullguard: there is not enough memory to say what is wrong\n")
    except OSError:
        _abandon(sys.stderr)
    return 2


def _message(error: Exception) -> str:
    if isinstance(error, PullguardError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; give it more, or less to read at once"
    if isinstance(error, OSError):
        what = (
            f"{error.filename} cannot be used"
            if error.filename
            else ("cannot write to standard output or to a temporary file")
        )
        return f"{what} ({error.strerror or error})"
    import traceback  # noqa: PLC0415 - seldom needed

    with suppress(OSError):
        write_lines(page("".join(traceback.format_exception(error))), sys.stderr)
    return (
        f"internal error ({type(error).__name__}): a fault of pullguard {__version__}, so nothing can be said of the "
        "input; please report it with the lines above, the command line and, if you may, what it read"
    )


def _abandon(stream: TextIO) -> None:
    """Close a stream that cannot be flushed: Python would try again when it ends, and fail."""
    with suppress(OSError):
        stream.close()


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    """End as after an error, so that child programs and temporary files are removed."""
    sys.exit(128 + number)
