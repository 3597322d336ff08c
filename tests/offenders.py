"""Objects that say Always, or anything else that a test needs, in a form that an API server accepts."""

from typing import Any

IMAGE = "registry.example.com/app:1"

#: The library's message about them.
MESSAGE = (
    f'container "app" image "{IMAGE}": imagePullPolicy is Always: cannot start without its registry; '
    "set imagePullPolicy: IfNotPresent"
)

# Gatekeeper's own namespace only accepts such pods: its Pod Security Standard is `restricted`.
_RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

_PLURALS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}


def collection(kind: str, namespace: str) -> str:
    """Return the path of the objects of a kind."""
    return _PLURALS[kind].format(namespace)


def container(name: str = "app", image: str = IMAGE, policy: str | None = "Always") -> dict[str, Any]:
    """Return a container; with the policy None, it does not state any."""
    stated = {} if policy is None else {"imagePullPolicy": policy}
    return {"name": name, "image": image, "securityContext": _RESTRICTED, **stated}


def pod_spec(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a pod spec. By default its only container says Always."""
    return {"containers": list(containers) or [container()], "securityContext": _RESTRICTED_POD, **more}


def pod(name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return a pod."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec or pod_spec()}


def workload(kind: str, name: str, spec: dict[str, Any] | None = None, replicas: int = 1) -> dict[str, Any]:
    """Return a Deployment or a ReplicaSet."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec or pod_spec()}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def cron_job(name: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a CronJob that next runs at the end of the year."""
    template = {"spec": {"restartPolicy": "Never", **(spec or pod_spec())}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": "0 0 31 12 *", "suspend": True, "jobTemplate": {"spec": {"template": template}}},
    }
