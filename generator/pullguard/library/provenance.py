"""Whether a library that is used without being named is what pullguard generates from the configuration beside it.

Both may come with the change that is checked: a weak library finds nothing, and nobody reads 200 generated files.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pullguard import __version__
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.tree_files import read_inside
from pullguard.engine.protocol import Engine
from pullguard.library import bundle

_CONFIG = "pullguard.yaml"
_REMEDY = "name the library that is to judge with --library; `pullguard generate --check` says how this one differs"
_REMEMBERED = 20


def doubt(engine: Engine, library: str) -> str:
    """Return how a library differs from what pullguard generates, so that it cannot be relied on; "" if it does not.

    Generating takes seconds, so libraries that were found to be right are remembered, by what they hold.
    """
    if os.path.samefile(library, resources.packaged_library()):
        return ""
    digest = _digest(library)
    memory = _memory()
    remembered = _read_memory(memory)
    if digest in remembered:
        return ""
    reason = _difference(engine, library)
    if reason:
        return f"{library} is not what pullguard generates from {_CONFIG}: {reason}; {_REMEDY}"
    if digest:
        _write_memory(memory, [*remembered[1 - _REMEMBERED :], digest])
    return ""


def _difference(engine: Engine, library: str) -> str:
    """Return how a library differs from what would be generated."""
    from pullguard.library import config, policies, store  # noqa: PLC0415 - seldom needed
    from pullguard.library.render import render  # noqa: PLC0415 - as above

    try:
        sources = policies.read(Path(resources.rego_directory()), engine)
        files = render(sources, config.load(engine, Path(_CONFIG), sources.policies))
        found = store.compare(files, Path(library))
    except PullguardError as error:
        return str(error)
    # What judges is named rather than what tells of it.
    paths = sorted([*found.changed, *found.missing, *found.stale], key=lambda path: not path.startswith("policies/"))
    if not paths:
        return ""
    return f"{paths[0]} differs" if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more differ"


def _digest(library: str) -> str:
    """Return the hash of everything from which the library is generated; "" if it cannot be read."""
    digest = hashlib.sha256(__version__.encode())
    try:
        for path in _inputs(library):
            content = read_inside(os.path.dirname(path) or ".", path)
            digest.update(f"\0{path}\0{len(content)}\0".encode() + content)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()


def _inputs(library: str) -> Iterator[str]:
    yield os.path.join(resources.packaged_library(), bundle.MANIFEST)
    yield _CONFIG
    yield os.path.join(library, bundle.MANIFEST)
    yield from (os.path.join(library, path) for path in sorted(bundle.files(library)))


def _memory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pullguard", "generated")


def _read_memory(memory: Path) -> list[str]:
    try:
        return memory.read_text("ascii").split()
    except (OSError, ValueError):
        return []


def _write_memory(memory: Path, digests: list[str]) -> None:
    from pullguard.core.text_files import replace_file  # noqa: PLC0415 - seldom needed

    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        replace_file(memory, "".join(f"{digest}\n" for digest in digests).encode())
    except OSError:
        return  # the next run takes seconds again
