"""pullguard in each Python: its unit tests where there is an interpreter, and static checks for the version."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from matrix.releases import FOLDER, PYTHON, NotHadError, interpreter

pytestmark = pytest.mark.parametrize("version", PYTHON)

_HOUR = 3600.0


def test_unit_tests_pass(version: str, checkout: Path, record_property: Callable[[str, object], None]) -> None:
    try:
        python = interpreter(version)
    except NotHadError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [python, checkout / "tests/matrix/in_python.py", FOLDER / f"python-{version}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=_HOUR,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    skipped = re.search(r"(\d+) skipped", done.stdout)
    record_property("why", f"{passed} passed" + (f", {skipped[1]} skipped" if skipped else ""))


def test_types_hold(version: str, checkout: Path) -> None:
    """By the mypy of the development environment, which knows the syntax and the standard library of every version."""
    command = ("mypy", "--python-version", version, "--cache-dir", FOLDER / "mypy", "generator/pullguard")
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True, timeout=_HOUR, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
