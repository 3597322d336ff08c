"""Which images that workloads need may be gone by then, as the kubelet may remove them from their nodes."""

from collections.abc import Iterable, Iterator

from pullguard.core.formats.text import counted
from pullguard.outage.model import Workload

_SHOWN = 3


def notes(workloads: Iterable[Workload]) -> Iterator[str]:
    """Yield a note about images of protected workloads that count as being on nodes, if nothing keeps them there."""
    removable: dict[str, int] = {}
    for workload in workloads:
        for forecast in workload.forecasts.values() if workload.protected else ():
            for use in (use for outcome in forecast.outcomes for use in outcome.uses):
                if use.reason.startswith("image-on") and use.verdict == "starts" and use.removable:
                    removable[use.image] = max(removable.get(use.image, 0), use.removable)
    if removable:
        most = sorted(removable, key=lambda image: (-removable[image], image))
        shown = ", ".join(f"{image} ({counted(removable[image], 'node')})" for image in most[:_SHOWN])
        more = f", and {len(most) - _SHOWN} more" if len(most) > _SHOWN else ""
        yield (
            "the kubelet may remove images of protected workloads from nodes on which nothing runs from them, unless "
            f"they are pinned there, which --node-images tells: {shown}{more}"
        )
