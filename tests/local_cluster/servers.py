"""Starts servers, waits until they are ready, and stops them."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pullguard.core.programs import end_with_parent

_POLL = 0.2
_LOG_TAIL = 4_000
_GRACE = 20.0


class NotReadyError(Exception):
    """A condition did not hold in time; the message says what has happened."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running program.

    Attributes:
        name: The name of the program.
        process: The process.
        log: The file that it logs to.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Wait until the server is ready.

        Raises:
            NotReadyError: The server ended, or was not ready in time; the message has the end of its log.
        """

        def ready_or_ended() -> bool:
            return self.process.poll() is not None or ready()

        try:
            wait_until(ready_or_ended, timeout=timeout, what=f"{self.name} to be ready")
        except NotReadyError as error:
            raise NotReadyError(f"{error}\n{self._tail()}") from None
        if self.process.poll() is not None:
            raise NotReadyError(f"{self.name} ended with code {self.process.returncode}\n{self._tail()}")

    def stop(self) -> None:
        """Terminate the server, and kill it if it does not end."""
        self.process.terminate()
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")


@contextmanager
def running(
    program: Path,
    *options: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    through: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a program. It is stopped at the end, and killed if this process dies, however that happens.

    Args:
        program: The program, whose name is the name of the server.
        options: Its options.
        folder: Its working directory, which also gets its log.
        environment: Its environment variables, in addition to PATH.
        through: A command that runs the program, for example in other namespaces. To stop it does not stop the program.
    """
    log = folder / f"{program.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*through, str(program), *options],
            cwd=folder,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 - tests have no threads when they start programs
        )
    server = Server(program.name, process, log)
    try:
        yield server
    finally:
        server.stop()


def wait_until(holds: Callable[[], bool], *, timeout: float, what: str) -> None:
    """Wait until a condition holds.

    Args:
        holds: The condition.
        timeout: The timeout in seconds.
        what: What is waited for, for people, such as "the webhook to deny".

    Raises:
        NotReadyError: The condition does not hold in time.
    """
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            raise NotReadyError(f"waited {timeout:.0f} s for {what}")
        time.sleep(_POLL)


def options_from(flags: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Return options in the syntax of Kubernetes' programs. An option with several values is repeated."""
    return [
        f"--{name}={value}"
        for name, values in flags.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
