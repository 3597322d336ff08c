"""`pullguard prefetch`: which images nodes are to pull while there are registries. What that takes, Rego says."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.forecasting.model import Gap, WorkloadRef
from pullguard.forecasting.nodes import Nodes
from pullguard.forecasting.pods import Pods
from pullguard.forecasting.registries import down
from pullguard.forecasting.situation import Situation, read_situation
from pullguard.prefetch.model import NAME, Batch, Image, Node, PrefetchReport, Unsolved

JSON = Mapping[str, Any]

_MODULES = {"lib": ("images",), "outage": ("forecast", "prefetch")}
_SECRET = "Secret "  # noqa: S105 - what data.outage.needs calls credentials
_OS, _ARCHITECTURE = "kubernetes.io/os", "kubernetes.io/arch"
_ROLE = "node-role.kubernetes.io/"
#: The keys of the taints for conditions of nodes begin so. The DaemonSet controller tolerates these of them:
_CONDITION = "node.kubernetes.io/"
_TOLERATED = frozenset(
    f"{_CONDITION}{name}"
    for name in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
)
_EFFECTS = frozenset({"NoSchedule", "NoExecute"})


class _Credentials(NamedTuple):
    """See Batch."""

    namespace: str
    secrets: tuple[str, ...]
    account: str


class _Key(NamedTuple):
    """An image for nodes that all have it, or all do not: see Image."""

    name: str
    is_there: bool


def prefetch(
    paths: Sequence[str] = (),
    *,
    registries: Sequence[str] = (),
    registry_services: Sequence[str] = (),
    nodes: Sequence[str] = (),
    zones: Sequence[str] = (),
    overlays: Sequence[str] = (),
    node_images: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> PrefetchReport:
    """Find which images protected workloads need on nodes that lack them, from files or from a live cluster.

    Args:
        paths: Files and folders with what `kubectl get -o json|yaml` wrote, or manifests; "-" is stdin.
        registries: Globs of the registries that may go; none: all.
        registry_services: NAMESPACE/NAME=HOST: Services from which the images of a host come.
        nodes: The nodes that count; with `zones`, both. None of either: all.
        zones: The zones whose nodes count.
        overlays: Files and folders of manifests that are taken to be applied before.
        node_images: Files with the full lists of images of nodes: FILE named after its node, or NODE=FILE.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, holds no pods and nothing that makes any, or no nodes; a
            node or zone is not in it, or the engine fails.
    """
    with Engine() as engine:
        situation = read_situation(
            engine,
            paths,
            registries=registries,
            registry_services=registry_services,
            nodes=nodes,
            zones=zones,
            overlays=overlays,
            node_images=node_images,
            kubeconfig=kubeconfig,
            context=context,
            kubectl=kubectl,
            stdin=stdin,
        )
        snapshot = situation.snapshot
        if not situation.nodes.names:
            for problem in snapshot.errors:
                raise PullguardError(problem.message, file=problem.file, line=problem.line)
            why = snapshot.unreadable.get("Node")
            raise PullguardError(
                f"there is no Node in {snapshot.source}" if why is None else f"Nodes could not be read: {why}",
                remedy="dump the Nodes too: `kubectl get nodes -o json`",
            )
        lost = down(engine, snapshot, situation.forecaster.services)
        found = situation.forecaster.gaps(situation.protected, situation.selected, lost)
        gaps = [gap for gap in found if not _is_own(gap.workload)]
        known = _nodes(engine, situation.nodes)
    return PrefetchReport(
        source=snapshot.source,
        registries=tuple(registries or ("*",)),
        nodes=situation.selected,
        batches=tuple(_batches(gaps, situation.nodes, known, situation.pods)),
        unsolved=tuple(sorted({_unsolved(gap) for gap in gaps if gap.unsolved})),
        unreadable=snapshot.unreadable,
        errors=snapshot.errors,
        notes=(*situation.notes, *_notes(gaps, situation)),
    )


def _notes(gaps: Sequence[Gap], situation: Situation) -> Iterator[str]:
    unknown = 0
    for gap in gaps:
        unknown |= gap.unknown
    if unknown:
        number = unknown.bit_count()
        nodes = "1 node does" if number == 1 else f"{number} nodes do"
        yield (
            f"{nodes} not list all images; what is not listed is to be pulled there too, which costs nothing where it "
            "is (--node-images names full lists)"
        )
    if not situation.protected:
        yield "no namespace is protected"


def _is_own(workload: WorkloadRef) -> bool:
    """Tell whether a workload is a DaemonSet that this command has written."""
    return workload.kind == "DaemonSet" and workload.name.startswith(f"{NAME}-")


def _unsolved(gap: Gap) -> Unsolved:
    return Unsolved(gap.workload, gap.list, gap.name, gap.image, gap.unsolved)


# -- nodes


def _nodes(engine: Engine, nodes: Nodes) -> list[Node]:
    """Return what is known of all nodes, in the order of their numbers."""
    infos = {name: dig(obj, "status", "nodeInfo") or {} for name, obj in nodes.objects.items()}
    document = {"nodes": {name: {"status": {"nodeInfo": info}} for name, info in infos.items()}}
    mounting = frozenset(query(engine, modules(_MODULES), "data.outage.prefetch.mounting", document))
    labels = {name: _labels(obj) for name, obj in nodes.objects.items()}
    hostnames = Counter(_text(own.get("kubernetes.io/hostname")) for own in labels.values())
    found = []
    for name, info in infos.items():
        own = labels[name]
        hostname = _text(own.get("kubernetes.io/hostname"))
        found.append(
            Node(
                name=name,
                hostname=hostname if hostnames[hostname] == 1 else "",
                system=_text(own.get(_OS)) or _text(dig(info, "operatingSystem")),
                architecture=_text(own.get(_ARCHITECTURE)) or _text(dig(info, "architecture")),
                platform=tuple((label, own[label]) for label in (_OS, _ARCHITECTURE) if _text(own.get(label))),
                runtime=_text(dig(info, "containerRuntimeVersion")).partition("://")[0],
                pool=_pool(own),
                mounts=name in mounting,
            )
        )
    return found


def _pool(labels: JSON) -> str:
    """Return the MachineConfigPool of a node: that of the control plane, else one of its own, else worker."""
    roles = sorted(label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE))
    if {"master", "control-plane"} & set(roles):
        return "master"
    return next((role for role in roles if role not in {"", "worker"}), "worker")


def _labels(obj: JSON) -> JSON:
    labels = dig(obj, "metadata", "labels")
    return labels if isinstance(labels, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# -- batches


def _batches(gaps: Sequence[Gap], nodes: Nodes, known: Sequence[Node], pods: Pods) -> Iterator[Batch]:
    by_credentials: dict[_Credentials, list[Gap]] = {}
    for gap in gaps:
        for credentials in _credentials(gap):
            by_credentials.setdefault(credentials, []).append(gap)
    alike = _alike(known)
    for credentials, own in sorted(by_credentials.items(), key=lambda pair: pair[0]):
        places: dict[_Key, int] = {}
        for gap in own:
            for is_there, bits in ((False, gap.missing | gap.unknown), (True, gap.doubtful)):
                if bits:
                    key = _Key(gap.image, is_there)
                    places[key] = places.get(key, 0) | bits
        for bits, keys in _groups(places, alike):
            members = tuple(known[number] for number in range(len(known)) if bits >> number & 1)
            here = [gap for gap in own if (gap.missing | gap.unknown | gap.doubtful) & bits]
            yield Batch(
                *credentials,
                nodes=members,
                tolerations=_tolerations(here, [nodes.objects[node.name] for node in members], pods),
                images=tuple(sorted((_image(key, here) for key in keys), key=_largest_first)),
            )


def _credentials(gap: Gap) -> Iterator[_Credentials]:
    """Yield the credentials with which the kubelet is to pull an image."""
    if not gap.missing | gap.unknown | gap.doubtful:
        return
    secrets = sorted(each.removeprefix(_SECRET) for each in gap.credentials if each.startswith(_SECRET))
    accounts = [each for each in gap.credentials if not each.startswith(_SECRET)]
    names = tuple(secret.partition("/")[2] for secret in secrets)
    account = accounts[0].rpartition("/")[2] if accounts else ""
    yield _Credentials(gap.workload.namespace if names or account else "", names, account)


def _alike(known: Sequence[Node]) -> list[int]:
    """Return sets of nodes that one DaemonSet can be for."""
    found: dict[tuple[object, ...], int] = {}
    for number, node in enumerate(known):
        key = (node.system, node.architecture, node.platform, node.mounts)
        found[key] = found.get(key, 0) | 1 << number
    return list(found.values())


def _groups(places: Mapping[_Key, int], alike: Iterable[int]) -> list[tuple[int, list[_Key]]]:
    """Return sets of nodes that need the same images, each with these; in the order of their first nodes."""
    groups: list[tuple[int, list[_Key]]] = [(bits, []) for bits in alike]
    for key, bits in sorted(places.items()):
        split = []
        for members, keys in groups:
            split += [(members & bits, [*keys, key]), (members & ~bits, keys)]
        groups = [group for group in split if group[0]]
    return sorted(((bits, keys) for bits, keys in groups if keys), key=lambda group: group[0] & -group[0])


def _image(key: _Key, gaps: Sequence[Gap]) -> Image:
    own = [gap for gap in gaps if gap.image == key.name]
    return Image(
        name=key.name,
        full=own[0].full,
        size=max(filter(None, (gap.size for gap in own)), default=None),
        is_volume=all(gap.list == "volumes" for gap in own),
        is_there=key.is_there,
        workloads=tuple(sorted({gap.workload for gap in own})),
    )


def _largest_first(image: Image) -> tuple[int, str, bool]:
    return -(image.size or 0), image.name, image.is_there


def _tolerations(gaps: Iterable[Gap], nodes: Iterable[JSON], pods: Pods) -> tuple[JSON, ...]:
    """Return the tolerations of workloads, and those for the taints of nodes: pods that name their node need none."""
    found: dict[str, JSON] = {}
    for gap in gaps:
        stated = pods.placements[gap.placement][0].get("tolerations")
        for each in stated if isinstance(stated, list) else ():
            if isinstance(each, dict) and _text(each.get("key")) not in _TOLERATED:
                kept = {name: value for name, value in each.items() if _text(value)}  # all but tolerationSeconds
                if kept:
                    found[json.dumps(kept, sort_keys=True)] = kept
    if json.dumps({"operator": "Exists"}) in found:
        return ({"operator": "Exists"},)
    for node in nodes:
        taints = dig(node, "spec", "taints")
        for taint in taints if isinstance(taints, list) else ():
            key, effect = _text(dig(taint, "key")), _text(dig(taint, "effect"))
            if key and not key.startswith(_CONDITION) and effect in _EFFECTS:
                kept = {"key": key, "operator": "Exists", "effect": effect}
                found.setdefault(json.dumps(kept, sort_keys=True), kept)
    return tuple(found[text] for text in sorted(found))
