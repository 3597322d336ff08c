"""The pods of a snapshot: to which workload each belongs, on which node it is, and what would be made in its place."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pullguard.cluster.owners import Identity, Owners, controller_of, identity, identity_of, owned_of
from pullguard.cluster.snapshot import WORKLOADS, Snapshot
from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import dig
from pullguard.forecasting.kept import is_static
from pullguard.forecasting.model import WorkloadRef

JSON = Mapping[str, Any]

WORKLOAD_KINDS = tuple(kind.kind for kind in WORKLOADS)
_DONE = frozenset({"Succeeded", "Failed"})
_MOST_REPLICAS = 100_000  # of one workload without pods: nobody has so many
_PLACEMENT = ("nodeSelector", "affinity", "tolerations", "hostNetwork", "os")


class Spec(NamedTuple):
    """A pod spec without its node, as an index into the specs of Pods.

    Attributes:
        needs: The index of what it needs, by namespace.
        placement: The index of what it says about nodes.
    """

    needs: int
    placement: int


class Labels(NamedTuple):
    """Labels of a pod: those that it has, or those of its template, to which its controller may add others."""

    labels: frozenset[tuple[str, str]]
    complete: bool


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, or one that is to be made.

    Attributes:
        workload: Its workload.
        name: Its name; "" for one that is to be made.
        node: The node that it is on; "" if it is on none.
        bound: Whether what is made in its place comes to the same node: static pods, and those of DaemonSets.
        kept: Whether anything makes another one if its node is lost.
        sure: Whether it is known what its controller makes: its kind could be read.
        own: Its spec; None if it is to be made.
        next: The spec of what is made in its place.
        labels: The labels of what is made in its place, as far as they are known.
        static: Whether a file on a node makes it.
    """

    workload: WorkloadRef
    name: str
    node: str
    bound: bool
    kept: bool
    sure: bool
    own: Spec | None
    next: Spec
    labels: "Labels"
    static: bool = False


class Pods:
    """The pods of a snapshot that run, or are to run.

    Args:
        snapshot: The snapshot.
        applied: The workloads whose templates are laid over it: all their pods are taken to be of those.

    Attributes:
        pods: All of them.
        needs: The parts of pod specs that say what a pod needs, each once: (namespace, spec, whether it is that of a
            pod, names of the pull secrets that a pod of the template has, or None).
        placements: The parts that say on which nodes it can run, each once: (spec, kind of the controller).
    """

    def __init__(self, snapshot: Snapshot, applied: frozenset[Identity] = frozenset()) -> None:
        self.needs: list[tuple[str, JSON, bool, Sequence[str] | None]] = []
        self.placements: list[tuple[JSON, str]] = []
        self._known: dict[str, int] = {}
        self._specs: dict[tuple[Any, ...], Spec] = {}
        self._applied = applied
        self._unreadable = snapshot.unreadable
        self._templates: dict[Identity, JSON] = {}
        owned = {}
        for obj in (obj for kind in WORKLOAD_KINDS for obj in snapshot.objects(kind)):
            key = identity_of(obj)
            if key is not None:
                self._templates[key] = obj
                owned[key] = owned_of(obj)
        self._owners = Owners(owned)
        self.pods = [pod for obj in snapshot.objects("Pod") if not _is_over(obj) for pod in self._pod(obj)]
        self.pods += self._without_pods({(pod.workload) for pod in self.pods})

    def _pod(self, obj: JSON) -> Iterator[Pod]:
        metadata, spec = obj["metadata"], obj.get("spec")
        if not isinstance(spec, dict):
            return
        controller = controller_of(obj)
        node = spec.get("nodeName") or ""
        static = is_static(obj) or (controller is not None and controller.kind == "Node")
        if controller is None or static:
            workload = WorkloadRef(metadata["namespace"], "Pod", metadata["name"])
        else:
            labels = metadata.get("labels")
            self._owners.guess(controller, labels if isinstance(labels, dict) else {})
            top = self._owners.workload(controller)
            workload = WorkloadRef(top.namespace, top.kind, top.name)
        kind = "" if controller is None else controller.kind
        own = self._spec(metadata["namespace"], spec, kind, made=True)
        template = None if controller is None or static else self._template(controller)
        following = own
        if template is not None:
            seen = None if "ServiceAccount" in self._unreadable else secrets_of(spec)
            following = self._spec(metadata["namespace"], template, kind, made=False, seen=seen)
        is_applied = self._is_applied(controller)
        yield Pod(
            workload=workload,
            name=metadata["name"],
            node=node if isinstance(node, str) else "",
            bound=static or kind == "DaemonSet",
            kept=controller is not None and not static and kind != "DaemonSet",
            sure=template is not None or static or kind not in self._unreadable,
            own=following if is_applied else own,
            next=following,
            labels=self._labels_of_next(controller) if is_applied else _labels(metadata.get("labels"), complete=True),
            static=static,
        )

    def _labels_of_next(self, controller: ObjectRef | None) -> Labels:
        """Return the labels of a template that is laid over the snapshot."""
        top = None if controller is None else identity(self._owners.workload(controller))
        template = self._templates.get(top, {}) if top is not None else {}
        return _labels(dig(template, "spec", "template", "metadata", "labels"), complete=False)

    def _template(self, controller: ObjectRef) -> JSON | None:
        """Return the pod spec that a controller makes pods from.

        That of what controls it in turn counts if that is laid over the snapshot, or is all that is there.
        """
        top = identity(self._owners.workload(controller))
        for key in (top,) if top in self._applied else (identity(controller), top):
            found = template_of(self._templates.get(key, {}))
            if found is not None:
                return found
        return None

    def _is_applied(self, controller: ObjectRef | None) -> bool:
        return controller is not None and identity(self._owners.workload(controller)) in self._applied

    def _without_pods(self, workloads: set[WorkloadRef]) -> list[Pod]:
        made = []
        for key, obj in self._templates.items():
            _, kind, namespace, name = key
            ref = WorkloadRef(namespace, kind, name)
            template = template_of(obj)
            owned = owned_of(obj)
            if template is None or owned.owner is not None or owned.idle or ref in workloads:
                continue
            spec = self._spec(namespace, template, kind, made=False)
            replicas = dig(obj, "spec", "replicas")
            number = replicas if isinstance(replicas, int) and kind not in {"DaemonSet", "Job", "CronJob"} else 1
            labels = _labels(dig(obj, "spec", "template", "metadata", "labels"), complete=False)
            pod = Pod(ref, "", "", kind == "DaemonSet", kept=True, sure=True, own=None, next=spec, labels=labels)
            made += [pod] * min(number, _MOST_REPLICAS)
        return made

    def _spec(self, namespace: str, spec: JSON, kind: str, *, made: bool, seen: Sequence[str] | None = None) -> Spec:
        # Specs that are alike share their parts (Keeper), which need not be written out to be compared then.
        key = (
            namespace,
            kind,
            made,
            None if seen is None else tuple(seen),
            None if made else spec.get("nodeName"),
            *((name, id(part)) for name, part in spec.items() if name != "nodeName"),
        )
        if key in self._specs:
            return self._specs[key]
        needs = {name: value for name, value in spec.items() if name not in _PLACEMENT and name != "nodeName"}
        placement = {name: spec[name] for name in _PLACEMENT if name in spec}
        if not made and spec.get("nodeName"):
            placement["nodeName"] = spec["nodeName"]
        self._specs[key] = found = Spec(
            self._index(self.needs, (namespace, needs, made, seen)),
            self._index(self.placements, (placement, kind if kind == "DaemonSet" else "")),
        )
        return found

    def _index(self, values: list[Any], value: Any) -> int:
        key = f"{id(values)} {json.dumps(value, sort_keys=True)}"
        index = self._known.setdefault(key, len(values))
        if index == len(values):
            values.append(value)
        return index


def template_of(obj: JSON) -> JSON | None:
    """Return the pod spec in the template of a workload; None if it cannot be read."""
    path = ("jobTemplate", "spec", "template", "spec") if obj.get("kind") == "CronJob" else ("template", "spec")
    found = dig(obj, "spec", *path)
    return found if isinstance(found, dict) else None


def accounts(objects: Iterable[JSON]) -> dict[str, dict[str, list[str]]]:
    """Return the names of the pull secrets of ServiceAccounts, by namespace and name."""
    found: dict[str, dict[str, list[str]]] = {}
    for obj in objects:
        found.setdefault(obj["metadata"]["namespace"], {})[obj["metadata"]["name"]] = secrets_of(obj)
    return found


def secrets_of(value: JSON) -> list[str]:
    """Return the names of the pull secrets that a pod spec or a ServiceAccount states."""
    secrets = value.get("imagePullSecrets")
    listed: Sequence[Any] = secrets if isinstance(secrets, list) else ()
    return [name for name in (dig(secret, "name") for secret in listed) if isinstance(name, str)]


def _labels(stated: Any, *, complete: bool) -> Labels:
    entries = stated.items() if isinstance(stated, dict) else ()
    return Labels(frozenset((name, value) for name, value in entries if isinstance(value, str)), complete)


def _is_over(obj: JSON) -> bool:
    phase = dig(obj, "status", "phase")
    return (isinstance(phase, str) and phase in _DONE) or dig(obj, "metadata", "deletionTimestamp") is not None
