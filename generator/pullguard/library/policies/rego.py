"""Rego modules as `opa parse` and `opa inspect` see them, and what they import."""

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.text_files import read_text
from pullguard.engine import process
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import query
from pullguard.library.policies.model import SourceFile

_TIMEOUT_SECONDS = 60


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
class MetadataText:
    """Where the METADATA comment of a package stands.

    Attributes:
        line: The 1-based line of `# METADATA`.
        yaml: Its text without the comment signs; the first line is the one of `# METADATA`, left empty.
    """

    line: int
    yaml: str


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
    metadata: MetadataText | None


class Tree:
    """The modules below a folder: each is read and parsed once, when it is asked for.

    Args:
        directory: The folder rego/.
        engine: What reads YAML; its program parses Rego.
    """

    def __init__(self, directory: Path, engine: Engine) -> None:
        self.directory = directory
        self.engine = engine
        self._opa = process.opa()
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

    def annotations(self, path: str) -> dict[str, Any]:
        """Return the METADATA of a module's package as `opa inspect` reads it; empty if it has none."""
        package = ["data", *self.module(path).package]
        for entry in (
            self._opa_json(path, "inspect", "--annotations", str(self.directory / path)).get("annotations") or ()
        ):
            own = [part["value"] for part in entry.get("path") or ()] == package
            if own and entry["annotations"].get("scope") == "package":
                annotations: dict[str, Any] = entry["annotations"]
                return annotations
        return {}

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
        ast = self._opa_json(
            source.path, "parse", "--json-include=locations,-comments", str(self.directory / source.path)
        )
        return RegoModule(
            source=source,
            file=self.shown(source.path),
            package=tuple(part["value"] for part in ast["package"]["path"][1:]),
            package_line=ast["package"]["location"]["row"],
            references=tuple(_references(ast)),
            sets=frozenset(_partial_sets(ast)),
            metadata=_metadata_text(ast),
        )

    def _opa_json(self, path: str, *command: str) -> dict[str, Any]:
        """Return what an OPA command says, about one file."""
        try:
            done = subprocess.run(
                [*self._opa, *command, "--format=json"],
                capture_output=True,
                check=False,
                text=True,
                encoding="utf-8",
                timeout=_TIMEOUT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PullguardError(f"{self._opa[0]} did not run: {error}") from error
        try:
            answer = json.loads(done.stdout if done.returncode == 0 else done.stderr)
        except ValueError as error:
            text = (done.stderr or done.stdout).strip()
            raise PullguardError(f"opa {command[0]} failed: {text}", file=self.shown(path)) from error
        if done.returncode != 0:
            raise self._parse_error(path, answer["errors"])
        if not isinstance(answer, dict):
            raise PullguardError(f"opa {command[0]} answered no object", file=self.shown(path))
        return answer

    def _parse_error(self, path: str, errors: list[dict[str, Any]]) -> PullguardError:
        """Return what OPA has against a module: its first error, as the others mostly follow from it."""
        row = errors[0].get("location", {}).get("row")
        message = " ".join(str(errors[0]["message"]).split())
        return PullguardError(f"OPA cannot read it: {message}", file=self.shown(path), line=row or None)


def _metadata_text(ast: dict[str, Any]) -> MetadataText | None:
    for annotations in ast.get("annotations") or ():
        if annotations.get("scope") == "package":
            location = annotations["location"]
            lines = base64.b64decode(location["text"]).decode("utf-8").splitlines()
            return MetadataText(location["row"], "\n".join(["", *(line.lstrip()[1:] for line in lines[1:])]))
    return None


def _partial_sets(ast: dict[str, Any]) -> Iterator[str]:
    for rule in ast.get("rules") or ():
        head = rule["head"]
        if "name" in head and "key" in head and "value" not in head:
            yield head["name"]


def _references(ast: dict[str, Any]) -> Iterator[Reference]:
    imports = ast.get("imports") or ()
    for entry in imports:
        yield Reference(_constant_parts(entry["path"]["value"]), True, entry["location"]["row"])
    for node in _nodes(ast.get("rules") or ()):
        if node.get("type") == "ref" and isinstance(node.get("value"), list):
            parts = _constant_parts(node["value"])
            if parts[:1] == ("data",):
                yield Reference(parts, False, node["value"][0]["location"]["row"])


def _constant_parts(terms: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the first name of a reference and what follows, up to the first part that is not a constant string."""
    if terms[0]["type"] != "var":
        return ()
    return (
        terms[0]["value"],
        *(term["value"] for term in takewhile(lambda term: term["type"] == "string", terms[1:])),
    )


def _nodes(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of an AST, in the order of the text; without recursion, as an AST may be deep."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(reversed([value for key, value in node.items() if key != "annotations"]))
        elif isinstance(node, (list, tuple)):
            stack.extend(reversed(node))
