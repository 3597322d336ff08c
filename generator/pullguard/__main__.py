"""The command `pullguard`, also as `python -m pullguard`."""

import sys

from pullguard import cli, ending


def main() -> int:
    """Run the command line of the process; return the exit code."""
    ending.reserve_streams()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
