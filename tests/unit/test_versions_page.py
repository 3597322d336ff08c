"""docs/versions.md is made from the result of the matrix, which covers what is supported."""

from pathlib import Path

import pytest

import versions_page
from versions_page import Cell

CELLS = [
    Cell("gator", "3.9.1", "passed", "5 of 5", 3),
    Cell("gator", "3.10.0", "not run", "its module was not to be had", 1),
    Cell("assign", "3.9.1", "refused", "it does not know a field", 0),
    Cell("expressions", "1.9", "passed", "", 1),
    Cell("server", "1.9.3", "passed", "with x", 1),
    Cell("server", "1.10.2", "passed", "", 1),
    Cell("unit", "3.10", "failed", "", 9),
]
TABLES = """\
| Gatekeeper | its gator runs every Suite | its CRDs take templates and SyncSets | its CRDs take `mutation/gatekeeper` |
|---|---|---|---|
| 3.9.1 | yes: 5 of 5 |  | no: it does not know a field |
| 3.10.0 | not run: its module was not to be had |  |  |

| Kubernetes | its CEL takes `admission` | its CEL takes `mutation` | a real API server takes and enforces both |
|---|---|---|---|
| 1.9 | yes |  | yes: 1.9.3, with x |
| 1.10.2 |  |  | yes |

| Python | the unit tests pass | mypy finds nothing for it |
|---|---|---|
| 3.10 | failed |  |
"""


def test_tables() -> None:
    assert "\n".join(versions_page.tables(CELLS)) == TABLES


def test_a_result_is_written_in_the_order_of_parts_and_versions(tmp_path: Path) -> None:
    file, page = tmp_path / "r.json", tmp_path / "p.md"
    page.write_text("a\n<!-- made by `make test-matrix` -->\nold\n<!-- up to here -->\nb\n")
    for _ in range(2):
        versions_page.write(reversed(CELLS), file, page)
        assert versions_page.read(file) == CELLS
        assert page.read_text() == (f"a\n<!-- made by `make test-matrix` -->\n\n{TABLES}\n<!-- up to here -->\nb\n")
    page.write_text("a\n")
    with pytest.raises(AssertionError, match="no place for the tables"):
        versions_page.write(CELLS, file, page)
    assert versions_page.read(tmp_path / "none.json") == []


def test_the_page_is_made_from_the_result() -> None:
    text = versions_page.PAGE.read_text("utf-8")
    assert versions_page.with_tables(text, versions_page.read()) == text


def test_every_supported_version_is_in_the_result() -> None:
    found = {(cell.part, ".".join(cell.version.split(".")[:2])) for cell in versions_page.read()}
    gatekeeper = ["3.19", "3.20", "3.21", "3.22", "3.23"]
    kubernetes = ["1.32", "1.33", "1.34", "1.35", "1.36"]
    python = ["3.10", "3.11", "3.12", "3.13", "3.14"]
    expected = [(part, version) for part in ("gator", "definitions", "assign") for version in gatekeeper]
    expected += [(part, version) for part in ("expressions", "mutation") for version in kubernetes]
    expected += [("server", "1.32"), ("server", "1.36")]
    expected += [(part, version) for part in ("unit", "types") for version in python]
    assert found == set(expected)


def test_nothing_that_was_tried_failed() -> None:
    failed = [cell for cell in versions_page.read() if cell.outcome not in {"passed", "refused", "not run"}]
    assert failed == []
    refused = {(cell.part, cell.version) for cell in versions_page.read() if cell.outcome == "refused"}
    assert {part for part, _ in refused} <= {"assign"}
