"""Whether a cluster can run on this machine, and what is missing if not."""

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

# System commands, and the packages that contain them.
CONTROL_PLANE_PACKAGES = {"openssl": "openssl"}
NODE_PACKAGES = {
    **CONTROL_PLANE_PACKAGES,
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/sbin/ip": "iproute2",
    "runc": "runc",
}


class CannotRunError(Exception):
    """This machine or this user cannot run a cluster; the message says what is missing."""


def check(
    binaries: Path, programs: Sequence[str], commands: Mapping[str, str], *, target: str = "cluster-tools"
) -> None:
    """Check that everything that a cluster needs is installed.

    Args:
        binaries: The folder into which make builds programs.
        programs: The names of the required programs in it.
        commands: The required system commands, and the packages that contain them.
        target: The make target that builds the programs.

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
