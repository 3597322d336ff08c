"""Collects the outcome of each cell of the matrix: a test for a version."""

from collections.abc import Generator

import pytest

import versions_page
from versions_page import Cell

_CELLS = pytest.StashKey[dict[tuple[str, str], Cell]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-versions", action="store_true", help="write the result and the tables of docs/versions.md"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_CELLS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        version = item.callspec.params.get("version")
        part = versions_page.PARTS.get(item.originalname)
        if part is not None and isinstance(version, str) and (call.when == "call" or not report.passed):
            item.config.stash[_CELLS][part, version] = _cell(part, version, item, report)
    return report


def _cell(part: str, version: str, item: pytest.Item, report: pytest.TestReport) -> Cell:
    seconds = round(report.duration)
    if report.skipped:
        assert isinstance(report.longrepr, tuple)
        return Cell(part, version, "not run", report.longrepr[2].removeprefix("Skipped: "), seconds)
    if report.failed:
        return Cell(part, version, "failed", "", seconds)
    said = dict(item.user_properties)
    return Cell(part, version, str(said.get("outcome", "passed")), str(said.get("why", "")), seconds)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put the new cells into the result; those that did not run this time stay."""
    cells = session.config.stash[_CELLS]
    if not session.config.getoption("--write-versions") or not cells:
        return
    kept = {(cell.part, cell.version): cell for cell in versions_page.read()}
    # Cells that were tried once are not lost because they cannot be tried today.
    for key, cell in cells.items():
        if cell.outcome != "not run" or key not in kept:
            kept[key] = cell
    versions_page.write(kept.values())
