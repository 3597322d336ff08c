"""Files -> what policies say about the objects in them: the engine reads and judges them at once."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullguard.core.findings import DecidingPlace, Path
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Answer, Failure, answer_from
from pullguard.engine.builds import Builds, BuiltObject
from pullguard.engine.documents import error_from, manifest_from
from pullguard.engine.installers import Installer
from pullguard.engine.protocol import Engine, Record, unreadable
from pullguard.engine.unjudged import UnjudgedObject, Unprotected


@dataclass(frozen=True, slots=True)
class Request:
    """A file to judge.

    Attributes:
        path: In the encoding of the file system.
        name: The file as it is shown to users; it may say that it is JSON.
        namespace: The namespace of objects that state none; "" = not known.
        replaces: Whether it is also that of objects that state another one.
    """

    path: bytes
    name: str
    namespace: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class JudgedObject:
    """An object with violations or a failure of constraints.

    Attributes:
        file: The file as it is shown to users.
        document: 0-based document in that file.
        item: Its places in the Lists that it stands in, from the outermost.
        object: The object, as the file states it.
        lines: The 1-based lines of the values that findings need, by their paths; that of the object under ().
        answer: What is to be said of it.
    """

    file: str
    document: int
    item: tuple[int, ...]
    object: dict[str, Any]
    lines: dict[Path, int]
    answer: Answer | Failure

    def place(self, path: Sequence[str | int] = ()) -> DecidingPlace:
        """Return where the value at a path stands, or its deepest ancestor that has a line."""
        steps = tuple(path)
        while steps not in self.lines:
            steps = steps[:-1]
        return DecidingPlace(self.file, self.lines[steps])


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What a file was, once it is read.

    Attributes:
        documents: How many documents it has, broken and empty ones too.
        objects: How many objects they hold.
        errno: Why it could not be read to its end; 0 if it could.
        is_blank: Whether there is nothing but white space in it.
        unprotected: How many objects are not judged for their namespaces, by namespace.
        placeholders: How many objects state a namespace that no Namespace can have, by that name.
    """

    documents: int
    objects: int
    errno: int
    is_blank: bool
    unprotected: Mapping[str, int] = field(default_factory=dict)
    placeholders: Mapping[str, int] = field(default_factory=dict)


FoundInFile = JudgedObject | UnjudgedObject | Unprotected | Installer | InputError | FileEnd


@dataclass(frozen=True, slots=True)
class Namespaces:
    """What is known of the Namespaces that were read, and of those that are stated otherwise.

    Attributes:
        labels: By name, the labels of those that count.
        ambiguous: The names of those that were read with different labels, so that none of them counts, sorted.
        inventory: What else was read that policies look up, as Gatekeeper has it in data.inventory.
    """

    labels: Mapping[str, Mapping[str, str]]
    ambiguous: Sequence[str]
    inventory: Mapping[str, Any] = field(default_factory=dict)


class JudgedFiles:
    """Files on their way through the engine; iterating yields what is found, in no order.

    Args:
        engine: What judges, by its setup.
        files: The files.
        labels: The labels of Namespaces by their names, whatever the files say of them.
        builds: What was built before: what depended on a Namespace comes now; None if there is nothing.

    Attributes:
        namespaces: What was known of Namespaces, once all is read.
    """

    def __init__(
        self,
        engine: Engine,
        files: Sequence[Request],
        labels: Mapping[str, Mapping[str, str]],
        builds: Builds | None = None,
    ) -> None:
        self.namespaces = Namespaces({}, ())
        self._builds = builds
        self._engine = engine
        self._files = files
        self._labels = labels

    def __iter__(self) -> Iterator[tuple[int, FoundInFile | BuiltObject]]:
        """Yield what is found, with the place of its file among the files, or of its build among the builds.

        Raises:
            PullguardError: The policies cannot be loaded, or the engine has failed.
        """
        places = {self._ask(file): place for place, file in enumerate(self._files)}
        last = _ask_namespaces(self._engine, self._labels)
        open_places = set(places.values())
        for record in self._engine.records(last):
            place = places.get(record["id"])
            if place is not None:
                if record["type"] == "done":
                    open_places.discard(place)
                name = self._files[place].name
                yield place, self._engine.parsed(record, lambda entry: _found(entry, name))  # noqa: B023 - called at once
            elif record["id"] == last:
                self.namespaces = self._engine.parsed(record, _namespaces)
            elif self._builds is not None and (built := self._builds.found(record)) is not None:
                place, found = built
                if isinstance(found, BuiltObject | Unprotected):
                    yield place, found
        if open_places:
            raise unreadable(f"no end of {self._files[min(open_places)].name}")

    def _ask(self, file: Request) -> int:
        return self._engine.ask("file", file.path, name=file.name, namespace=file.namespace, replace=file.replaces)


def known_namespaces(engine: Engine, labels: Mapping[str, Mapping[str, str]]) -> Namespaces:
    """Return what is known of Namespaces after all that the engine has read.

    Args:
        engine: The engine.
        labels: The labels of Namespaces by their names, whatever was read of them.

    Raises:
        PullguardError: The engine has failed.
    """
    return engine.parsed(engine.answer(_ask_namespaces(engine, labels)), _namespaces)


def _ask_namespaces(engine: Engine, labels: Mapping[str, Mapping[str, str]]) -> int:
    return engine.ask("namespaces", json.dumps(labels).encode())


def _namespaces(record: Record) -> Namespaces:
    return Namespaces(record.get("known", {}), record.get("ambiguous", ()), record.get("inventory", {}))


def found_from(record: Record, file: str) -> JudgedObject | InputError | FileEnd:
    """Return what a record about a file says.

    Raises:
        KeyError: A field is missing.
        TypeError: A field is of another type.
    """
    match record["type"]:
        case "error":
            return error_from(record, file)
        case "done":
            documents, objects, errno = (record.get(key, 0) for key in ("documents", "objects", "errno"))
            counts = (record.get(key, {}) for key in ("unprotected", "placeholders"))
            return FileEnd(int(documents), int(objects), int(errno), bool(record.get("blank", False)), *counts)
        case "finding" | "failure":
            return _judged(record, file)
        case other:
            raise ValueError(other)


def _found(record: Record, file: str) -> FoundInFile:
    match record["type"]:
        case "unjudged":
            return UnjudgedObject(
                record["object"],
                DecidingPlace(file, record["line"]),
                record["holds"],
                record["remedy"],
                (record["document"], *record["item"]),
            )
        case "installer":
            return Installer(manifest_from(record, file))
        case "unprotected":
            return Unprotected(record["unprotected"], is_built=False)
    return found_from(record, file)


def _judged(record: Record, file: str) -> JudgedObject:
    answer = Failure(record["message"]) if record["type"] == "failure" else answer_from(record)
    lines = {tuple(path): line for path, line in record["lines"]}
    item = tuple(map(int, record["item"]))
    obj = record["object"]
    if not isinstance(obj, dict) or () not in lines:
        raise TypeError("object")
    return JudgedObject(file, int(record["document"]), item, obj, lines, answer)
