"""kube-controller-manager and kube-scheduler: what follows from objects."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local_cluster.control_plane import ControlPlane
from local_cluster.servers import options_from, running

#: What takes away what belongs to an object that is deleted, or to a namespace.
CLEANING = ("garbage-collector-controller", "namespace-controller")

#: What makes the objects that workloads stand for.
WORKLOADS = ("deployment-controller", "replicaset-controller", "statefulset-controller", "job-controller")


@contextmanager
def controllers(
    plane: ControlPlane, folder: Path, only: Sequence[str] = ("*",), *, as_themselves: bool = False
) -> Iterator[None]:
    """Run controllers.

    Args:
        plane: The control plane.
        folder: An existing folder for the log.
        only: Their names; "*" for all that are on by default.
        as_themselves: Each with the service account that it has in clusters of kubeadm, and not as the administrator.
    """
    options = {
        "kubeconfig": str(plane.kubeconfig()),
        "controllers": ",".join(only),
        "leader-elect": "false",
        "use-service-account-credentials": str(as_themselves).lower(),
        "service-account-private-key-file": str(plane.certificate.key),
        "root-ca-file": str(plane.certificate.certificate),
        # Nobody asks it anything, and two of them can run.
        "secure-port": "0",
    }
    with running(plane.binaries / "kube-controller-manager", *options_from(options), folder=folder):
        yield


@contextmanager
def scheduler(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """Run what gives pods a node.

    Args:
        plane: The control plane.
        folder: An existing folder for the log.
    """
    options = {"kubeconfig": str(plane.kubeconfig()), "leader-elect": "false", "secure-port": "0"}
    with running(plane.binaries / "kube-scheduler", *options_from(options), folder=folder):
        yield
