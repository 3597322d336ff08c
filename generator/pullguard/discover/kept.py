"""What is kept of the objects of a snapshot: a large cluster fits into memory without the rest."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from pullguard.cluster.snapshot import WORKLOADS
from pullguard.core.gatekeeper import dig

JSON = dict[str, Any]

_PODS = frozenset({"Pod", *(kind.kind for kind in WORKLOADS)})
_METADATA = ("name", "namespace", "uid", "labels", "ownerReferences", "deletionTimestamp")
_SPEC = ("replicas", "suspend")
_POD_SPEC = ("hostNetwork", "priorityClassName")
_CONTAINERS = ("containers", "initContainers")


class Keeper:
    """Takes from objects what discover needs. Parts that are alike are one value in memory.

    Args:
        namespaced: The kinds whose objects are in a namespace.
        namespace: The namespace of those that state none; "" if it is not known.
    """

    def __init__(self, namespaced: Collection[str], namespace: str) -> None:
        self._known: dict[str, Any] = {}
        self._namespaced = namespaced
        self._namespace = namespace

    def keep(self, obj: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is kept of an object; nothing of it is to be changed."""
        kind = obj.get("kind")
        if kind in self._namespaced and self._namespace and not dig(obj, "metadata", "namespace"):
            metadata = obj.get("metadata")
            obj = {
                **obj,
                "metadata": {**(metadata if isinstance(metadata, dict) else {}), "namespace": self._namespace},
            }
        if kind in _PODS:
            pod = template(obj)
            labels = dig(pod, "metadata", "labels")
            return {
                **_head(obj),
                "spec": _some(obj.get("spec"), _SPEC),
                "status": self._one(_some(obj.get("status"), ("phase", "conditions"))),
                "pod": self._one({"labels": labels, "spec": _pod_spec(dig(pod, "spec"))}),
            }
        if kind == "Service":
            return {
                **_head(obj),
                "spec": _some(obj.get("spec"), ("ports", "clusterIP", "clusterIPs", "externalIPs")),
                "status": _some(obj.get("status"), ("loadBalancer",)),
            }
        if kind == "Node":
            return {**_head(obj), "status": _some(obj.get("status"), ("addresses",))}
        return obj

    def _one(self, value: Any) -> Any:
        return self._known.setdefault(json.dumps(value, sort_keys=True), value)


def template(obj: Mapping[str, Any]) -> Any:
    """Return what has the labels and the spec of the pods of a workload, or of a pod; None if there is none."""
    match obj.get("kind"):
        case "Pod":
            return obj
        case "CronJob":
            return dig(obj, "spec", "jobTemplate", "spec", "template")
    return dig(obj, "spec", "template")


def _head(obj: Mapping[str, Any]) -> JSON:
    metadata = _some(obj.get("metadata"), _METADATA)
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}


def _pod_spec(spec: Any) -> JSON:
    kept = _some(spec, _POD_SPEC)
    for field in _CONTAINERS:
        kept[field] = [_container(each) for each in _list(spec, field)]
    kept["volumes"] = [
        {"name": dig(each, "name"), "hostPath": {"path": dig(each, "hostPath", "path")}}
        for each in _list(spec, "volumes")
        if isinstance(dig(each, "hostPath", "path"), str)
    ]
    return kept


def _container(container: Any) -> JSON:
    return {
        "image": dig(container, "image"),
        "volumeMounts": [_some(each, ("name", "readOnly")) for each in _list(container, "volumeMounts")],
        "env": [value for value in (dig(each, "value") for each in _list(container, "env")) if isinstance(value, str)],
    }


def _list(value: Any, field: str) -> list[Any]:
    found = dig(value, field)
    return found if isinstance(found, list) else []


def _some(value: Any, names: tuple[str, ...]) -> JSON:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}
