"""The result of the matrix as values, as the file tests/data/versions.json, and as tables of docs/versions.md."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]
RESULT = _CHECKOUT / "tests" / "data" / "versions.json"
PAGE = _CHECKOUT / "docs" / "versions.md"

_START, _END = "<!-- made by `make test-matrix` -->\n", "<!-- up to here -->\n"

#: The parts of the matrix by the tests that try them.
PARTS = {
    "test_every_suite_passes": "gator",
    "test_templates_and_syncsets_fit": "definitions",
    "test_assign_mutators_fit": "assign",
    "test_expressions_are_accepted": "expressions",
    "test_mutation_is_accepted": "mutation",
    "test_a_server_takes_and_enforces_the_library": "server",
    "test_unit_tests_pass": "unit",
    "test_types_hold": "types",
}

#: The tables: the heading of the versions, and the parts with their headings.
_TABLES: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        "Gatekeeper",
        {
            "gator": "its gator runs every Suite",
            "definitions": "its CRDs take templates and SyncSets",
            "assign": "its CRDs take `mutation/gatekeeper`",
        },
    ),
    (
        "Kubernetes",
        {
            "expressions": "its CEL takes `admission`",
            "mutation": "its CEL takes `mutation`",
            "server": "a real API server takes and enforces both",
        },
    ),
    ("Python", {"unit": "the unit tests pass", "types": "mypy finds nothing for it"}),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What was found out about a part and a version.

    Attributes:
        part: One of the values of PARTS.
        version: The version.
        outcome: "passed", "refused" (where that is what was to be found out), "failed" or "not run".
        why: Why it was refused or not run; else what was run, or "".
        seconds: How long it took.
    """

    part: str
    version: str
    outcome: str
    why: str
    seconds: int


def read(file: Path = RESULT) -> list[Cell]:
    """Return the cells of a result; none if there is none yet."""
    return [Cell(**entry) for entry in json.loads(file.read_text("utf-8"))] if file.exists() else []


def write(cells: Iterable[Cell], file: Path = RESULT, page: Path = PAGE) -> None:
    """Write a result, and the tables of it into the page."""
    ordered = sorted(cells, key=lambda cell: (list(PARTS.values()).index(cell.part), _numbers(cell.version)))
    file.write_text(json.dumps([asdict(cell) for cell in ordered], indent=2) + "\n", "utf-8")
    page.write_text(with_tables(page.read_text("utf-8"), ordered), "utf-8")


def with_tables(text: str, cells: Sequence[Cell]) -> str:
    """Return the text of the page with the tables of some cells in the place of those that it has."""
    before, start, rest = text.partition(_START)
    _, end, after = rest.partition(_END)
    assert start, "the page has no place for the tables"
    assert end, "the place for the tables does not end"
    return before + start + "\n" + "\n".join(tables(cells)) + "\n" + end + after


def tables(cells: Sequence[Cell]) -> list[str]:
    """Return the lines of the tables."""
    lines: list[str] = []
    for title, parts in _TABLES:
        rows: dict[tuple[int, ...], list[Cell]] = {}
        for cell in cells:
            if cell.part in parts:
                rows.setdefault(_numbers(cell.version)[:2], []).append(cell)
        lines += [f"| {' | '.join((title, *parts.values()))} |", f"|{'---|' * (len(parts) + 1)}"]
        for _, row in sorted(rows.items()):
            versions = {cell.version for cell in row}
            # A row is a minor version, unless all of it is about one release of it.
            version = min(versions, key=len)
            known = {cell.part: cell for cell in row}
            lines.append(f"| {' | '.join((version, *(_shown(known.get(part), version) for part in parts)))} |")
        lines.append("")
    return lines


def _shown(cell: Cell | None, version: str) -> str:
    if cell is None:
        return ""
    word = {"passed": "yes", "refused": "no"}.get(cell.outcome, cell.outcome)
    release = "" if cell.version == version else cell.version
    more = ", ".join(filter(None, (release, cell.why)))
    return f"{word}: {more}" if more else word


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
