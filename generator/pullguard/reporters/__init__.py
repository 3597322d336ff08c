"""Reports as text: one file per format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.findings import Report
from pullguard.reporters import json, text

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[Report, TextIO], None]] = {"text": text.write, "json": json.write}
