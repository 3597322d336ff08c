"""The nodes of a snapshot, as numbers and sets of numbers: which images each has, which pods can run on which."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import query

JSON = Mapping[str, Any]

_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
#: How many images a node lists unless its kubelet is told otherwise (nodeStatusMaxImages).
_MAX_IMAGES = 50


class Nodes:
    """The nodes.

    Args:
        objects: Nodes, each name once.
        listed: The full lists of images of some of them, by name, in the place of those in their status.

    Attributes:
        objects: The nodes, by name.
        names: Their names.
        number: Their numbers, by name.
        entries: What they list, each once: {names, runtime}.
        sizes: Of each entry, how many bytes it has; the most that any node says, None if none says it.
    """

    def __init__(self, objects: Sequence[JSON], listed: Mapping[str, Sequence[JSON]]) -> None:
        self.objects = {obj["metadata"]["name"]: obj for obj in objects}
        self.names = list(self.objects)
        self.number = {name: number for number, name in enumerate(self.names)}
        self.entries: list[JSON] = []
        self.sizes: list[int | None] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self._has: list[frozenset[int]] = []
        self._pins: list[frozenset[int]] = []
        self._partial: list[bool] = []
        for name, obj in self.objects.items():
            full = listed.get(name)
            images = dig(obj, "status", "images") if full is None else full
            runtime = dig(obj, "status", "nodeInfo", "containerRuntimeVersion")
            self._has.append(frozenset(self._entries(images, runtime)))
            pinned = [] if full is None else [image for image in full if image["pinned"]]
            self._pins.append(frozenset(self._entries(pinned, runtime)))
            self._partial.append(full is None and (not isinstance(images, list) or len(images) >= _MAX_IMAGES))

    @property
    def all(self) -> int:
        """All nodes, as a set of bits."""
        return (1 << len(self.names)) - 1

    def in_zones(self, zones: Iterable[str]) -> list[str]:
        """Return the nodes of some zones."""
        wanted = set(zones)
        return [
            name
            for name, obj in self.objects.items()
            if wanted & {str(dig(obj, "metadata", "labels", label)) for label in _ZONES}
        ]

    def bits(self, names: Iterable[str]) -> int:
        """Return a set of nodes as bits."""
        found = 0
        for name in names:
            found |= 1 << self.number[name]
        return found

    def sets(self, listed: Sequence[Sequence[int]], similar: Sequence[Sequence[int]]) -> "ImageSets":
        """Return which nodes have which images, by what is known of the entries of their lists."""
        return ImageSets(self._has, self._pins, self._partial, listed, similar)

    def verifying(self, engine: Engine, rego: Mapping[str, str]) -> int:
        """Return the nodes whose kubelet asks for the credentials of images."""
        nodes = {
            name: {"status": {"nodeInfo": dig(obj, "status", "nodeInfo") or {}}} for name, obj in self.objects.items()
        }
        return self.bits(query(engine, rego, "data.outage.eligible.verifying", {"nodes": nodes}))

    def eligible(self, engine: Engine, rego: Mapping[str, str], placements: Sequence[tuple[JSON, str]]) -> list[int]:
        """Return for each placement the nodes that pods can run on.

        Nodes that are alike in all that a placement asks for are asked about once.
        """
        pods = [{"spec": spec, "kind": kind} for spec, kind in placements]
        asked = query(engine, rego, "data.outage.eligible.asked", {"pods": pods})
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, each in enumerate(asked):
            groups.setdefault(("metadata.name",) if each["byName"] else tuple(sorted(each["labels"])), []).append(index)
        found = [0] * len(placements)
        for keys, indices in groups.items():
            classes = self._classes(None if keys == ("metadata.name",) else keys)
            nodes = {members[0]: node for members, node in classes}
            bits = {members[0]: self.bits(members) for members, _ in classes}
            document = {"nodes": nodes, "pods": [pods[index] for index in indices]}
            answers = query(engine, rego, "data.outage.eligible.found", document)
            for index, names in zip(indices, answers, strict=True):
                for name in names:
                    found[index] |= bits[name]
        return found

    def _classes(self, keys: Sequence[str] | None) -> list[tuple[list[str], JSON]]:
        classes: dict[str, tuple[list[str], JSON]] = {}
        for name, obj in self.objects.items():
            labels = dig(obj, "metadata", "labels")
            wanted = (*(keys or ()), "kubernetes.io/os")
            if isinstance(labels, dict) and keys is not None:
                labels = {key: labels[key] for key in wanted if key in labels}
            node = {
                "metadata": {"labels": labels},
                "spec": obj.get("spec"),
                "status": {"nodeInfo": {"operatingSystem": dig(obj, "status", "nodeInfo", "operatingSystem")}},
            }
            key = name if keys is None else json.dumps(node, sort_keys=True)
            classes.setdefault(key, ([], node))[0].append(name)
        return list(classes.values())

    def _entries(self, images: Any, runtime: Any) -> Iterable[int]:
        kind = "cri-o://" if str(runtime).startswith("cri-o://") else ""
        for image in images if isinstance(images, list) else []:
            names = dig(image, "names")
            if isinstance(names, list):
                key = (kind, *map(str, names))
                index = self._known.setdefault(key, len(self.entries))
                if index == len(self.entries):
                    self.entries.append({"names": list(key[1:]), "runtime": kind})
                    self.sizes.append(None)
                size = dig(image, "sizeBytes")
                if isinstance(size, int) and not isinstance(size, bool):
                    self.sizes[index] = max(size, self.sizes[index] or 0)
                yield index


class ImageSets:
    """Which nodes have which images.

    Args:
        has: By node, the entries that it lists.
        pins: By node, those of them that the runtime calls pinned.
        partial: By node, whether there may be others.
        listed: By image, the entries that are it.
        similar: By image, the entries that may be it.
    """

    def __init__(
        self,
        has: Sequence[frozenset[int]],
        pins: Sequence[frozenset[int]],
        partial: Sequence[bool],
        listed: Sequence[Sequence[int]],
        similar: Sequence[Sequence[int]],
    ) -> None:
        self._partial = 0
        for node, is_partial in enumerate(partial):
            self._partial |= is_partial << node
        by_entry = _nodes_of(has)
        pinning = _nodes_of(pins)
        self.pinned = [_union(pinning, entries) for entries in listed]
        self.present = [_union(by_entry, entries) for entries in listed]
        self._maybe = [_union(by_entry, entries) for entries in similar]

    def unknown(self, image: int) -> int:
        """Return the nodes of which it is not known whether they have an image."""
        return (self._partial | self._maybe[image]) & ~self.present[image]


def _nodes_of(entries: Sequence[frozenset[int]]) -> dict[int, int]:
    """Return the nodes of each entry."""
    found: dict[int, int] = {}
    for node, own in enumerate(entries):
        for entry in own:
            found[entry] = found.get(entry, 0) | 1 << node
    return found


def _union(by_entry: Mapping[int, int], entries: Iterable[int]) -> int:
    found = 0
    for entry in entries:
        found |= by_entry.get(entry, 0)
    return found
