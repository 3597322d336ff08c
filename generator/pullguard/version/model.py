"""What `version` reports."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """What pullguard-engine is.

    Attributes:
        path: The program.
        version: The version of pullguard that it belongs to; "" if it does not know.
        go: The version of Go that built it.
        platform: What it was built for, as OS/ARCHITECTURE in Go's words.
        modules: The versions of the Go modules in it, by their paths.
    """

    path: str
    version: str
    go: str
    platform: str
    modules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy of a library.

    Attributes:
        name: Its name.
        kind: The kind of its constraints.
        version: Its own version; "" if its template states none.
    """

    name: str
    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class LibraryVersion:
    """The library that is used.

    Attributes:
        shown: What reports call it.
        folder: Where it is.
        manifest: The SHA-256 of its MANIFEST, which has the hash of every other file; None if it has none.
        policies: What it consists of, sorted by name.
    """

    shown: str
    folder: str
    manifest: str | None
    policies: tuple[PolicyVersion, ...]


@dataclass(frozen=True, slots=True)
class VersionReport:
    """What pullguard consists of.

    Attributes:
        pullguard: Its version.
        package: The folder of its Python package.
        python: The version of Python.
        platform: The system and the processor, in Python's words.
        engine: The engine, or None if it is not there or cannot be asked.
        library: The library, or None if it cannot be read.
        extras: The versions of optional packages; None for those that are not installed.
        programs: The paths of programs that pullguard runs if it needs them; None for those that are not there.
        notes: What does not belong together.
        errors: Why a part is None.
    """

    pullguard: str
    package: str
    python: str
    platform: str
    engine: EngineVersion | None
    library: LibraryVersion | None
    extras: Mapping[str, str | None]
    programs: Mapping[str, str | None]
    notes: tuple[str, ...]
    errors: tuple[str, ...]

    def exit_code(self) -> int:
        """Return 2 if a part could not be read or run, else 0."""
        return 2 if self.errors else 0
