"""The result of scope as a report: one file per format, and a table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.scope.command import ScopeReport
from pullguard.scope.formats import json, text

#: The function that writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[ScopeReport, TextIO], None]] = {"text": text.write, "json": json.write}
