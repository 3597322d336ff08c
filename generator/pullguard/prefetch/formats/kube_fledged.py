"""ImageCaches of kube-fledged: its Jobs pull images, and again when they are gone, and pin nothing."""

from collections.abc import Iterator
from typing import Any, TextIO

from pullguard.prefetch.formats import manifests, words
from pullguard.prefetch.model import Batch, Node, PrefetchReport, Settings

JSON = dict[str, Any]

_TITLE = (
    "kube-fledged pulls these images; a kubelet that needs room removes those that nothing uses until the next refresh."
)
_HOSTNAME = "kubernetes.io/hostname"


def write(report: PrefetchReport, settings: Settings, stream: TextIO) -> None:
    """Write the ImageCaches."""
    caches = [cache for batch in report.batches if (cache := _cache(batch, settings)) is not None]
    manifests.write(report, _TITLE, _left(report), caches, stream)


def _left(report: PrefetchReport) -> Iterator[str]:
    yield from manifests.for_the_kubelet(report)
    for batch in report.batches:
        if batch.account:
            yield manifests.unknown_secrets(batch)
    nodes = sorted({node.name for batch in report.batches for node in batch.nodes if not node.hostname})
    if nodes:
        yield f"kube-fledged finds nodes by labels, and {_HOSTNAME} does not tell {words.several(nodes)} apart"


def _cache(batch: Batch, settings: Settings) -> JSON | None:
    images = [image.name for image in batch.images if not image.is_there]
    nodes = [node for node in batch.nodes if node.hostname]
    if not images or not nodes:
        return None
    secrets = {"imagePullSecrets": [{"name": secret} for secret in batch.secrets]} if batch.secrets else {}
    return {
        "apiVersion": "kubefledged.io/v1alpha2",
        "kind": "ImageCache",
        "metadata": {
            "name": manifests.name_of(batch),
            "namespace": batch.namespace or settings.namespace,
            "labels": dict(manifests.LABELS),
        },
        "spec": {"cacheSpec": [_entry(images, node) for node in nodes], **secrets},
    }


def _entry(images: list[str], node: Node) -> JSON:
    return {"images": images, "nodeSelector": {_HOSTNAME: node.hostname}}
