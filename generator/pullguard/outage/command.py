"""`pullguard outage`: which pods cannot come back when a registry is gone, and why; what that is, Rego says."""

from collections.abc import Sequence
from typing import BinaryIO

from pullguard.core.errors import PullguardError
from pullguard.engine.protocol import Engine
from pullguard.forecasting.drilled import read_drilled
from pullguard.forecasting.model import EVENTS, Event
from pullguard.forecasting.situation import read_situation
from pullguard.outage import removal
from pullguard.outage.falling import FALLING, Falling
from pullguard.outage.model import OutageReport, Workload

_DEFAULT_EVENTS: tuple[Event, ...] = ("restart", "replace")


def outage(
    paths: Sequence[str] = (),
    *,
    registries: Sequence[str] = (),
    registry_services: Sequence[str] = (),
    events: Sequence[Event] = (),
    nodes: Sequence[str] = (),
    zones: Sequence[str] = (),
    overlays: Sequence[str] = (),
    node_images: Sequence[str] = (),
    drills: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> OutageReport:
    """Forecast which pods come back without registries, from files or, without any, from a live cluster.

    Args:
        paths: Files and folders with what `kubectl get -o json|yaml` wrote, or manifests; "-" is stdin.
        registries: Globs of the registries that are gone; none: all are that are not in the cluster.
        registry_services: NAMESPACE/NAME=HOST: Services from which the images of a host come.
        events: What happens then; none: a container restarts, and a pod is replaced.
        nodes: The nodes on which it happens; with `zones`, both. None of either: all.
        zones: The zones whose nodes it happens on.
        overlays: Files and folders of manifests that are taken to be applied before.
        node_images: Files with the full lists of images of nodes: FILE named after its node, or NODE=FILE.
        drills: Files with what drills have shown, in JSON.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, holds no pods and nothing that makes any, a node or zone is
            not in it, or the engine fails.
    """
    if "lose" in events and not (nodes or zones):
        raise PullguardError("which nodes are lost is not said", remedy="name them with --node or --zone")
    shown = tuple(map(read_drilled, drills))
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
            needed=FALLING,
            kubeconfig=kubeconfig,
            context=context,
            kubectl=kubectl,
            stdin=stdin,
        )
        snapshot, protected = situation.snapshot, situation.protected
        asked = tuple(event for event in EVENTS if event in (events or _DEFAULT_EVENTS))
        found = situation.forecaster.forecasts(asked, situation.selected)
        falling = Falling(engine, snapshot, situation.pods, situation.forecaster.services)
        cascades = {event: falling.cascade(event, found, protected) for event in asked}
    workloads = [
        Workload(
            ref,
            ref.namespace in protected,
            forecasts,
            {event: others[ref] for event, (_, others) in cascades.items() if ref in others},
        )
        for ref, forecasts in found.items()
    ]
    return OutageReport(
        source=snapshot.source,
        registries=tuple(registries or ("*",)),
        events=asked,
        nodes=situation.selected,
        workloads=tuple(sorted(workloads, key=lambda workload: (not workload.protected, workload.ref))),
        unreadable=snapshot.unreadable,
        errors=snapshot.errors,
        notes=(*situation.notes, *removal.notes(workloads)),
        cascades={event: cascade for event, (cascade, _) in cascades.items()},
        drills=shown,
    )


def find(report: OutageReport, name: str) -> Workload:
    """Return the workload that KIND/NAMESPACE/NAME names; the case of the kind does not matter.

    Raises:
        PullguardError: It is not in the report.
    """
    kind, _, rest = name.partition("/")
    for workload in report.workloads:
        if kind.lower() == workload.ref.kind.lower() and rest == f"{workload.ref.namespace}/{workload.ref.name}":
            return workload
    raise PullguardError(
        f"{name} is not a workload of the forecast", remedy="name one as KIND/NAMESPACE/NAME, such as the report does"
    )
