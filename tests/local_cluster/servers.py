"""Programs that serve: start them, wait until they do, stop them."""

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
    """What was waited for did not come about; says how far it got."""


@dataclass(frozen=True, slots=True)
class Server:
    """A program that runs.

    Attributes:
        name: What it is called.
        process: The process.
        log: The file that it writes to.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Wait until it is ready.

        Raises:
            NotReadyError: It ended, or is not ready in time; with the end of its log.
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
        """Ask it to end, and kill it if it does not."""
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
    """Run a program; it is stopped in the end, and killed when this process dies, however that happens.

    Args:
        program: The program, which gives the server its name.
        options: Its options.
        folder: Its working directory, and where its log is.
        environment: What its environment holds beside a PATH.
        through: A command that runs it elsewhere: in other namespaces. To stop that command is not to stop the program.
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
    """Wait until something holds.

    Args:
        holds: Says whether it does.
        timeout: In seconds.
        what: What is waited for, for people: "the webhook to deny".

    Raises:
        NotReadyError: It does not in time.
    """
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            raise NotReadyError(f"waited {timeout:.0f} s for {what}")
        time.sleep(_POLL)


def options_from(flags: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Return options as programs of Kubernetes take them; one with several values is repeated."""
    return [
        f"--{name}={value}"
        for name, values in flags.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
