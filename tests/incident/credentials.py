"""An image that the kubelet has pulled with credentials, and pods with and without them."""

import base64
import json
from collections.abc import Mapping

from local_cluster.api import JSON

REPOSITORY = "private"
IMAGE = f"registry.example/{REPOSITORY}:1"
_SECRET = "registry"  # noqa: S105 - a name

#: By name: whether the pod has the credentials, and its pull policy.
PODS: Mapping[str, tuple[bool, str]] = {
    "with-credentials": (True, "IfNotPresent"),
    "without-credentials": (False, "IfNotPresent"),
    "without-credentials-never": (False, "Never"),
}


def secret(namespace: str) -> JSON:
    """Return the credentials as a Secret."""
    auths = {"auths": {"registry.example": {"username": "node", "password": "not-asked-for"}}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _SECRET, "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()},
    }


def pod(namespace: str, name: str) -> JSON:
    """Return one of PODS."""
    has_credentials, policy = PODS[name]
    spec: JSON = {"containers": [{"name": "main", "image": IMAGE, "imagePullPolicy": policy}]}
    if has_credentials:
        spec["imagePullSecrets"] = [{"name": _SECRET}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
