"""kube-controller-manager: what follows from objects, without which a cluster does not clean up after itself."""

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
def controllers(plane: ControlPlane, folder: Path, only: Sequence[str] = ("*",)) -> Iterator[None]:
    """Run controllers.

    Args:
        plane: The control plane.
        folder: An existing folder for the log.
        only: Their names; "*" for all that are on by default.
    """
    options = {
        "kubeconfig": str(plane.kubeconfig()),
        "controllers": ",".join(only),
        "leader-elect": "false",
        "use-service-account-credentials": "false",
        "service-account-private-key-file": str(plane.certificate.key),
        "root-ca-file": str(plane.certificate.certificate),
        # Nobody asks it anything, and two of them can run.
        "secure-port": "0",
    }
    with running(plane.binaries / "kube-controller-manager", *options_from(options), folder=folder):
        yield
