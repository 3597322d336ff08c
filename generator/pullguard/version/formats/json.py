"""What pullguard consists of as one JSON object. Fields are never left out; null means that there is no value."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from pullguard.version.model import VersionReport

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-version/v1"


def write(report: VersionReport, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: VersionReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    return {"format": FORMAT, **asdict(report)}
