"""The words in which every format says which images are to be pulled, and what no pull solves."""

from collections.abc import Iterator, Sequence

from pullguard.core.formats.text import counted
from pullguard.forecasting.model import REASONS, REMEDIES, WorkloadRef
from pullguard.prefetch.model import Batch, Image, Node, PrefetchReport, Unsolved

_SHOWN = 5
_LISTS = {"containers": "container", "initContainers": "init container", "volumes": "image volume"}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def premise(report: PrefetchReport) -> str:
    """Return what the images are for."""
    registries = "any registry" if report.registries == ("*",) else " and ".join(report.registries)
    nodes = "" if report.nodes is None else f", on {several(report.nodes)}"
    return f"What protected workloads need to start without {registries}{nodes}, from {report.source}"


def summary(report: PrefetchReport) -> str:
    """Return how much is to be pulled."""
    if not report.batches:
        return "no node is to pull an image"
    images = {image.name for batch in report.batches for image in batch.images}
    nodes = {node.name for batch in report.batches for node in batch.nodes}
    pulls = {(node.name, image.full): image for each in report.batches for node in each.nodes for image in each.images}
    bytes_ = sum(image.size or 0 for image in pulls.values() if not image.is_there)
    unknown = sum(image.size is None for image in pulls.values())
    size = f", {sized(bytes_)}" if bytes_ else ""
    rest = f"; of {counted(unknown, 'pull')} the size is not known" if unknown else ""
    return (
        f"{counted(len(images), 'image')} on {counted(len(nodes), 'node')}: {counted(len(pulls), 'pull')}{size}{rest}"
    )


def sized(number: int) -> str:
    """Return a number of bytes for people."""
    value, unit = float(number), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def batch(found: Batch) -> str:
    """Return which nodes a batch is for, and with which pull secrets."""
    secrets = [f"Secret {found.namespace}/{name}" for name in found.secrets]
    accounts = [f"the pull secrets of ServiceAccount {found.namespace}/{found.account}"] if found.account else []
    using = f", with {' and '.join([*secrets, *accounts])}" if secrets or accounts else ""
    return f"{several([node.name for node in found.nodes])}{_platform(found.nodes[0])}{using}"


def image(found: Image) -> str:
    """Return an image with its size and what it is for."""
    size = "" if found.size is None else f" ({sized(found.size)})"
    there = ", there already, but perhaps not for these credentials or this name" if found.is_there else ""
    return f"{found.name}{size}{there}: {several(list(map(str, found.workloads)))}"


def unsolved(found: Unsolved) -> str:
    """Return what no pull solves, why, and what to do instead."""
    name = f" {found.name}" if found.name else ""
    of = f" ({found.image})" if found.image else ""
    return f"{found.workload}, {_LISTS[found.list]}{name}{of}: {REASONS[found.reason]}; also {REMEDIES[found.reason]}"


def errors(report: PrefetchReport) -> Iterator[str]:
    """Yield what could not be read."""
    for problem in report.errors:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        yield f"{place}: error: {problem.message}"
    for kind, why in report.unreadable.items():
        yield f"error: {kind} could not be read: {why}"


def several(names: Sequence[str | WorkloadRef]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(map(str, names[:_SHOWN]))}{more}"


def _platform(node: Node) -> str:
    parts = [part for part in (node.system, node.architecture) if part]
    return f" ({'/'.join(parts)})" if parts else ""
