"""Running the programs that pullguard wraps: no shell, a clean environment, a timeout, one end."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from pullguard.core import systems
from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError, TimedOutError

#: OPA and conftest also take every option from environment variables with these prefixes, which are not our settings.
_OPTION_VARIABLES = ("OPA_", "CONFTEST_")

#: How much memory, in bytes, a program may use that evaluates the Rego of others.
MEMORY = 3 * 2**30
#: What a program of Go writes last if it had too little memory. The engine has the same words in tools/engine/memory.
#: SIGSEGV on a line of its own is a fault in Go's runtime: its collector uses memory that it asked for and did not get.
OUT_OF_MEMORY = (
    r"(?m)out of memory|cannot allocate memory|failed to (?:reserve|create new OS thread)|"
    r"^SIGSEGV: segmentation violation$"
)

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        code: Its exit code; negative: the signal that killed it.
        stdout: What it wrote, whole.
        stderr: What it wrote, on one line, without the lines that are empty.
    """

    code: int
    stdout: bytes
    stderr: str

    @property
    def reason(self) -> str:
        """Why a program failed: that it lacked memory, or else what it wrote."""
        return out_of_memory(self.stderr) or self.stderr or "no message"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs while pullguard goes on.

    Its output goes to files, so that it can go on although nobody reads, and no thread is needed.
    """

    process: "subprocess.Popen[bytes]"
    stdout: IO[bytes]
    stderr: IO[bytes]
    timeout: float

    def wait(self) -> Ended:
        """Wait until it ends.

        Raises:
            TimedOutError: It ran for more than its timeout after this call.
        """
        try:
            code = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise TimedOutError from None
        else:
            self.stdout.seek(0)
            self.stderr.seek(0)
            stderr = self.stderr.read().decode(errors="replace")
            return Ended(code, self.stdout.read(), " ".join(line.strip() for line in stderr.splitlines() if line))
        finally:
            self.stop()

    def stop(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.stdout.close()
        self.stderr.close()


def is_out_of_memory(said: str) -> bool:
    """Tell from the last words of a program of Go whether it had too little memory."""
    return re.search(OUT_OF_MEMORY, said) is not None


def out_of_memory(said: str) -> str:
    """Return what to say of a program of Go that had too little memory, by its last words; "" if they tell nothing."""
    return f"it needed more than {MEMORY >> 30} GB of memory" if is_out_of_memory(said) else ""


def start(
    arguments: Sequence[str], *, folder: Path, timeout: float, confined: bool = False, output: Path | None = None
) -> Program:
    """Start a program in a folder, with nothing to read on stdin.

    On Linux, it is killed when pullguard dies, however that happens.

    Args:
        arguments: The program and its arguments.
        folder: Its working directory; unnamed files for its output are made there.
        timeout: How many seconds `wait` waits.
        confined: It evaluates the Rego of others: it gets nothing of our environment, and only so much memory.
        output: The file that its output goes to, which is kept; None: an unnamed one.

    Raises:
        PullguardError: It cannot be started.
    """
    stdout: IO[bytes] = tempfile.TemporaryFile(dir=folder) if output is None else output.open("w+b")  # noqa: SIM115 - as below
    stderr = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the Program closes it
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=bare_environment() if confined else _without_options(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=before_exec(confined=confined),  # noqa: PLW1509 - pullguard has no threads when it starts programs
        )
    except OSError as error:
        stdout.close()
        stderr.close()
        raise PullguardError(f"{arguments[0]} cannot be started: {error.strerror}") from error
    return Program(process, stdout, stderr, timeout)


def _without_options() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(_OPTION_VARIABLES)}


def before_exec(*, confined: bool) -> Callable[[], None] | None:
    """Return what a child does before it becomes the program: it ends with this process, and is confined if need be.

    None on Windows, where a child cannot do anything before.
    """
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - only needed where a program is started

    bind = end_with_parent()

    def in_child() -> None:
        if bind is not None:
            bind()
        if confined:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            limit = MEMORY if hard == resource.RLIM_INFINITY else min(hard, MEMORY)
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    return in_child


def end_with_parent() -> Callable[[], None] | None:
    """Return what a child does before it becomes the program, so that it is killed when this process dies.

    None where the kernel has no such thing. The kernel goes by the thread that forks: fork in the main thread.
    """
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only needed where a program is started

    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # pullguard has died in between
            os._exit(1)

    return in_child


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only this user can read; it is removed in the end, also on SIGTERM and the like."""
    with _signals_as_exceptions(), tempfile.TemporaryDirectory(prefix="pullguard-") as folder:
        yield Path(folder).resolve()


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """Let signals that end pullguard run its `finally` clauses; a second one does not interrupt those."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in systems.ENDING_SIGNALS}
    ours = [number for number, handler in before.items() if handler not in {signal.SIG_IGN, None}]

    def end(number: int, _frame: FrameType | None) -> None:
        for other in ours:
            signal.signal(other, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold the first signal that ends pullguard until the block is done; a second one ends the block at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in systems.ENDING_SIGNALS}
    before = {number: handler for number, handler in handlers.items() if handler is not None}
    held: list[int] = []

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)
        restore()

    try:
        for number in before:
            signal.signal(number, hold)
        yield
    finally:
        restore()
        for each in held:
            signal.raise_signal(each)
