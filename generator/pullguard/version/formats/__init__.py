"""What pullguard consists of in formats: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.version.formats import json, text
from pullguard.version.model import VersionReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[VersionReport, TextIO], None]] = {"text": text.write, "json": json.write}
