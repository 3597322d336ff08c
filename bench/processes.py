"""What the kernel says of processes: their children, CPU time and memory."""

import os
import resource
from collections.abc import Iterable
from pathlib import Path


def child(name: str) -> int:
    """Return the id of a child process with this program."""
    children = map(int, _read(f"/proc/{os.getpid()}/task/{os.getpid()}/children").split())
    return next(pid for pid in children if _read(f"/proc/{pid}/comm").strip() == name)


def tree(pid: int) -> list[int]:
    """Return a process and all its visible descendants."""
    found = [pid]
    for parent in found:
        found += map(int, _read(f"/proc/{parent}/task/{parent}/children").split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pids: Iterable[int]) -> int:
    """Return the resident memory of processes in bytes."""
    pages = sum(int(fields[1]) for pid in pids if (fields := _read(f"/proc/{pid}/statm").split()))
    return pages * resource.getpagesize()


def _read(path: str) -> str:
    """Return the text of a file about a process, or "" if the process has ended."""
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
