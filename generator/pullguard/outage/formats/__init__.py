"""A forecast in formats: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.outage.formats import html, json, markdown, metrics, text
from pullguard.outage.model import OutageReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[OutageReport, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "html": html.write,
    "markdown": markdown.write,
    "metrics": metrics.write,
}
