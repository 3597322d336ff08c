"""ImageListPullJobs of OpenKruise: its daemon on each node pulls images through the runtime, and pins nothing."""

from collections.abc import Iterator
from typing import Any, TextIO

from pullguard.prefetch.formats import manifests
from pullguard.prefetch.model import Batch, PrefetchReport, Settings

JSON = dict[str, Any]

_TITLE = "OpenKruise pulls these images; a kubelet that needs room removes those that nothing uses."
_TIMEOUT = 3600  # seconds, for one image on one node
_AT_ONCE = 10  # nodes
_MOST = 255  # images of one job


def write(report: PrefetchReport, settings: Settings, stream: TextIO) -> None:
    """Write the ImageListPullJobs, more than one for a batch of which one would take too many images."""
    jobs = []
    for batch in report.batches:
        images = [image.name for image in batch.images if not image.is_there]
        parts = [images[start : start + _MOST] for start in range(0, len(images), _MOST)]
        jobs += [_job(batch, part, number, settings) for number, part in enumerate(parts, 1)]
    manifests.write(report, _TITLE, _left(report), jobs, stream)


def _left(report: PrefetchReport) -> Iterator[str]:
    yield from manifests.for_the_kubelet(report)
    for batch in report.batches:
        if batch.account:
            yield manifests.unknown_secrets(batch)


def _job(batch: Batch, images: list[str], number: int, settings: Settings) -> JSON:
    secrets = {"pullSecrets": list(batch.secrets)} if batch.secrets else {}
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "ImageListPullJob",
        "metadata": {
            "name": manifests.name_of(batch) + (f"-{number}" if number > 1 else ""),
            "namespace": batch.namespace or settings.namespace,
            "labels": dict(manifests.LABELS),
        },
        "spec": {
            "images": images,
            "imagePullPolicy": "IfNotPresent",
            "selector": {"names": [node.name for node in batch.nodes]},
            "parallelism": min(len(batch.nodes), _AT_ONCE),
            **secrets,
            "pullPolicy": {"timeoutSeconds": _TIMEOUT, "backoffLimit": 3},
            "completionPolicy": {"type": "Always"},
        },
    }
