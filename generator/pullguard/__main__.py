"""`python -m pullguard`."""

import sys

from pullguard.cli import main

sys.exit(main())
