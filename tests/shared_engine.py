"""An engine for reading only, which all tests of a process share."""

import atexit

from pullguard.engine.protocol import Engine

ENGINE = Engine()
atexit.register(ENGINE.__exit__, None, None, None)
