"""Engines say the same of files that somebody has tampered with: what one finds or refuses, the other does."""

import os
from pathlib import Path

import pytest

from mutated_manifests import write_files
from pullguard.check.command import check
from pullguard.core.findings import Report

_FILES = int(os.environ.get("PULLGUARD_TEST_FILES", "600"))
_AT_ONCE = 300


def _said(report: Report) -> tuple[object, ...]:
    """Return all that a report says of an input, but for notes on how it was judged."""
    return report.findings, report.errors, report.files, report.documents, report.objects


@pytest.mark.parametrize("seed", range(0, _FILES, _AT_ONCE))
def test_engines_agree(seed: int, tmp_path: Path, checkout: Path) -> None:
    files = [str(file) for file in write_files(tmp_path, seed, _AT_ONCE)]
    library = str(checkout / "library")
    own, conftest = (check(files, library=library, engine=engine) for engine in ("opa", "conftest"))
    assert _said(own) == _said(conftest)
    assert len(own.findings) > _AT_ONCE / 2
    assert len(own.errors) > _AT_ONCE / 20
