"""Rego modules as OPA parses them, and what they import."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.text_files import read_text
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import parsed, query
from pullguard.library.policies.model import SourceFile


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference that begins with a name, such as data.lib.pods or rego.v1.

    Attributes:
        parts: Its leading parts that are constant, from the first name on.
        is_import: Whether it is an import.
        line: 1-based line in the module.
    """

    parts: tuple[str, ...]
    is_import: bool
    line: int


@dataclass(frozen=True, slots=True)
class PackageMetadata:
    """The METADATA of a package.

    Attributes:
        line: The 1-based line of `# METADATA`.
        yaml: Its text without the comment signs; the first line is the one of `# METADATA`, left empty.
        annotations: What OPA reads in it.
    """

    line: int
    yaml: str
    annotations: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RegoModule:
    """A parsed module.

    Attributes:
        source: The file.
        file: The file's name for messages.
        package: The parts of its package, without `data`.
        package_line: The 1-based line of the package clause.
        references: Imports, and references to data, in the order of the text.
        sets: The names of its rules that are partial sets (`name contains ...`).
        metadata: The METADATA of its package, if it has one.
    """

    source: SourceFile
    file: str
    package: tuple[str, ...]
    package_line: int
    references: tuple[Reference, ...]
    sets: frozenset[str]
    metadata: PackageMetadata | None


class Tree:
    """The modules below a folder: each is read and parsed once, when it is asked for.

    Args:
        directory: The folder rego/.
        engine: What reads YAML and Rego.
    """

    def __init__(self, directory: Path, engine: Engine) -> None:
        self.directory = directory
        self.engine = engine
        self._parsed: dict[str, RegoModule] = {}
        self._values: dict[str, Any] = {}

    def shown(self, path: str) -> str:
        """Return the name for messages of a path relative to the folder: relative to the working directory if below."""
        place = (self.directory / path).absolute()
        return os.path.relpath(place) if place.is_relative_to(Path.cwd()) else str(place)

    def file(self, path: str) -> SourceFile:
        """Return a file of the folder.

        Raises:
            PullguardError: It cannot be read, or is not UTF-8.
        """
        return SourceFile(path, read_text(self.directory / path, self.shown(path)))

    def module(self, path: str) -> RegoModule:
        """Return the parsed module at a path relative to the folder.

        Raises:
            PullguardError: It cannot be read, or OPA cannot parse it.
        """
        if path not in self._parsed:
            self._parsed[path] = self._parse(self.file(path))
        return self._parsed[path]

    def value(self, reference: str, paths: Iterable[str]) -> Any:
        """Return the value of a rule, such as lib.images.floating_tags; None if it is undefined.

        Args:
            reference: The rule, without `data`.
            paths: The module that has it, and those that it imports.
        """
        if reference not in self._values:
            rego = {path: self.file(path).text for path in paths}
            rego["values.rego"] = f"package values\n\nfound := [value | value := data.{reference}]\n"
            found = query(self.engine, rego, "data.values.found", {})
            self._values[reference] = found[0] if found else None
        return self._values[reference]

    def _parse(self, source: SourceFile) -> RegoModule:
        file = self.shown(source.path)
        module = parsed(self.engine, source.text, file)
        return RegoModule(
            source=source,
            file=file,
            package=tuple(module["package"]),
            package_line=module["line"],
            references=tuple(
                Reference(tuple(each["parts"] or ()), each["isImport"], each["line"]) for each in module["references"]
            ),
            sets=frozenset(module["sets"]),
            metadata=_metadata(module["metadata"]),
        )


def _metadata(found: dict[str, Any] | None) -> PackageMetadata | None:
    if found is None:
        return None
    yaml = "\n".join(["", *(line.lstrip()[1:] for line in found["text"].splitlines()[1:])])
    return PackageMetadata(found["line"], yaml, found["annotations"])
