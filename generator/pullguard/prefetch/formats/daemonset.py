"""DaemonSets whose pods make the kubelets pull images: one for each group of nodes that need the same.

Nothing of an image runs. Its container runs a busybox that an init container has copied into the pod, and sleeps;
where nodes mount images as volumes, it is a pause container that mounts the image. So each image is in use as long as
the pod is there. The kubelet pulls in the order of the containers, and an image that cannot be pulled delays no other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from pullguard.prefetch.formats import manifests, words
from pullguard.prefetch.model import NAME, Batch, Image, Node, PrefetchReport, Settings

JSON = dict[str, Any]

_TITLE = "Pods that make kubelets pull these images, the largest first, and keep them in use. They run nothing of them."
_HOSTNAME = "kubernetes.io/hostname"
_FOLDER = "/pullguard"
_BUSYBOX = f"{_FOLDER}/busybox"
_SLEEP = [_BUSYBOX, "sleep", "2147483647"]  # not every busybox knows infinity
_NOBODY = 65534
_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": _NOBODY,
    "runAsGroup": _NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_RESOURCES = {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"cpu": "100m", "memory": "32Mi"}}


def write(report: PrefetchReport, settings: Settings, stream: TextIO) -> None:
    """Write the DaemonSets, and a ServiceAccount without rights or pull secrets for each of their namespaces."""
    batches = [batch for batch in report.batches if _runs_linux(batch)]
    namespaces = sorted({batch.namespace or settings.namespace for batch in batches if not batch.account})
    objects = [*map(_account, namespaces), *(_daemonset(batch, settings) for batch in batches)]
    manifests.write(report, _TITLE, _left(report), objects, stream)


def _left(report: PrefetchReport) -> Iterator[str]:
    for batch in report.batches:
        if not _runs_linux(batch):
            images = words.several([image.name for image in batch.images])
            yield f"these pods need Linux, and {words.batch(batch)}, lack {images}"


def _runs_linux(batch: Batch) -> bool:
    return batch.nodes[0].system in {"", "linux"}


def _account(namespace: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": namespace, "labels": dict(manifests.LABELS)},
        "automountServiceAccountToken": False,
    }


def _daemonset(batch: Batch, settings: Settings) -> JSON:
    name = manifests.name_of(batch, settings.means, settings.helper_image, settings.pause_image)
    labels = {**manifests.LABELS, "app.kubernetes.io/instance": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": batch.namespace or settings.namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            # Pods are not ready as long as one of their images cannot be pulled.
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec(batch, settings)},
        },
    }


def _pod_spec(batch: Batch, settings: Settings) -> JSON:
    named = [(f"image-{number}", image) for number, image in enumerate(batch.images, 1)]
    mounted = [_is_mounted(image, batch.nodes[0], settings) for image in batch.images]
    spec: JSON = {
        "serviceAccountName": batch.account or NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": dict(_POD_SECURITY),
        **({"nodeSelector": dict(batch.nodes[0].platform)} if batch.nodes[0].platform else {}),
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _selecting(batch.nodes)}},
    }
    if batch.tolerations:
        spec["tolerations"] = [dict(toleration) for toleration in batch.tolerations]
    if batch.secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in batch.secrets]
    if not all(mounted):
        copy = ["/bin/busybox", "cp", "/bin/busybox", _BUSYBOX]
        spec["initContainers"] = [_container("helper", settings.helper_image, copy, [_helper(read_only=False)])]
    spec["containers"] = [
        _container(name, settings.pause_image, [], [{"name": name, "mountPath": _FOLDER, "readOnly": True}])
        if is_mounted
        else _container(name, image.name, _SLEEP, [_helper(read_only=True)])
        for (name, image), is_mounted in zip(named, mounted, strict=True)
    ]
    spec["volumes"] = [
        *([] if all(mounted) else [{"name": "helper", "emptyDir": {}}]),
        *(
            {"name": name, "image": {"reference": image.name, "pullPolicy": "IfNotPresent"}}
            for (name, image), is_mounted in zip(named, mounted, strict=True)
            if is_mounted
        ),
    ]
    return spec


def _is_mounted(image: Image, node: Node, settings: Settings) -> bool:
    return image.is_volume or settings.means == "volumes" or (settings.means == "auto" and node.mounts)


def _helper(*, read_only: bool) -> JSON:
    return {"name": "helper", "mountPath": _FOLDER, **({"readOnly": True} if read_only else {})}


def _container(name: str, image: str, command: Sequence[str], mounts: Iterable[Mapping[str, Any]]) -> JSON:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # The image may name a folder that this user may not enter.
        **({"command": list(command), "workingDir": "/"} if command else {}),
        "securityContext": dict(_SECURITY),
        "resources": {kind: dict(values) for kind, values in _RESOURCES.items()},
        "volumeMounts": [dict(mount) for mount in mounts],
    }


def _selecting(nodes: Sequence[Node]) -> JSON:
    """Return the node selector of some nodes: by their hostnames if these tell them apart, else by their names."""
    hostnames = [node.hostname for node in nodes if node.hostname]
    terms: list[JSON] = []
    if hostnames:
        terms.append({"matchExpressions": [{"key": _HOSTNAME, "operator": "In", "values": hostnames}]})
    # A term takes one name only.
    terms += [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node.name]}]}
        for node in nodes
        if not node.hostname
    ]
    return {"nodeSelectorTerms": terms}
