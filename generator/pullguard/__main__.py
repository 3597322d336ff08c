"""The command `pullguard`, also as `python -m pullguard`."""

import gc
import sys

from pullguard.engine import process


def main() -> int:
    """Run the command line of the process; return the exit code."""
    # What is made while modules are imported is there to stay, and most runs make little more.
    gc.set_threshold(100_000)
    process.start(sys.argv[1:])
    from pullguard import cli  # noqa: PLC0415 - what takes time comes after what runs beside it

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
