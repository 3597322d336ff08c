"""What the command `version` does."""

import json
import platform
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from pullguard import __version__
from pullguard.core import resources, systems
from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.core.tree_files import read_inside
from pullguard.engine.protocol import Engine
from pullguard.library.bundle import MANIFEST
from pullguard.library.choice import Choice, choose
from pullguard.library.store import load
from pullguard.version.model import EngineVersion, LibraryVersion, PolicyVersion, VersionReport

_SECONDS = 30
_EXTRAS = ("python-sat",)
# Programs that pullguard runs if it needs them: those of a wheel or a checkout, and those on PATH.
_TOOLS = ("conftest", "gator")
_ON_PATH = ("git", "kubectl")
_VERSION = "metadata.gatekeeper.sh/version"
_REMEDY = "install pullguard again, so that its engine is of the same version"

T = TypeVar("T")


def version(*, library: str | None = None) -> VersionReport:
    """Return what this pullguard consists of; a part that cannot be read is None, and in the errors of the report.

    Args:
        library: The folder of a library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.
    """
    errors: list[str] = []
    engine = _or_error(_engine, errors)
    choice = choose(library)
    return VersionReport(
        pullguard=__version__,
        package=str(Path(__file__).resolve().parent.parent),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        engine=engine,
        library=_or_error(lambda: _library(choice), errors),
        extras={name: _installed(name) for name in _EXTRAS},
        programs={name: resources.tool(name) for name in _TOOLS} | {name: systems.which(name) for name in _ON_PATH},
        notes=(*choice.notes, *_doubts(engine)),
        errors=tuple(errors),
    )


def _or_error(get: Callable[[], T], errors: list[str]) -> T | None:
    try:
        return get()
    except PullguardError as error:
        errors.append(str(error))
        return None


def _engine() -> EngineVersion:
    program = resources.find_tool(resources.ENGINE)
    try:
        done = subprocess.run(
            [program, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=bare_environment(),
            timeout=_SECONDS,
            check=False,
        )
        value = json.loads(done.stdout)
        own, go, built_for = (str(value[key]) for key in ("version", "go", "platform"))
        return EngineVersion(
            program, own, go, built_for, {str(key): str(each) for key, each in value["modules"].items()}
        )
    except OSError as error:
        raise PullguardError(f"{program} cannot be started: {error.strerror}", remedy=_REMEDY) from error
    except subprocess.TimeoutExpired as error:
        raise PullguardError(f"{program} does not answer", remedy=_REMEDY) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # One of before this command, or a program that is something else.
        raise PullguardError(f"{program} does not say what it is", remedy=_REMEDY) from error


def _library(choice: Choice) -> LibraryVersion:
    with Engine() as engine:
        templates = load(engine, choice.folder).templates
    policies = [
        PolicyVersion(template.policy, template.kind, stated if isinstance(stated, str) else "")
        for template in templates
        for stated in [dig(template.object, "metadata", "annotations", _VERSION)]
    ]
    return LibraryVersion(
        choice.shown,
        str(Path(choice.folder).resolve()),
        _manifest(choice.folder),
        tuple(sorted(policies, key=lambda policy: policy.name)),
    )


def _manifest(folder: str) -> str | None:
    try:
        return sha256(read_inside(folder, str(Path(folder) / MANIFEST))).hexdigest()
    except OSError:
        return None  # somebody else's library


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _doubts(engine: EngineVersion | None) -> Iterator[str]:
    """Yield what does not belong together."""
    if engine is None:
        return
    if engine.version != __version__:
        own = f"version {engine.version}" if engine.version else "an unknown version"
        yield f"the engine is of {own}, not {__version__}: {_REMEDY}"
    newer = _newer_source(Path(engine.path))
    if newer is not None:
        yield f"the engine is older than its source ({newer}): run `make tools`"


def _newer_source(program: Path) -> Path | None:
    """Return the newest source of the engine of a checkout that has changed since it was built, or None."""
    try:
        checkout = resources.checkout()
    except PullguardError:
        return None
    tools = checkout / "tools"
    if not program.is_relative_to(checkout) or not tools.is_dir():
        return None
    sources = [tools / "go.mod", tools / "go.sum", *(tools / "engine").rglob("*.go")]
    changed = [(file.stat().st_mtime, file) for file in sources if not file.name.endswith("_test.go")]
    newest, file = max(changed)
    return file.relative_to(checkout) if newest > program.stat().st_mtime else None
