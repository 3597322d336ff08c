"""Whether a cluster can run on this machine, and what it lacks if not."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
GATEKEEPER = ("gatekeeper",)


class CannotRunError(Exception):
    """This machine, or this user, cannot run it; says what is missing."""


def check(binaries: Path, programs: Sequence[str], commands: Sequence[str]) -> None:
    """See whether what a cluster needs is there.

    Args:
        binaries: Where `make cluster-tools` puts programs.
        programs: Those that must be there.
        commands: Programs of the system, called as their packages are.

    Raises:
        CannotRunError: Something is missing.
    """
    if sys.platform != "linux":
        raise CannotRunError("a cluster needs Linux")
    if os.geteuid() != 0:
        raise CannotRunError("a cluster needs root, for a network and mounts of its own")
    missing = [name for name in programs if not os.access(binaries / name, os.X_OK)]
    if missing:
        raise CannotRunError(f"not built: {', '.join(missing)}: run `make cluster-tools`")
    packages = [name for name in commands if shutil.which(name) is None]
    if packages:
        raise CannotRunError(f"not installed: {', '.join(packages)}: run `apt-get install {' '.join(packages)}`")
