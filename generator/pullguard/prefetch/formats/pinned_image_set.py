"""PinnedImageSets of OpenShift: its machine config daemon pulls images and pins them in CRI-O, by digest only."""

from collections.abc import Iterator
from typing import Any, TextIO

from pullguard.prefetch.formats import manifests, words
from pullguard.prefetch.model import NAME, PrefetchReport, Settings

JSON = dict[str, Any]

_TITLE = "OpenShift pulls these images onto all nodes of a pool, and pins them: no kubelet removes them."
_ROLE = "machineconfiguration.openshift.io/role"
_MOST = 500  # images of one set


def write(report: PrefetchReport, _settings: Settings, stream: TextIO) -> None:
    """Write a PinnedImageSet for each pool, or more where there are too many images for one."""
    pools: dict[str, dict[str, int]] = {}
    for batch in report.batches:
        for image in batch.images:
            if "@" in image.full and not image.is_there:
                for node in batch.nodes:
                    pools.setdefault(node.pool, {})[image.full] = image.size or 0
    sets = []
    for pool, sizes in sorted(pools.items()):
        images = sorted(sizes, key=lambda name: (-sizes[name], name))
        parts = [images[start : start + _MOST] for start in range(0, len(images), _MOST)]
        sets += [_set(pool, number, part) for number, part in enumerate(parts, 1)]
    manifests.write(report, _TITLE, _left(report), sets, stream)


def _left(report: PrefetchReport) -> Iterator[str]:
    yield from manifests.for_the_kubelet(report)
    tagged = {image.name: None for batch in report.batches for image in batch.images if "@" not in image.full}
    if tagged:
        yield (
            f"a PinnedImageSet takes digests, and these images have tags: {', '.join(sorted(tagged))}; state digests "
            "in their workloads, or use another format"
        )
    secrets = sorted({f"{each.namespace}/{secret}" for each in report.batches for secret in each.secrets})
    if secrets:
        yield f"the pull secret of the cluster is used, and not {words.several(secrets)}"


def _set(pool: str, number: int, images: list[str]) -> JSON:
    return {
        "apiVersion": "machineconfiguration.openshift.io/v1",
        "kind": "PinnedImageSet",
        "metadata": {
            "name": f"{NAME}-{pool}" + (f"-{number}" if number > 1 else ""),
            "labels": {**manifests.LABELS, _ROLE: pool},
        },
        "spec": {"pinnedImages": [{"name": image} for image in images]},
    }
