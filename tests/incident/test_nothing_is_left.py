"""A run leaves nothing behind, however it ends, and runs do not affect each other."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident.pods import STARTED
from incident.site import Site
from local_cluster.cgroups import hierarchies
from local_cluster.servers import wait_until

_END = 60.0


@pytest.fixture
def others(site: Site, checkout: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    """Yield two clusters with a pod each, which run next to that of the other tests."""
    command = [sys.executable, "-m", "incident.hold", str(site.plane.binaries)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout / "tests") for _ in range(2)]
    yield started
    for process in started:
        process.kill()
        process.communicate()


def _network(process: int) -> str:
    """Return the network namespace of a process, or "" if the process has ended."""
    try:
        return str(Path(f"/proc/{process}/ns/net").readlink())
    except OSError:
        return ""


def _processes(network: str) -> list[int]:
    ids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [process for process in ids if _network(process) == network]


def _folders(cgroup: str) -> list[Path]:
    return [path for root in hierarchies() if (path := root / cgroup.removeprefix("/")).exists()]


def test_killed_or_interrupted_beside_others(others: list["subprocess.Popen[str]"]) -> None:
    for process, ending in zip(others, (signal.SIGKILL, signal.SIGINT), strict=True):
        assert process.stdout is not None
        outcome, cgroup = process.stdout.readline().split()
        assert outcome == STARTED
        network = _network(process.pid)
        assert len(_processes(network)) > 8
        assert _folders(cgroup)
        process.send_signal(ending)
        process.wait(_END)
        _wait_until_gone(network, cgroup)


def _wait_until_gone(network: str, cgroup: str) -> None:
    """Wait until the processes have ended and the cgroup is removed, which a killed run does not wait for."""
    # The processes of a pod have another network, but their cgroup cannot be removed before the last one has ended.
    wait_until(lambda: not _folders(cgroup) and not _processes(network), timeout=_END, what="all to go")
