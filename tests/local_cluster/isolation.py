"""A network, mounts and a folder that only this process and its children can see, and that end with them."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local_cluster.requirements import CannotRunError

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_NAMESPACES = {"net": _CLONE_NEWNET, "mnt": _CLONE_NEWNS}
_MS_NOSUID_NODEV = 2 | 4
_MS_REC_PRIVATE = 0x4000 | 0x40000
_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x1 | 0x40

#: Every Linux has it, and programs expect it to be empty at boot. Its contents are hidden while this process runs.
FOLDER = Path("/run")


@contextmanager
def isolated(*folders: Path) -> Iterator[Path]:
    """Give this process a network with only loopback, and empty in-memory folders in place of the given ones.

    Processes that it starts meanwhile share them. Other processes see nothing of them, and the kernel removes all of it
    when the last of these processes has ended, however it ends. Run this in the main thread.

    Args:
        folders: Existing folders to hide in addition to `/run`.

    Yields:
        An empty in-memory folder below `/run`.

    Raises:
        CannotRunError: The kernel refuses it.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: object) -> None:
        if getattr(libc, name)(*arguments) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise CannotRunError(f"namespaces cannot be made here: {name}: {reason}")

    def enter(files: Sequence[tuple[int, int]]) -> None:
        for file, flag in files:
            call("setns", file, flag)

    before = [(os.open(f"/proc/self/ns/{name}", os.O_RDONLY), flag) for name, flag in _NAMESPACES.items()]
    working_directory = Path.cwd()
    try:
        call("unshare", _CLONE_NEWNET | _CLONE_NEWNS)
        try:
            call("mount", b"none", b"/", None, _MS_REC_PRIVATE, None)
            for folder in (FOLDER, *folders):
                call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", _MS_NOSUID_NODEV, b"mode=0755")
            _bring_up_loopback()
            private = FOLDER / "pullguard"
            private.mkdir(mode=0o700)
            yield private
        finally:
            enter(before)
            os.chdir(working_directory)
    finally:
        for file, _ in before:
            os.close(file)


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))
