"""Where to find rego/, library/ and the programs that pullguard runs, in a checkout and in a wheel."""

import os
from typing import TYPE_CHECKING

from pullguard.core import systems
from pullguard.core.errors import PullguardError

if TYPE_CHECKING:
    from pathlib import Path

# The engine starts before anything needs a Path, and importing pathlib takes time.
_PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_CHECKOUT = os.path.dirname(os.path.dirname(_PACKAGE))

ENGINE = "pullguard-engine"

_REMEDIES = {
    ENGINE: "install pullguard from a wheel for this platform, or run `make tools` in a checkout of pullguard",
    "conftest": "install conftest 0.71 or run `make tools` in a checkout of pullguard, so that it is on PATH",
    "gator": "install gator 3.23 or run `make tools` in a checkout of pullguard, so that it is on PATH",
}


def rego_directory() -> str:
    """Return the folder with the hand-written Rego: rego/ of the checkout, or the copy in the wheel."""
    return _resource("rego")


def packaged_library() -> str:
    """Return the folder with the library that comes with pullguard."""
    return _resource("library")


def checkout() -> "Path":
    """Return the checkout of pullguard that this is.

    Raises:
        PullguardError: It is an installation.
    """
    from pathlib import Path  # noqa: PLC0415 - as above

    found = Path(_CHECKOUT)
    if not (found / "rego" / "policies").is_dir() or not (found / "Makefile").is_file():
        raise PullguardError(
            "this pullguard was installed, and policies are part of its source",
            remedy="clone its repository, run `make setup tools` there, and use .venv/bin/pullguard",
        )
    return found


def find_tool(name: str) -> str:
    """Return the path of a program: the one in the wheel, else in .tools/bin of the checkout, else on PATH.

    Args:
        name: ENGINE, "conftest" or "gator".

    Raises:
        PullguardError: It is nowhere.
    """
    found = tool(name)
    if found is None:
        raise PullguardError(f"{name} was not found", remedy=_REMEDIES[name])
    return found


def tool(name: str) -> str | None:
    """Return the path of a program as `find_tool` does, or None if it is nowhere."""
    for folder in (os.path.join(_PACKAGE, "bin"), os.path.join(_CHECKOUT, ".tools", "bin")):
        candidate = os.path.join(folder, f"{name}{systems.PROGRAM_SUFFIX}")
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    return systems.which(name)


def _resource(name: str) -> str:
    for candidate in (os.path.join(_PACKAGE, "data", name), os.path.join(_CHECKOUT, name)):
        if os.path.isdir(candidate):
            return candidate
    raise PullguardError(f"the folder {name}/ of pullguard was not found", remedy="install pullguard again")
