"""A cluster leaves nothing behind, however its tests end, and two clusters do not affect each other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until

# A test session of its own, which prints its processes and then waits until it is ended.
_SESSION = """
import os, sys
from pathlib import Path
from local_cluster.control_plane import control_plane
from local_cluster.isolation import isolated

with isolated() as folder, control_plane(Path(sys.argv[1]), folder) as plane:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    version = plane.kubectl()("version").stdout.splitlines()[-1]
    print(*children, os.readlink("/proc/self/ns/net"), version, flush=True)
    sys.stdin.read()
    raise RuntimeError("a test fails")
"""


@pytest.fixture
def session(checkout: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a second session next to the running one."""
    with subprocess.Popen(
        [sys.executable, "-c", _SESSION, checkout / ".tools/bin"],
        env={**os.environ, "PYTHONPATH": f"{checkout}/tests"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _state() -> tuple[str, list[str], list[str]]:
    """Return what a session could leave behind: mounts, files in /run, network interfaces."""
    mounts = Path("/proc/self/mountinfo").read_text("utf-8")
    return mounts, sorted(os.listdir("/run")), sorted(os.listdir("/sys/class/net"))  # noqa: PTH208 - names are enough


@pytest.mark.parametrize("end", ["failure", "interrupt", "end", "kill"])
def test_nothing_is_left(cluster: Cluster, session: "subprocess.Popen[str]", end: str) -> None:
    before = _state()
    assert session.stdout is not None
    said = session.stdout.readline().split()
    assert session.poll() is None, session.communicate()[1]
    pids, network = said[:2], said[2]
    # Both sessions use the same address and ports.
    assert said[3:] == ["Server", "Version:", "v1.36.3"]
    assert cluster.client.request("GET", "/readyz").body == "ok"
    assert network != str(Path("/proc/self/ns/net").readlink())
    running = [Path(f"/proc/{pid}") for pid in pids]
    assert [(process / "comm").read_text("utf-8").strip() for process in running] == ["etcd", "kube-apiserver"]

    if end == "failure":
        session.stdin.close()  # type: ignore[union-attr]
    else:
        session.send_signal({"interrupt": signal.SIGINT, "end": signal.SIGTERM, "kill": signal.SIGKILL}[end])
    wait_until(lambda: session.poll() is not None, timeout=30, what="the session to end")
    wait_until(lambda: not any(process.exists() for process in running), timeout=30, what="its programs to end")
    # The kernel removes their network and mounts with the last of them.
    assert _state() == before
