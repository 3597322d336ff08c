"""Measures `pullguard test` against `gator verify` on the same Suites, in turns.

The Suites are a dozen copies of the library's own. The ratio of the best runs counts, because other work on the machine
can only make a run slower.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent
_COPIES = 12
_TURNS = 5


def main() -> None:
    """Print the times and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_COPIES):
            shutil.copytree(_CHECKOUT / "library" / "policies", Path(folder) / f"copy-{number}")
        ours = (sys.executable, "-m", "pullguard", "test", folder)
        theirs = (str(_CHECKOUT / ".tools" / "bin" / "gator"), "verify", f"{folder}/...")
        turns = [(_seconds(*ours), _seconds(*theirs)) for _ in range(_TURNS)]
    pullguard, gator = (min(times) for times in zip(*turns, strict=True))
    sys.stdout.write(f"the library's Suites {_COPIES} times, best of {_TURNS} turns, from process start to exit\n\n")
    sys.stdout.write(f"pullguard test: {pullguard:.2f} s\ngator verify:   {gator:.2f} s\n")
    sys.stdout.write(f"ratio: {pullguard / gator:.2f}\n\n")


def _seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, timeout=300, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
