"""The environment of programs that judge."""

import os

# Programs may be shims of version managers, and need temporary files.
_PASSED_ON = ("HOME", "PATH", "TMPDIR")


def bare_environment() -> dict[str, str]:
    """Return the environment of programs that need nothing of ours, so that they cannot read our secrets."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
