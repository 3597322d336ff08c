"""What discover found in formats: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.discover.formats import json, text
from pullguard.discover.model import DiscoverReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[DiscoverReport, TextIO], None]] = {"text": text.write, "json": json.write}
