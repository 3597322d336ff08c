"""Images as one JSON object, for programs. Fields are never left out; null means that there is no value."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from pullguard.core.formats.json import error_value
from pullguard.images.model import Image, ImagesReport, Use

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-images/v1"


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: ImagesReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    return {
        "format": FORMAT,
        "source": report.source,
        "sure": report.sure,
        "images": [_image(image) for image in report.images],
        "leftOut": dict(report.left_out),
        "unresolved": [_use(use) for use in report.unresolved],
        "errors": [error_value(error) for error in report.errors],
        "unjudged": [{"reason": each.reason, "count": each.count, "message": each.message} for each in report.unjudged],
        "notes": list(report.notes),
        "objects": report.objects,
    }


def _image(image: Image) -> dict[str, Any]:
    return {"name": image.name, "sure": image.sure, "uses": [_use(use) for use in image.uses]}


def _use(use: Use) -> dict[str, Any]:
    obj = use.object
    return {
        "image": use.image,
        "sure": use.sure,
        "what": use.what,
        "object": {"apiVersion": obj.api_version, "kind": obj.kind, "namespace": obj.namespace, "name": obj.name},
        "file": use.file,
        "line": use.line,
        "build": None
        if use.build is None
        else {
            "kind": use.build.kind,
            "path": use.build.path,
            "installer": use.build.installer or None,
            "hook": use.build.hook or None,
        },
        "template": None if use.template is None else asdict(use.template),
        "values": [value.key for value in use.values],
    }
