"""A cluster with one node and a registry."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cluster import requirements
from local_cluster.api import JSON, Client, Kubectl
from local_cluster.cgroups import check_cgroups, hierarchies
from local_cluster.control_plane import SERVICE, ControlPlane, control_plane
from local_cluster.controllers import controllers, scheduler
from local_cluster.isolation import isolated
from local_cluster.node import NAME, node
from local_cluster.registry import Registry, registry

#: A namespace that the library protects.
PROTECTED = "kube-system"

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """What Gatekeeper does for users of the API server.

    Attributes:
        always: Why a Deployment with Always is refused in a protected namespace; "" if it is admitted.
        namespace: Why a new Namespace is refused; "" if it is admitted.
    """

    always: str
    namespace: str


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A violation that an audit has found.

    Attributes:
        policy: The policy: the name of its folder.
        kind: The kind of the object.
        namespace: The namespace of the object.
        name: The name of the object.
    """

    policy: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster with one node.

    Attributes:
        plane: etcd and the API server.
        registry: The registry that the node pulls images from.
        cgroup: The cgroup of the node's pods, in every hierarchy.
        kubectl: The administrator's kubectl.
        client: The administrator's connection.
    """

    plane: ControlPlane
    registry: Registry
    cgroup: str
    kubectl: Kubectl
    client: Client

    def images_on_node(self) -> set[str]:
        """Return the names of the images that the node lists."""
        images = self.kubectl.get("node", NAME)["status"].get("images", [])
        return {name for image in images for name in image["names"]}

    def kill(self, pod: JSON, program: str) -> None:
        """Kill the processes of a pod that run a program, which the kubelet treats as a crash."""
        cgroups = f"{self.cgroup.removeprefix('/')}/**/pod{pod['metadata']['uid']}/*/cgroup.procs"
        lists = [path.read_text("ascii") for root in hierarchies() for path in root.glob(cgroups)]
        for process in {int(process) for processes in lists for process in processes.split()}:
            with suppress(FileNotFoundError, ProcessLookupError):  # it may end meanwhile
                if Path(f"/proc/{process}/comm").read_text("utf-8").strip() == program:
                    os.kill(process, signal.SIGKILL)

    def forecast(self, *options: str) -> JSON:
        """Return what `pullguard outage` says of the cluster as it is."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pullguard", "outage", "--output=json"),
                f"--kubeconfig={self.kubectl.kubeconfig}",
                *options,
            ],
            env={**os.environ, "PATH": f"{self.plane.binaries}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stderr
        report: JSON = json.loads(done.stdout)
        return report

    def ask_gatekeeper(self) -> Gatekeeper:
        """Try out what Gatekeeper's webhooks do with requests to the API server. Nothing is created."""
        container = {"name": "c", "image": "registry.example/web:1", "imagePullPolicy": "Always"}
        labels = {"app": "web"}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}
        return Gatekeeper(
            self._refusal(f"/apis/apps/v1/namespaces/{PROTECTED}/deployments", deployment),
            self._refusal("/api/v1/namespaces", namespace),
        )

    def _refusal(self, path: str, obj: JSON) -> str:
        return self.client.request("POST", f"{path}?dryRun=All", obj).message


def violations(constraints: Sequence[JSON]) -> tuple[Violation, ...]:
    """Return the violations in the status of constraints, sorted."""
    return tuple(
        sorted(
            Violation(_policy(constraint["kind"]), found["kind"], found.get("namespace", ""), found["name"])
            for constraint in constraints
            for found in constraint["status"].get("violations", [])
        )
    )


def _policy(kind: str) -> str:
    """Return the policy for a kind of constraints, such as protected_pull_policy for K8sProtectedPullPolicy."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.removeprefix("K8s")).lower()


@contextmanager
def site(binaries: Path, settings: Mapping[str, Any] | None = None, disk: int = 0) -> Iterator[Site]:
    """Run the cluster.

    Args:
        binaries: The folder of the programs.
        settings: Fields of the kubelet's configuration.
        disk: The size of a disk for the node's folder, in bytes; 0 for none.

    Raises:
        CannotRunError: The cluster cannot run on this machine.
        NotReadyError: A part of it did not start.
    """
    requirements.check(binaries, requirements.NODE, requirements.NODE_PACKAGES, target="incident-tools")
    check_cgroups()
    # Folders where the programs of a node always keep state and logs, whatever their configuration says.
    with isolated(Path("/var/lib"), Path("/var/log")) as folder, ExitStack() as stack:
        # There is no kube-proxy: the API server has the address of its Service, and finds the pods of webhooks itself.
        subprocess.run(["/sbin/ip", "address", "add", f"{SERVICE}/32", "dev", "lo"], check=True, timeout=_TIMEOUT)
        options = {"enable-aggregator-routing": "true", "disable-admission-plugins": ""}
        plane = stack.enter_context(control_plane(binaries, folder, address=SERVICE, port=443, options=options))
        images = stack.enter_context(registry(folder))
        stack.enter_context(controllers(plane, folder))
        stack.enter_context(scheduler(plane, folder))
        parent = stack.enter_context(node(plane, images, settings, disk))
        client = stack.enter_context(closing(plane.client()))
        yield Site(plane, images, parent, plane.kubectl(), client)


def pullguard(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run pullguard as a user does."""
    command = [sys.executable, "-m", "pullguard", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)


def findings(library: Path, *paths: Path) -> list[JSON]:
    """Return the findings of `pullguard check` in manifests; there must be no errors."""
    done = pullguard("check", "--output=json", f"--library={library}", *paths)
    assert done.stderr == "" or done.returncode < 2, done.stderr
    report = json.loads(done.stdout)
    assert report["errors"] == []
    found: list[JSON] = report["findings"]
    return found
