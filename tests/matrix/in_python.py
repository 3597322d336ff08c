"""Run the unit tests in the Python that runs this, with the packages that an installation gets today.

usage: python3.X tests/matrix/in_python.py FOLDER [ARGUMENTS OF PYTEST]

FOLDER is for the virtual environment, which is kept. This needs the standard library alone: any Python can run it.
"""

import subprocess
import sys
import venv
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
# It holds docs/versions.md to the result that is being made.
_RESULT = "tests/unit/test_versions_page.py"
# What the unit tests import besides pullguard and what it depends on.
_FOR_TESTS = (
    "check-jsonschema",
    "cmarkgfm",
    "hypothesis",
    "prometheus-client",
    "pytest",
    "pytest-xdist",
    "python-sat",
    "selenium",
)


def main() -> int:
    """Return the exit code of the first step that fails, or 0."""
    folder = Path(sys.argv[1]).absolute()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    steps = [
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", ".", *_FOR_TESTS],
        ["-m", "pullguard", "check", "--library", "library", "tests/data/images"],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit", f"--ignore={_RESULT}", *sys.argv[2:]],
    ]
    for arguments in steps:
        code = subprocess.run([python, *arguments], cwd=_CHECKOUT, check=False).returncode
        # A check that finds something has run.
        if code not in ({0, 1} if "check" in arguments else {0}):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
