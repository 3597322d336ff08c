"""Where rego/, library/ and the programs that pullguard runs are found, in a checkout and in a wheel."""

import os
from pathlib import Path

from pullguard.core.errors import PullguardError

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent.parent

ENGINE = "pullguard-engine"

_REMEDIES = {
    ENGINE: "install pullguard from a wheel for this platform, or run `make tools` in a checkout of pullguard",
    "conftest": "install conftest 0.71 or run `make tools` in a checkout of pullguard, so that it is on PATH",
    "gator": "install gator 3.23 or run `make tools` in a checkout of pullguard, so that it is on PATH",
}


def rego_directory() -> Path:
    """Return the folder with the hand-written Rego: rego/ of the checkout, or the copy in the wheel."""
    return _resource("rego")


def packaged_library() -> Path:
    """Return the folder with the library that comes with pullguard."""
    return _resource("library")


def checkout() -> Path:
    """Return the checkout of pullguard that this is.

    Raises:
        PullguardError: It is an installation.
    """
    if not (_CHECKOUT / "rego" / "policies").is_dir() or not (_CHECKOUT / "Makefile").is_file():
        raise PullguardError(
            "this pullguard was installed, and policies are part of its source",
            remedy="clone its repository, run `make setup tools` there, and use .venv/bin/pullguard",
        )
    return _CHECKOUT


def find_tool(name: str) -> Path:
    """Return a program: the one in the wheel, else in .tools/bin of the checkout, else on PATH.

    Args:
        name: ENGINE, "conftest" or "gator".

    Raises:
        PullguardError: It is nowhere.
    """
    for candidate in (_PACKAGE / "bin" / name, _CHECKOUT / ".tools" / "bin" / name):
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return candidate
    import shutil  # noqa: PLC0415 - importing it takes time, and the engine is found without it

    found = shutil.which(name)
    if found is None:
        raise PullguardError(f"{name} was not found", remedy=_REMEDIES[name])
    return Path(found).absolute()  # programs run in folders of their own


def _resource(name: str) -> Path:
    for candidate in (_PACKAGE / "data" / name, _CHECKOUT / name):
        if candidate.is_dir():
            return candidate
    raise PullguardError(f"the folder {name}/ of pullguard was not found", remedy="install pullguard again")
