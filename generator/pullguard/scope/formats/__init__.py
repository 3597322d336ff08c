"""What scope found: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.scope.command import ScopeReport
from pullguard.scope.formats import json, text

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[ScopeReport, TextIO], None]] = {"text": text.write, "json": json.write}
