"""Formats of the report on Suites: one file for each, and a table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.suites.formats import json, junit, text
from pullguard.suites.report import SuiteReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[SuiteReport, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "junit": junit.write,
}
