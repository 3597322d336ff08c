"""kube-controller-manager and kube-scheduler."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local_cluster.control_plane import ControlPlane
from local_cluster.servers import options_from, running

#: The controllers that delete the dependents of deleted objects, and the contents of deleted namespaces.
CLEANING = ("garbage-collector-controller", "namespace-controller")

#: The controllers that create the objects of workloads.
WORKLOADS = ("deployment-controller", "replicaset-controller", "statefulset-controller", "job-controller")


@contextmanager
def controllers(
    plane: ControlPlane, folder: Path, only: Sequence[str] = ("*",), *, as_themselves: bool = False
) -> Iterator[None]:
    """Run controllers.

    Args:
        plane: The control plane.
        folder: An existing folder for the log.
        only: The names of the controllers; "*" stands for all that are on by default.
        as_themselves: Whether each uses its own service account, as in kubeadm clusters; otherwise the administrator's.
    """
    options = {
        "kubeconfig": str(plane.kubeconfig()),
        "controllers": ",".join(only),
        "leader-elect": "false",
        "use-service-account-credentials": str(as_themselves).lower(),
        "service-account-private-key-file": str(plane.certificate.key),
        "root-ca-file": str(plane.certificate.certificate),
        # To empty one namespace takes dozens of requests, and the default is 20 in a second.
        "kube-api-qps": "200",
        "kube-api-burst": "400",
        # Do not listen: no client needs the port, and two instances can run at once.
        "secure-port": "0",
    }
    with running(plane.binaries / "kube-controller-manager", *options_from(options), folder=folder):
        yield


@contextmanager
def scheduler(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """Run the scheduler, which assigns pods to nodes.

    Args:
        plane: The control plane.
        folder: An existing folder for the log.
    """
    options = {"kubeconfig": str(plane.kubeconfig()), "leader-elect": "false", "secure-port": "0"}
    with running(plane.binaries / "kube-scheduler", *options_from(options), folder=folder):
        yield
