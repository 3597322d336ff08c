"""`pullguard test`: Gatekeeper's Suites, evaluated by OPA servers or by gator."""

import time
from collections.abc import Sequence
from pathlib import Path

from pullguard.core.resources import find_tool
from pullguard.engine.protocol import Engine
from pullguard.suites import suite_files
from pullguard.suites.report import SuiteReport


def run(
    paths: Sequence[str],
    *,
    engine: str = "opa",
    run: str | None = None,
    progress: bool = False,
) -> SuiteReport:
    """Run the Suites in files and folders.

    Args:
        paths: Files, and folders, which are searched recursively.
        engine: "opa", or "gator" for Gatekeeper's own program.
        run: gator's filter: an RE2 expression for the names of tests or cases, or two of them as ``TEST//CASE``.
        progress: Show a bar on stderr if that is a terminal and it takes longer.

    Raises:
        PullguardError: There is no Suite, the filter is wrong, or the engine cannot be run. What is wrong with one
            of several Suites is in the report.
    """
    start = time.perf_counter()
    with Engine() as reader:
        suites = suite_files.find_suites(reader, paths)
        if engine == "gator":
            from pullguard.suites.gator import verify as by_gator  # noqa: PLC0415 - only one of the engines is needed

            results = by_gator(suites, Path(find_tool("gator")), run)
        else:
            from pullguard.suites.opa import verify as by_opa  # noqa: PLC0415 - as above

            results = by_opa(reader, suites, run, progress=progress)
    return SuiteReport(engine, tuple(results), time.perf_counter() - start)
