"""Plain conftest with the library's bundle: the files that it cannot read, and the same verdicts on all others."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from pullguard.check.command import check

# Why conftest stops at them, by their names.
UNREADABLE = {
    "bad-second-doc.yaml": "a document that is not valid YAML",
    "latin1.yaml": "not UTF-8",
    "two-objects.json": "two JSON values",
}

# The same of the corpora.
UNREADABLE_REAL = {
    "pkg__templates__sortedkeys__testdata__container-with-merge.yaml": "a merge key that names a list by an alias",
    "wrong-indentation.yaml": "a document that is not valid YAML",
}

# What conftest passes: it has no word for duplicate keys, and none for a manifest without any object.
Verdicts = dict[str, set[tuple[str, str]]]


def conftest_says(program: Path, checkout: Path, files: Iterable[Path]) -> Verdicts | None:
    """Return constraints and messages by file, or None if conftest gives no result."""
    bundle = checkout / "library" / "conftest"
    done = subprocess.run(
        [program, "test", "-o", "json", "-p", bundle / "policy", "-d", bundle / "data", *files],
        capture_output=True,
        check=False,
    )
    if not done.stdout:
        return None
    found: Verdicts = defaultdict(set)
    for result in json.loads(done.stdout):
        for entry in [*result.get("failures", []), *result.get("warnings", [])]:
            metadata = entry["metadata"]
            found[result["filename"]].add((metadata["constraint"]["name"], metadata["violation"]))
    return dict(found)


def pullguard_says(checkout: Path, files: Iterable[Path]) -> Verdicts:
    found: Verdicts = defaultdict(set)
    for finding in check([str(file) for file in files], library=str(checkout / "library")).findings:
        found[finding.file].update((name, finding.message) for name in finding.constraints)
    return dict(found)


@pytest.mark.parametrize("name", UNREADABLE)
def test_files_that_conftest_cannot_read(name: str, hard: Path, conftest_binary: Path, checkout: Path) -> None:
    assert conftest_says(conftest_binary, checkout, [hard / name]) is None


def test_the_same_verdicts_on_all_others(corpus: Path, hard: Path, conftest_binary: Path, checkout: Path) -> None:
    files = sorted(path for path in [*(corpus / "real").rglob("*"), *hard.iterdir()] if path.is_file())
    others = [file for file in files if file.name not in UNREADABLE | UNREADABLE_REAL]
    verdicts = conftest_says(conftest_binary, checkout, others)
    assert verdicts is not None, "there are more files that conftest cannot read"
    assert verdicts == pullguard_says(checkout, others)
