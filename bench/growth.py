"""Measures how the time of commands grows with inputs that are large on purpose, and prints a table.

Seconds are the CPU time of all processes together, which varies little with the load of the machine.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_CHECKOUT / "tests"))

from growing_inputs import GROWING, cpu_seconds  # noqa: E402 - the line above makes it importable

_FACTORS = (1, 4, 16)


def main() -> None:
    """Print a table of CPU seconds by growing input."""
    sys.stdout.write("| what grows | CPU seconds, at a size | ratio, for each 4 times as much |\n|---|---|---|\n")
    for what, (_, size, _) in GROWING.items():
        seconds = [_seconds(what, factor) for factor in _FACTORS]
        shown = ", ".join(f"{own:.2f} at {size * factor:,}" for factor, own in zip(_FACTORS, seconds, strict=True))
        times = ", ".join(f"{after / before:.1f}" for before, after in pairwise(seconds))
        sys.stdout.write(f"| {what} | {shown} | {times} |\n")
        sys.stdout.flush()


def _seconds(what: str, times: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return cpu_seconds(what, Path(folder), times)


if __name__ == "__main__":
    main()
