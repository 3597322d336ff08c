"""The process pullguard-engine (tools/engine): how it starts and ends."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.core.resources import ENGINE, find_tool

_BUFFER = 1 << 16


def opa() -> tuple[str, ...]:
    """Return the command that is OPA's own command line.

    Raises:
        PullguardError: The program was not found.
    """
    return find_tool(ENGINE), "opa"


class Process:
    """A running pullguard-engine; it ends by itself when its standard input is closed.

    Attributes:
        requests: Its standard input.
        records: Its standard output.

    Raises:
        PullguardError: The program was not found, or cannot be started.
    """

    def __init__(self) -> None:
        program = find_tool(ENGINE)
        # A file rather than a pipe, so that the process can go on although nobody reads.
        self._stderr = _unnamed_file()
        try:
            # The engine decides itself when to collect garbage, but not before its modules are initialized.
            self._child = _Child((program, "serve"), bare_environment() | {"GOGC": "off"}, self._stderr)
        except OSError as error:
            os.close(self._stderr)
            raise PullguardError(f"{program} cannot be started: {error.strerror}") from error
        self.requests = self._child.requests
        self.records = self._child.records

    def last_words(self) -> str:
        """Return the first line that it wrote to standard error; "" if it wrote none."""
        os.lseek(self._stderr, 0, os.SEEK_SET)
        text = os.read(self._stderr, 10_000).decode("utf-8", "replace")
        return next((line.strip() for line in text.splitlines() if line.strip()), "")

    def stop(self) -> None:
        """End it if it still runs, whatever it is doing."""
        self._child.kill()
        self.records.close()
        with suppress(BrokenPipeError):
            self.requests.close()
        os.close(self._stderr)


if sys.platform == "win32":

    class _Child:
        """A child process with pipes to it and from it."""

        requests: IO[bytes]
        records: IO[bytes]

        def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], stderr: int) -> None:
            from subprocess import PIPE, Popen  # noqa: PLC0415 - other systems need it seldom

            self._process = Popen(command, _BUFFER, stdin=PIPE, stdout=PIPE, stderr=stderr, env=environment)
            if self._process.stdin is not None and self._process.stdout is not None:  # as they are with PIPE
                self.requests, self.records = self._process.stdin, self._process.stdout

        def kill(self) -> None:
            """End it, and wait until it has ended."""
            self._process.kill()
            self._process.wait()

else:
    import signal

    class _Child:
        """A child process with pipes to it and from it; importing subprocess would take time."""

        def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], stderr: int) -> None:
            theirs, ours = os.pipe()
            our_end, their_end = os.pipe()
            try:
                self.pid = os.posix_spawn(
                    command[0],
                    command,
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, theirs, 0),
                        (os.POSIX_SPAWN_DUP2, their_end, 1),
                        (os.POSIX_SPAWN_DUP2, stderr, 2),
                    ],
                    setsigdef=[signal.SIGPIPE],
                )
            except OSError:
                os.close(ours)
                os.close(our_end)
                raise
            finally:
                os.close(theirs)
                os.close(their_end)
            self.requests: IO[bytes] = os.fdopen(ours, "wb", _BUFFER)
            self.records: IO[bytes] = os.fdopen(our_end, "rb", _BUFFER)

        def kill(self) -> None:
            """End it, and wait until it has ended."""
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _unnamed_file() -> int:
    """Return the descriptor of a file that goes when nobody has it open any more."""
    if sys.platform == "linux":
        return os.memfd_create(ENGINE)
    from tempfile import TemporaryFile  # noqa: PLC0415 - importing it takes time

    with TemporaryFile() as file:
        return os.dup(file.fileno())
