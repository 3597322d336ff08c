"""What is kept of the objects of a snapshot: a hundred thousand pods fit into memory without the rest."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pullguard.core.gatekeeper import dig

JSON = dict[str, Any]

_METADATA = ("name", "namespace", "uid", "labels", "ownerReferences", "deletionTimestamp")
_MIRROR = "kubernetes.io/config.mirror"
_PLUGINS = "--enable-admission-plugins="
_SPEC = (
    *("nodeName", "nodeSelector", "affinity", "tolerations", "hostNetwork", "os"),
    *("restartPolicy", "serviceAccountName", "imagePullSecrets"),
)
_CONTAINER = ("name", "image", "imagePullPolicy", "restartPolicy", "volumeMounts")
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_ADDRESSES = ("clusterIP", "clusterIPs", "externalIPs")
_REPLICAS = ("replicas", "suspend", "paused", "selector")


class Keeper:
    """Takes from objects what a forecast needs. Parts that are alike are one value in memory."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def keep(self, obj: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is kept of an object; nothing of it is to be changed."""
        match obj.get("kind"):
            case "Pod":
                return {
                    **_head(obj),
                    "spec": self._pod_spec(obj.get("spec")),
                    "status": self._one({"phase": dig(obj, "status", "phase"), "conditions": _ready(obj)}),
                }
            case "CronJob":
                template = self._pod_spec(dig(obj, "spec", "jobTemplate", "spec", "template", "spec"))
                spec = {"jobTemplate": {"spec": {"template": {"spec": template}}}}
                return {**_head(obj), "spec": {**_some(obj.get("spec"), _REPLICAS), **spec}}
            case "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" | "Job":
                template = dig(obj, "spec", "template")
                metadata = _some(dig(template, "metadata"), ("labels", "annotations"))
                spec = {"template": {"metadata": metadata, "spec": self._pod_spec(dig(template, "spec"))}}
                kept = {**_head(obj), "spec": {**_some(obj.get("spec"), _REPLICAS), **spec}}
                return {**kept, "status": _some(obj.get("status"), ("conditions",))}
            case "Node":
                status = _some(obj.get("status"), ("nodeInfo", "addresses"))
                listed = dig(obj, "status", "images")
                if listed is not None:
                    status["images"] = self._images(listed)
                return {**_head(obj), "spec": _some(obj.get("spec"), ("taints", "unschedulable")), "status": status}
            case "CustomResourceDefinition" | "Service":
                spec = _some(obj.get("spec"), ("group", "names", "conversion", "selector", "ports", *_ADDRESSES))
                return {**_head(obj), "spec": spec, "status": _some(obj.get("status"), ("loadBalancer",))}
        return obj

    def _images(self, listed: Any) -> Any:
        if not isinstance(listed, list):
            return listed
        return [self._one(_some(image, ("names", "sizeBytes"))) for image in listed]

    def _pod_spec(self, spec: Any) -> Any:
        if not isinstance(spec, dict):
            return spec
        kept = _some(spec, _SPEC)
        node = kept.pop("nodeName", None)
        stated = spec.get("volumes")
        listed = stated if isinstance(stated, list) else []
        volumes = [_some(each, ("name", "image")) for each in listed if dig(each, "image") is not None]
        for field in _CONTAINERS:
            if isinstance(spec.get(field), list):
                # Mounts of other volumes would tell pods of one workload apart: that of the token has a random name.
                kept[field] = [
                    _container(container, [each.get("name") for each in volumes]) for container in spec[field]
                ]
        if volumes:
            for volume in volumes:
                if isinstance(volume["image"], dict):
                    volume["image"] = {name: _as_text(value) for name, value in volume["image"].items()}
            kept["volumes"] = volumes
        shared = self._one(kept)
        return shared if node is None else {**shared, "nodeName": node}

    def _one(self, value: Any) -> Any:
        return self._known.setdefault(json.dumps(value, sort_keys=True), value)


def is_static(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod stands for one that a file on a node makes."""
    return dig(pod, "metadata", "annotations", _MIRROR) is not None


def _head(obj: Mapping[str, Any]) -> JSON:
    metadata = _some(obj.get("metadata"), _METADATA)
    if is_static(obj):
        metadata["annotations"] = {_MIRROR: ""}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}


def _ready(obj: Mapping[str, Any]) -> list[Any]:
    conditions = dig(obj, "status", "conditions")
    listed = conditions if isinstance(conditions, list) else []
    return [_some(each, ("type", "status")) for each in listed if dig(each, "type") == "Ready"]


def _container(container: Any, volumes: Sequence[Any]) -> Any:
    if not isinstance(container, dict):
        return container
    kept = {name: _as_text(value) for name, value in _some(container, _CONTAINER).items() if name != "volumeMounts"}
    mounts = container.get("volumeMounts")
    named = [dig(mount, "name") for mount in mounts] if isinstance(mounts, list) else []
    if any(name in volumes for name in named):
        kept["volumeMounts"] = [{"name": name} for name in named if name in volumes]
    for field in ("command", "args"):
        stated = container.get(field)
        plugins = [text for text in stated if str(text).startswith(_PLUGINS)] if isinstance(stated, list) else []
        if plugins:
            kept[field] = plugins
    return kept


def _as_text(value: Any) -> Any:
    """Return a mapping or a list where a text belongs, which no API server takes, as a text that is no good one."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


def _some(value: Any, names: tuple[str, ...]) -> JSON:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}
