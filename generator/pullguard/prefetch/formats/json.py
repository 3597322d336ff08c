"""What to pull as one JSON object, for machines. Fields are never left out."""

import json
from typing import Any, TextIO

from pullguard.core.formats.json import error_value
from pullguard.forecasting.model import WorkloadRef
from pullguard.prefetch.model import Batch, Image, Node, PrefetchReport, Settings, Unsolved

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-prefetch/v1"


def write(report: PrefetchReport, _settings: Settings, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: PrefetchReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    return {
        "format": FORMAT,
        "source": report.source,
        "registries": list(report.registries),
        "nodes": None if report.nodes is None else list(report.nodes),
        "batches": [_batch(batch) for batch in report.batches],
        "unsolved": [_unsolved(each) for each in report.unsolved],
        "unreadable": dict(report.unreadable),
        "errors": [error_value(error) for error in report.errors],
        "notes": list(report.notes),
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "namespace": batch.namespace or None,
        "pullSecrets": list(batch.secrets),
        "serviceAccount": batch.account or None,
        "nodes": [_node(node) for node in batch.nodes],
        "tolerations": [dict(toleration) for toleration in batch.tolerations],
        "images": [_image(image) for image in batch.images],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "operatingSystem": node.system or None,
        "architecture": node.architecture or None,
        "runtime": node.runtime or None,
        "mountsImages": node.mounts,
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "image": image.name,
        "fullName": image.full,
        "sizeBytes": image.size,
        "volume": image.is_volume,
        "isThere": image.is_there,
        "workloads": [_workload(workload) for workload in image.workloads],
    }


def _unsolved(found: Unsolved) -> dict[str, Any]:
    return {
        "workload": _workload(found.workload),
        "list": found.list,
        "name": found.name,
        "image": found.image,
        "reason": found.reason,
    }


def _workload(ref: WorkloadRef) -> dict[str, str]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
