"""The owner of an object, whether anything of it runs, and the containers of its pods; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import dig, group_of

#: The group, kind, namespace and name of an object.
Identity = tuple[str, str, str, str]

_REPLICAS = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
_DONE = frozenset({"Succeeded", "Failed"})
_FINISHED = frozenset({"Complete", "Failed"})

# Owners have owners. Cycles are possible, so the chain is limited.
_LONGEST_CHAIN = 10

_HASH_LABEL = "pod-template-hash"
_JOB_LABELS = ("batch.kubernetes.io/job-name", "job-name")


_POD_SPECS = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_TEMPLATE = ("spec", "template", "spec")

# The lists in pod specs that use images, and where an entry states its image and pull policy.
_USES = (
    ("containers", "container", ("image",), ("imagePullPolicy",)),
    ("initContainers", "container", ("image",), ("imagePullPolicy",)),
    ("ephemeralContainers", "ephemeral container", ("image",), ("imagePullPolicy",)),
    ("volumes", "image volume", ("image", "reference"), ("image", "pullPolicy")),
)


class Use(NamedTuple):
    """A container or an image volume of a pod spec.

    Attributes:
        sort: "container" (also for init containers, since a container can become a native sidecar), "ephemeral
            container" or "image volume".
        name: Its name.
    """

    sort: str
    name: str


class Stated(NamedTuple):
    """The image and the pull policy that a pod spec states; None for what it does not state.

    Attributes:
        image: The image.
        policy: The pull policy.
    """

    image: str | None
    policy: str | None


@dataclass(frozen=True, slots=True)
class Owned:
    """What is known of an object that violates, or of one of its owners.

    Attributes:
        owner: Its controller, or None.
        idle: Whether it has no pods and will make none, because it is scaled to zero, suspended or finished.
        uses: The containers and image volumes of the pod, or of the pod template; empty if they are not known.
    """

    owner: ObjectRef | None
    idle: bool
    uses: Mapping[Use, Stated] = field(default_factory=dict)


def identity(ref: ObjectRef) -> Identity:
    """Return what identifies an object in a cluster, whatever its API version."""
    return ref.api_version.rpartition("/")[0], ref.kind, ref.namespace, ref.name


def identity_of(obj: Mapping[str, Any]) -> Identity | None:
    """Return what identifies an object in a cluster, or None if it has no name."""
    kind, name, namespace = obj.get("kind"), dig(obj, "metadata", "name"), dig(obj, "metadata", "namespace")
    if not isinstance(kind, str) or not isinstance(name, str):
        return None
    return group_of(obj), kind, namespace if isinstance(namespace, str) else "", name


def owned_of(obj: Mapping[str, Any]) -> Owned:
    """Return what an object states about its owner and itself."""
    return Owned(controller_of(obj), _is_idle(obj), dict(_uses(obj)))


def controller_of(obj: Mapping[str, Any]) -> ObjectRef | None:
    """Return what an object states to be its controller; None if it has none."""
    references = dig(obj, "metadata", "ownerReferences")
    namespace = dig(obj, "metadata", "namespace")
    for reference in references if isinstance(references, list) else []:
        version, kind, name = dig(reference, "apiVersion"), dig(reference, "kind"), dig(reference, "name")
        if dig(reference, "controller") is True and all(isinstance(text, str) for text in (version, kind, name)):
            return ObjectRef(version, kind, namespace if isinstance(namespace, str) else "", name)
    return None


def owned_by_labels(ref: ObjectRef, labels: Mapping[str, str]) -> Owned | None:
    """Return the owner that labels and names imply for an object that was not read; None if they imply none.

    A ReplicaSet's name is the Deployment's name and a hash, which is also a label of the ReplicaSet and its pods. The
    pods of a Job have a label with its name.
    """
    group = ref.api_version.rpartition("/")[0]
    digest = labels.get(_HASH_LABEL, "")
    if digest and group == "apps" and ref.kind == "ReplicaSet" and ref.name.endswith(f"-{digest}"):
        return Owned(ObjectRef("apps/v1", "Deployment", ref.namespace, ref.name.removesuffix(f"-{digest}")), idle=False)
    if group or ref.kind != "Pod":
        return None
    stem = ref.name.rpartition("-")[0]
    if digest and stem.endswith(f"-{digest}"):
        return Owned(ObjectRef("apps/v1", "Deployment", ref.namespace, stem.removesuffix(f"-{digest}")), idle=False)
    for label in _JOB_LABELS:
        if labels.get(label):
            return Owned(ObjectRef("batch/v1", "Job", ref.namespace, labels[label]), idle=False)
    return None


class Owners:
    """What is known of the objects of a cluster.

    Args:
        owned: What objects state about themselves, by identity.
    """

    def __init__(self, owned: Mapping[Identity, Owned] | None = None) -> None:
        self._owned = dict(owned or {})

    def add(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Record what objects state about themselves."""
        for obj in objects:
            key = identity_of(obj)
            if key is not None:
                self._owned[key] = owned_of(obj)

    def guess(self, ref: ObjectRef, labels: Mapping[str, str]) -> None:
        """Record what the labels of an object imply, unless the object itself has been read."""
        if identity(ref) not in self._owned:
            found = owned_by_labels(ref, labels)
            if found is not None:
                self._owned[identity(ref)] = found

    def workload(self, ref: ObjectRef) -> ObjectRef:
        """Return the topmost owner of an object, or the object itself. Nodes own static pods, but are not workloads."""
        for _ in range(_LONGEST_CHAIN):
            known = self._owned.get(identity(ref))
            if known is None or known.owner is None or self.is_static(ref):
                break
            ref = known.owner
        return ref

    def controller(self, ref: ObjectRef) -> ObjectRef | None:
        """Return the controller of an object; None if it has none or was not read."""
        known = self._owned.get(identity(ref))
        return None if known is None else known.owner

    def uses(self, ref: ObjectRef) -> Mapping[Use, Stated]:
        """Return the containers and image volumes of a pod or of a pod template, as far as known."""
        known = self._owned.get(identity(ref))
        return {} if known is None else known.uses

    def has_seen(self, ref: ObjectRef) -> bool:
        """Tell whether it is known which owner an object has, if any."""
        return identity(ref) in self._owned

    def is_static(self, ref: ObjectRef) -> bool:
        """Tell whether an object is the mirror of a static pod, which a file on a node defines."""
        known = self._owned.get(identity(ref))
        return known is not None and known.owner is not None and known.owner.kind == "Node"

    def is_idle(self, ref: ObjectRef) -> bool:
        """Tell whether an object is known to have no pods and to make none."""
        known = self._owned.get(identity(ref))
        return known is not None and known.idle


def _uses(obj: Mapping[str, Any]) -> Iterator[tuple[Use, Stated]]:
    spec = dig(obj, *_POD_SPECS.get(str(obj.get("kind")), _TEMPLATE))
    for field_name, sort, image, policy in _USES:
        entries = dig(spec, field_name)
        for entry in entries if isinstance(entries, list) else []:
            name = dig(entry, "name")
            if isinstance(name, str) and (sort != "image volume" or dig(entry, "image") is not None):
                yield Use(sort, name), Stated(_text(dig(entry, *image)), _text(dig(entry, *policy)))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_idle(obj: Mapping[str, Any]) -> bool:
    kind, spec, status = obj.get("kind"), obj.get("spec"), obj.get("status")
    if kind in _REPLICAS:
        return bool(dig(spec, "replicas") == 0)
    if kind == "Pod":
        phase = dig(status, "phase")
        return isinstance(phase, str) and phase in _DONE
    if kind == "CronJob":
        return dig(spec, "suspend") is True
    if kind == "Job":
        conditions = dig(status, "conditions")
        ended = [
            entry for entry in (conditions if isinstance(conditions, list) else []) if dig(entry, "status") == "True"
        ]
        return dig(spec, "suspend") is True or any(dig(entry, "type") in _FINISHED for entry in ended)
    return False
