"""The command `pullguard`, also as `python -m pullguard`."""

import os
import sys

from pullguard import cli


def main() -> int:
    """Run the command line of the process; return the exit code."""
    _reserve_streams()
    return cli.main()


def _reserve_streams() -> None:
    """Put something in the place of standard streams that are closed, lest a file or a pipe take their numbers.

    Reading and writing fail there, as they would without it; what is written to standard error goes nowhere.
    """
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 - three times
            os.open(os.devnull, mode)  # gets the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open


if __name__ == "__main__":
    sys.exit(main())
