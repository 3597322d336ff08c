"""A plan and a drill in formats: one file a format, one table of them for each."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.drill.formats import json, text
from pullguard.drill.model import DrillReport, Plan

#: What writes a plan, by the name of the format.
PLANS: Mapping[str, Callable[[Plan, TextIO], None]] = {"text": text.write_plan, "json": json.write_plan}

#: What writes the report of a drill, by the name of the format.
REPORTERS: Mapping[str, Callable[[DrillReport, TextIO], None]] = {"text": text.write, "json": json.write}
