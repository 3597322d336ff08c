"""The process pullguard-engine (tools/engine): how it starts and ends."""

import os
import signal
from contextlib import suppress

from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.core.resources import ENGINE, find_tool


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
        self._stderr = os.memfd_create(ENGINE)
        theirs, ours = os.pipe()
        our_end, their_end = os.pipe()
        try:
            self._pid = os.posix_spawn(
                program,
                (program, "serve"),
                # The engine decides itself when to collect garbage, but not before its modules are initialized.
                bare_environment() | {"GOGC": "off"},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs, 0),
                    (os.POSIX_SPAWN_DUP2, their_end, 1),
                    (os.POSIX_SPAWN_DUP2, self._stderr, 2),
                ],
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as error:
            for descriptor in (ours, our_end, self._stderr):
                os.close(descriptor)
            raise PullguardError(f"{program} cannot be started: {error.strerror}") from error
        finally:
            os.close(theirs)
            os.close(their_end)
        self.requests = os.fdopen(ours, "wb", 1 << 16)
        self.records = os.fdopen(our_end, "rb", 1 << 16)

    def last_words(self) -> str:
        """Return the first line that it wrote to standard error; "" if it wrote none."""
        text = os.pread(self._stderr, 10_000, 0).decode("utf-8", "replace")
        return next((line.strip() for line in text.splitlines() if line.strip()), "")

    def stop(self) -> None:
        """End it if it still runs, whatever it is doing."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self.records.close()
        with suppress(BrokenPipeError):
            self.requests.close()
        os.close(self._stderr)
