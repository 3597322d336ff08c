"""A Gatekeeper policy library, and its tool, for pods that must restart without an image registry.

The functions below are those that the command line calls. Each raises PullguardError if it can't give a result; what is
wrong with single inputs is in its report.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullguard.audit.command import audit
    from pullguard.check.command import check
    from pullguard.core.errors import PullguardError
    from pullguard.discover.command import discover
    from pullguard.fix.command import fix
    from pullguard.generate.command import generate
    from pullguard.images.command import images
    from pullguard.outage.command import outage
    from pullguard.prefetch.command import prefetch
    from pullguard.scope.command import scope
    from pullguard.suites.command import run as test

__version__ = "0.1.0"
__all__ = [
    "PullguardError",
    "audit",
    "check",
    "discover",
    "fix",
    "generate",
    "images",
    "outage",
    "prefetch",
    "scope",
    "test",
]

#: Where each name stands. They are imported when they are first used: a command needs few of them.
_FOUND_IN = {
    **{name: (f"pullguard.{name}.command", name) for name in __all__},
    "PullguardError": ("pullguard.core.errors", "PullguardError"),
    "test": ("pullguard.suites.command", "run"),
}


def __getattr__(name: str) -> Any:
    if name not in _FOUND_IN:
        raise AttributeError(f"module 'pullguard' has no attribute {name!r}")
    module, own = _FOUND_IN[name]
    value = globals()[name] = getattr(import_module(module), own)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package: a function keeps its name when the folder of the same name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _FOUND_IN and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
