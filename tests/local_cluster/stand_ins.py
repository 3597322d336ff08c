"""Stands in for what a cluster without nodes lacks: scheduler, kubelet, kube-proxy, and the servers of webhooks.

A pod is bound to a node, gets a token, starts if its images allow it, and says that it is ready: each by the request
that the real programs send, which webhooks may refuse. A webhook answers as long as a pod behind its Service runs.
"""

import fcntl
import socket
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cluster.api import Client
from local_cluster.control_plane import SERVICE, Certificate
from local_cluster.servers import running

JSON = dict[str, Any]

_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
# Not that of loopback itself: an address of its own goes without it.
_ALIAS = b"lo:services"
_MERGE = "application/merge-patch+json"
_PORT = 443
_START = 30.0


@contextmanager
def webhooks(folder: Path, certificate: Certificate) -> Iterator[None]:
    """Run a webhook that allows everything, at all addresses of Services of which the folder has a file of that name.

    Args:
        folder: An existing folder.
        certificate: What it is known by.

    Raises:
        NotReadyError: It did not start.
    """
    program = Path(__file__).with_name("webhook_server.py")
    options = (str(program), str(certificate.certificate), str(certificate.key))
    with _service_addresses(), running(Path(sys.executable), *options, folder=folder) as server:
        server.wait(_listens, timeout=_START)
        yield


def _listens() -> bool:
    try:
        socket.create_connection((SERVICE, _PORT)).close()
    except OSError:
        return False
    return True


@contextmanager
def _service_addresses() -> Iterator[None]:
    """Let this network's loopback have all addresses of Services."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for request, address in ((_SIOCSIFADDR, SERVICE), (_SIOCSIFNETMASK, "255.255.0.0")):
            packed = struct.pack("16sH2x4s8x", _ALIAS, socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(any_socket, request, packed)
        yield
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", _ALIAS, 0))


@dataclass(slots=True)
class StandIns:
    """Scheduler, kubelet and kube-proxy for the pods with a label.

    Attributes:
        client: The administrator's connection.
        served: The folder in which webhooks() has a file for each address that answers.
        selector: The label.
        nodes: The nodes, in the order in which pods get them.
        images: By node, the images that it has.
        registry: Whether images can be pulled.
        proxied: Whether only Services with endpoints answer; otherwise all do.
        up: The Services that answer, as NAMESPACE/NAME.
    """

    client: Client
    served: Path
    selector: str
    nodes: Sequence[str]
    images: Mapping[str, list[str]]
    registry: bool = True
    proxied: bool = False
    up: frozenset[str] = frozenset()
    _running: set[str] = field(default_factory=set)
    _ready: set[str] = field(default_factory=set)
    _bound: int = 0

    def labelled(self, path: str) -> list[JSON]:
        """Return the objects of a kind that have the label."""
        found: list[JSON] = self.client.request("GET", f"{path}?labelSelector={self.selector}").body["items"]
        return found

    def is_running(self, pod: JSON) -> bool:
        """Tell whether a pod has started."""
        return pod["metadata"]["uid"] in self._running

    def step(self) -> list[JSON]:
        """Do for each pod what comes next, and return the pods. What is refused is tried again in the next step."""
        pods = []
        for pod in self.labelled("/api/v1/pods"):
            if "deletionTimestamp" in pod["metadata"]:
                self.delete(pod)
                continue
            pods.append(pod)
            if "nodeName" not in pod["spec"]:
                self._bind(pod)
            elif not self.is_running(pod):
                self._start(pod)
            if self.is_running(pod) and pod["metadata"]["uid"] not in self._ready:
                self._say_ready(pod)
        self._proxy(pods)
        return pods

    def _bind(self, pod: JSON) -> None:
        node = self.nodes[self._bound % len(self.nodes)]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod["metadata"]["name"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        if self.client.request("POST", f"{_path(pod)}/binding", binding).message:
            return
        self._bound += 1
        pod["spec"]["nodeName"] = node
        self._start(pod)

    def _start(self, pod: JSON) -> None:
        node = pod["spec"]["nodeName"]
        if not all(self._can_start(container, node) for container in pod["spec"]["containers"]):
            return
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": ["https://kubernetes.default.svc"]},
        }
        account = f"/api/v1/namespaces/{pod['metadata']['namespace']}/serviceaccounts/default/token"
        if not self.client.request("POST", account, request).message:
            self._running.add(pod["metadata"]["uid"])

    def _can_start(self, container: JSON, node: str) -> bool:
        has = container["image"] in self.images[node]
        return self.registry or (container["imagePullPolicy"] != "Always" and has)

    def _say_ready(self, pod: JSON) -> None:
        address = f"10.244.{len(self._ready) // 250}.{len(self._ready) % 250 + 1}"
        status = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")],
        }
        if not self.client.request("PATCH", f"{_path(pod)}/status", {"status": status}, content_type=_MERGE).message:
            self._ready.add(pod["metadata"]["uid"])

    # -- Services

    def services(self) -> dict[str, JSON]:
        """Return the Services by NAMESPACE/NAME."""
        return {_name(obj): obj for obj in self.labelled("/api/v1/services")}

    def with_endpoints(self, pods: Sequence[JSON]) -> frozenset[str]:
        """Return the Services, as NAMESPACE/NAME, of which an endpoint is a pod that runs."""
        running = {pod["metadata"]["uid"] for pod in pods if self.is_running(pod)}
        return frozenset(
            f"{slice_['metadata']['namespace']}/{slice_['metadata']['labels']['kubernetes.io/service-name']}"
            for slice_ in self.labelled("/apis/discovery.k8s.io/v1/endpointslices")
            for endpoint in slice_["endpoints"] or ()
            if endpoint["conditions"].get("ready") and endpoint["targetRef"]["uid"] in running
        )

    def _proxy(self, pods: Sequence[JSON]) -> None:
        services = self.services()
        self.up = self.with_endpoints(pods) if self.proxied else frozenset(services)
        for name, obj in services.items():
            file = self.served / obj["spec"]["clusterIP"]
            if name in self.up:
                file.touch()
            else:
                file.unlink(missing_ok=True)

    def unserved(self, pods: Sequence[JSON]) -> set[str]:
        """Return the Services that select a pod that says it is ready, and have no endpoint yet."""
        ready = [pod for pod in pods if pod["metadata"]["uid"] in self._ready]
        up = self.with_endpoints(pods)
        return {
            name for name, obj in self.services().items() if name not in up and any(_selects(obj, pod) for pod in ready)
        }

    def says_ready(self, pod: JSON) -> bool:
        """Tell whether a pod says that it is ready."""
        return pod["metadata"]["uid"] in self._ready

    def delete(self, pod: JSON) -> None:
        """Delete a pod at once."""
        self.client.request("DELETE", _path(pod), {"gracePeriodSeconds": 0})


def _path(pod: JSON) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _name(obj: JSON) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _selects(service: JSON, pod: JSON) -> bool:
    same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return bool(same and service["spec"]["selector"].items() <= pod["metadata"]["labels"].items())
