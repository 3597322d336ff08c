"""Gatekeeper's webhook and audit, run next to the control plane rather than as pods."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml

from local_cluster.api import Client
from local_cluster.control_plane import ControlPlane
from local_cluster.servers import options_from, running

NAMESPACE = "gatekeeper-system"

#: Gatekeeper's own user, so that it only has the rights that its manifest grants.
USER = "system:serviceaccount:gatekeeper-system:gatekeeper-admin"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:gatekeeper-system")

#: The audit interval in seconds.
AUDIT_INTERVAL = 5

#: The namespaces, other than Gatekeeper's own, that may have the label that excludes them from the webhook.
EXEMPT = ("ignored",)

_PORT = 8443
_HEALTH = "127.0.0.1:9090"
_START = 120.0
_OPERATIONS = (
    ("audit", "generate", "status", "mutation-status", "mutation-controller"),
    ("webhook", "mutation-webhook"),
)

# The pod that owns the status objects that Gatekeeper writes; they are deleted without it. It never runs.
_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "gatekeeper", "namespace": NAMESPACE},
    "spec": {
        "schedulerName": "none",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "manager",
                "image": "example.org/gatekeeper:1",
                "imagePullPolicy": "Never",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """A running Gatekeeper.

    Attributes:
        url: The URL of its webhook.
        authority: The file with the certificate that it is known by.
    """

    url: str
    authority: Path

    def client(self) -> Client:
        """Return a connection to the webhook, for reviews that do not come from an API server."""
        return Client(self.url, self.authority)


@contextmanager
def gatekeeper(plane: ControlPlane, manifest: Path) -> Iterator[Gatekeeper]:
    """Apply Gatekeeper's own manifest, run its manager, and wait until it is ready.

    The manifest is applied unchanged, except that its webhooks get a URL instead of a Service. Its Deployments have no
    pods, unless a test runs controllers.

    Args:
        plane: The control plane, with the user USER in GROUPS.
        manifest: The file `deploy/gatekeeper.yaml` of the Gatekeeper module.

    Raises:
        NotReadyError: Gatekeeper did not start.
    """
    url = f"https://127.0.0.1:{_PORT}"
    certificate = plane.certificate.certificate
    with manifest.open("rb") as file:
        objects = [_reached_at(url, certificate, obj) for obj in yaml.load_all(file, yaml.CSafeLoader) if obj]
    kubectl = plane.kubectl()
    kubectl("apply", "--server-side", "--filename=-", stdin={"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    cache = plane.folder / "audit"
    cache.mkdir()
    options = {
        "kubeconfig": str(plane.kubeconfig(USER)),
        "operation": [name for names in _OPERATIONS for name in names],
        "cert-dir": str(certificate.parent),
        "host": "127.0.0.1",
        "port": str(_PORT),
        "health-addr": _HEALTH,
        "audit-interval": str(AUDIT_INTERVAL),
        "constraint-violations-limit": "500",
        "api-cache-dir": str(cache),
        "exempt-namespace": [NAMESPACE, *EXEMPT],
        "disable-opa-builtin": "{http.send}",
        # There is no Service whose endpoints would have to be updated before it stops.
        "shutdown-delay": "0",
    }
    kubectl("apply", "--filename=-", stdin=_POD)
    environment = {"POD_NAME": _POD["metadata"]["name"], "POD_NAMESPACE": NAMESPACE}
    with running(
        plane.binaries / "gatekeeper",
        *options_from(options),
        "--disable-cert-rotation",
        folder=plane.folder,
        environment=environment,
    ) as server:
        server.wait(_is_ready, timeout=_START)
        yield Gatekeeper(url, certificate)


def _is_ready() -> bool:
    try:
        with urlopen(f"http://{_HEALTH}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _reached_at(url: str, certificate: Path, obj: Any) -> Any:
    """Return an object of the manifest. Webhook configurations get a URL instead of a Service."""
    if not obj["kind"].endswith("WebhookConfiguration"):
        return obj
    bundle = b64encode(certificate.read_bytes()).decode()
    webhooks = [
        {
            **webhook,
            "clientConfig": {"url": url + webhook["clientConfig"]["service"]["path"], "caBundle": bundle},
        }
        for webhook in obj["webhooks"]
    ]
    return {**obj, "webhooks": webhooks}
