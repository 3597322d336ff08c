"""A process namespace. The kernel ends its processes with the first of them, however that one ends."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cluster.servers import Server, running

_START = 30.0
_TIMEOUT = 60.0
_END = 20.0


@dataclass(frozen=True, slots=True)
class Processes:
    """A process namespace, and a mount namespace whose /proc shows only its processes.

    Attributes:
        first: The process that starts the first process of the namespace, and ends with it.
        folder: The working directory of programs, and the folder of their logs.
        path: The PATH of programs.
    """

    first: Server
    folder: Path
    path: str

    @contextmanager
    def running(self, program: Path, *options: str) -> Iterator[Server]:
        """Run a program in the namespace. At the end all its programs are killed, as if the node lost power."""
        environment = {"PATH": self.path}
        with running(program, *options, folder=self.folder, environment=environment, through=self._enter()) as server:
            try:
                yield server
            finally:
                self.first.process.kill()
                server.process.wait(_END)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the namespace, and wait for its end."""
        return subprocess.run([*self._enter(), *command], capture_output=True, text=True, timeout=_TIMEOUT, check=False)

    def _enter(self) -> Sequence[str]:
        """Return the prefix that runs a command in the namespace."""
        own = f"/proc/{self.first.process.pid}/ns"
        return ("/usr/bin/nsenter", f"--pid={own}/pid_for_children", f"--mount={own}/mnt", "--")


@contextmanager
def processes(binaries: Path, folder: Path) -> Iterator[Processes]:
    """Start the first process, and wait until others can join the namespace.

    Args:
        binaries: The folder of the programs.
        folder: The folder for logs.

    Raises:
        NotReadyError: The first process did not start.
    """
    flags = ("--pid", "--mount-proc", "--fork", "--kill-child=SIGKILL")
    program = binaries / "pause"
    with running(Path("/usr/bin/unshare"), *flags, str(program), folder=folder) as first:
        made = Processes(first, folder, f"{binaries}:/usr/sbin:/usr/bin:/sbin:/bin")

        def ready() -> bool:
            return made.run("/bin/grep", "--quiet", program.name, "/proc/1/comm").returncode == 0

        first.wait(ready, timeout=_START)
        try:
            yield made
        finally:
            # It handles no other signal.
            first.process.kill()
