"""The command `pullguard`, also as `python -m pullguard`."""

import sys

from pullguard.cli import main

if __name__ == "__main__":
    sys.exit(main())
