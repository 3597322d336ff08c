"""Whether a cluster can run on this machine, and what it lacks if not."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
GATEKEEPER = ("gatekeeper",)
NODE = (
    *(*CONTROL_PLANE, *GATEKEEPER, "kube-scheduler", "kubelet"),
    *("containerd", "containerd-shim-runc-v2", "pause"),
)

# Commands of the system, and the packages that have them.
CONTROL_PLANE_PACKAGES = {"openssl": "openssl"}
NODE_PACKAGES = {
    **CONTROL_PLANE_PACKAGES,
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/sbin/ip": "iproute2",
    "runc": "runc",
}


class CannotRunError(Exception):
    """This machine, or this user, cannot run it; says what is missing."""


def check(
    binaries: Path, programs: Sequence[str], commands: Mapping[str, str], *, target: str = "cluster-tools"
) -> None:
    """See whether what a cluster needs is there.

    Args:
        binaries: Where make puts programs.
        programs: Those that must be there.
        commands: Programs of the system, and the packages that have them.
        target: What make builds the programs for.

    Raises:
        CannotRunError: Something is missing.
    """
    if sys.platform != "linux":
        raise CannotRunError("a cluster needs Linux")
    if os.geteuid() != 0:
        raise CannotRunError("a cluster needs root, for a network and mounts of its own")
    missing = [name for name in programs if not os.access(binaries / name, os.X_OK)]
    if missing:
        raise CannotRunError(f"not built: {', '.join(missing)}: run `make {target}`")
    packages = [package for name, package in commands.items() if shutil.which(name) is None]
    if packages:
        raise CannotRunError(f"not installed: {', '.join(packages)}: run `apt-get install {' '.join(packages)}`")
