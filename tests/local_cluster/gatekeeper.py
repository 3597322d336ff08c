"""Gatekeeper's webhook and audit, run beside the control plane rather than as pods of it."""

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

#: Its own user, so that it may do no more than its own manifest lets it.
USER = "system:serviceaccount:gatekeeper-system:gatekeeper-admin"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:gatekeeper-system")

#: How often it audits, in seconds.
AUDIT_INTERVAL = 5

#: Namespaces that may have the label which takes them out of the webhook's sight, beside Gatekeeper's own.
EXEMPT = ("ignored",)

_PORT = 8443
_HEALTH = "127.0.0.1:9090"
_START = 120.0
_OPERATIONS = (
    ("audit", "generate", "status", "mutation-status", "mutation-controller"),
    ("webhook", "mutation-webhook"),
)

# What Gatekeeper writes belongs to the pod that it runs in, and is taken away without it. This one never runs.
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
    """Gatekeeper, as it runs.

    Attributes:
        url: Where its webhook listens.
        authority: The file with the certificate that it is known by.
    """

    url: str
    authority: Path

    def client(self) -> Client:
        """Return a connection to the webhook, for reviews that no API server makes."""
        return Client(self.url, self.authority)


@contextmanager
def gatekeeper(plane: ControlPlane, manifest: Path) -> Iterator[Gatekeeper]:
    """Apply Gatekeeper's own manifest, run its manager, and wait until it is ready.

    The manifest is applied as it is but for the webhooks, which are sought where they are. Its Deployments stay without
    pods, as long as no controller makes some.

    Args:
        plane: The control plane, with USER in GROUPS.
        manifest: `deploy/gatekeeper.yaml` of its module.

    Raises:
        NotReadyError: It did not start.
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
        # Nothing is behind a Service here that would have to notice first.
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
    """Return an object of the manifest; in webhook configurations, with the address in place of the Service."""
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
