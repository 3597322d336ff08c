"""A cgroup for the containers of a node. It is removed when the tests end, however they end."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cluster.requirements import CannotRunError

_MOUNT = Path("/sys/fs/cgroup")
_REMOVAL = 20.0
_POLL = 0.05


@contextmanager
def cgroup() -> Iterator[str]:
    """Make a cgroup of a unique name. It is removed at the end, with everything below it.

    A separate process removes it when this process ends or asks for it. The kernel does not remove cgroups by itself,
    and a killed process cannot remove its own.

    Yields:
        The path of the cgroup in every hierarchy, such as `/pullguard-1a2b3c4d`.
    """
    name = f"pullguard-{secrets.token_hex(4)}"
    remover = subprocess.Popen(
        [sys.executable, "-m", "local_cluster.cgroups", name],
        stdin=subprocess.PIPE,
        start_new_session=True,
        cwd=Path(__file__).parent.parent,
        env={},
    )
    try:
        for hierarchy in hierarchies():
            (hierarchy / name).mkdir()
        yield f"/{name}"
    finally:
        remover.communicate(timeout=2 * _REMOVAL)
    assert remover.returncode == 0, f"the cgroup {name} could not be removed"


def check_cgroups() -> None:
    """Check that cgroups can be made on this machine.

    Raises:
        CannotRunError: They cannot be made.
    """
    found = hierarchies()
    if not found:
        raise CannotRunError(f"a node needs cgroups, and none are mounted in {_MOUNT}")
    for hierarchy in found:
        probe = hierarchy / f"pullguard-{secrets.token_hex(4)}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            raise CannotRunError(f"a node needs cgroups: {hierarchy}: {error.strerror}") from error


def hierarchies() -> list[Path]:
    """Return the roots of all hierarchies: the one of version 2, or one for each controller of version 1."""
    if not _MOUNT.is_dir():
        return []
    if (_MOUNT / "cgroup.controllers").exists():
        return [_MOUNT]
    return sorted({path.resolve() for path in _MOUNT.iterdir() if path.is_dir()})


def _remove(name: str) -> None:
    """Remove the cgroups of a name as soon as the last processes in them have ended."""
    end = time.monotonic() + _REMOVAL
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            while not _removed(Path(folder)):
                if time.monotonic() > end:
                    sys.exit(f"{folder} is still in use")
                time.sleep(_POLL)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.stdin.read()
    _remove(sys.argv[1])
