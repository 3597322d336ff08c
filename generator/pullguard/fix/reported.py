"""What the pods and nodes of a snapshot report of images: a large cluster says the same many times."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from pullguard.cluster.snapshot import Kind, from_files
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine

_KINDS = (Kind("", "Pod", "pods", namespaced=True), Kind("", "Node", "nodes"))
_LISTS = {
    "containers": "containerStatuses",
    "initContainers": "initContainerStatuses",
    "ephemeralContainers": "ephemeralContainerStatuses",
}
_UNKNOWN = {"os": "", "architecture": ""}

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reported:
    """What a snapshot reports of images, in the shapes of data.pinning.digests.

    Attributes:
        containers: By the image that pods state, what the status of their containers has, each once with a count.
        entries: What nodes list, each once with a count.
        listed: By name, the indices of the entries that have it.
        platforms: The operating systems and architectures of the nodes, each once.
    """

    containers: Mapping[str, Sequence[JSON]]
    entries: Sequence[JSON]
    listed: Mapping[str, Sequence[int]]
    platforms: Sequence[JSON]


def read_reported(engine: Engine, paths: Sequence[str], stdin: BinaryIO | None = None) -> Reported:
    """Read what a snapshot reports of images.

    Args:
        engine: What reads it.
        paths: Files and folders with what `kubectl get pods,nodes -A -o json` wrote; "-" is stdin.
        stdin: What "-" reads.

    Raises:
        PullguardError: It cannot be read in full: what is missing could contradict the rest.
    """
    snapshot = from_files(engine, _KINDS, paths, stdin=stdin, keep=_kept)
    for problem in snapshot.errors:
        raise PullguardError(
            f"the snapshot cannot be read in full, so nothing can be pinned by it: {problem.message}",
            file=problem.file,
            line=problem.line,
        )
    nodes = {str(dig(node, "metadata", "name")): node for node in snapshot.objects("Node")}
    platforms = {name: _platform(node) for name, node in nodes.items()}
    states: dict[str, dict[str, dict[str, Any]]] = {}
    for pod in snapshot.objects("Pod"):
        platform = platforms.get(str(dig(pod, "spec", "nodeName")), _UNKNOWN)
        for image, state in _states(pod):
            _count(states.setdefault(image, {}), {**state, "platform": platform})
    entries: dict[str, dict[str, Any]] = {}
    for node in nodes.values():
        for names in node["images"]:
            _count(entries, {"names": names})
    listed: dict[str, list[int]] = {}
    for index, entry in enumerate(entries.values()):
        for name in entry["names"]:
            listed.setdefault(name, []).append(index)
    return Reported(
        containers={image: list(own.values()) for image, own in states.items()},
        entries=list(entries.values()),
        listed=listed,
        platforms=[dict(pair) for pair in sorted({tuple(sorted(each.items())) for each in platforms.values()})],
    )


def _count(known: dict[str, dict[str, Any]], value: JSON) -> None:
    own = known.setdefault(json.dumps(value, sort_keys=True), {**value, "count": 0})
    own["count"] += 1


def _kept(obj: JSON) -> JSON:
    """Return what is kept of an object: a hundred thousand pods fit into memory without the rest."""
    metadata = {key: dig(obj, "metadata", key) for key in ("name", "namespace", "uid")}
    head = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}
    if obj.get("kind") == "Node":
        images = dig(obj, "status", "images")
        info = {key: dig(obj, "status", "nodeInfo", key) for key in ("operatingSystem", "architecture")}
        return {**head, "info": info, "images": [_names(image) for image in _items(images)]}
    kept = {list_: [_some(each, ("name", "image")) for each in _items(dig(obj, "spec", list_))] for list_ in _LISTS}
    status = {
        name: [_some(each, ("name", "image", "imageID", "state")) for each in _items(dig(obj, "status", name))]
        for name in _LISTS.values()
    }
    spec = {**kept, "nodeName": dig(obj, "spec", "nodeName")}
    return {**head, "spec": spec, "status": {**status, "phase": dig(obj, "status", "phase")}}


def _states(pod: JSON) -> Iterator[tuple[str, JSON]]:
    """Yield the image that each container states, and what the status says of it."""
    for list_, statuses in _LISTS.items():
        images = {str(each.get("name")): each.get("image") for each in pod["spec"][list_]}
        for status in pod["status"][statuses]:
            image, reported = images.get(str(status.get("name"))), status.get("imageID")
            if isinstance(image, str) and isinstance(reported, str) and reported:
                state = status.get("state")
                yield (
                    image,
                    {
                        "image": status.get("image"),
                        "imageID": reported,
                        "phase": pod["status"]["phase"],
                        "running": dig(state, "running") is not None,
                        "exitCode": dig(state, "terminated", "exitCode"),
                    },
                )


def _platform(node: JSON) -> dict[str, str]:
    return {
        "os": _text(dig(node, "info", "operatingSystem")),
        "architecture": _text(dig(node, "info", "architecture")),
    }


def _names(image: Any) -> list[str]:
    return [name for name in _items(dig(image, "names")) if isinstance(name, str)]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _some(value: Any, names: Sequence[str]) -> JSON:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
