"""The environment of programs that judge."""

import os

from pullguard.core import systems


def bare_environment() -> dict[str, str]:
    """Return the environment of programs that need nothing of ours, so that they cannot read our secrets."""
    return {name: os.environ[name] for name in systems.VARIABLES if name in os.environ}
