"""Texts and files -> documents and objects with their lines, as the engine reads them; nothing is judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pullguard.core.errors import PullguardError
from pullguard.core.findings import DecidingPlace
from pullguard.core.inputs.problems import InputError, rendering
from pullguard.engine.protocol import Engine, Record

#: Whose YAML it is: that of Kubernetes (sigs.k8s.io/yaml), or that of Gatekeeper's gator (go-yaml v3).
Dialect = Literal["kubernetes", "gator"]

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file.

    Attributes:
        file: The file as it is shown to users.
        index: 0-based place in the file.
        value: Its value as JSON has it, None for an empty document.
        format: What it is written in.
        begin: Where its text begins in that of the file: in bytes of UTF-8, after a byte order mark.
        end: Where it ends.
    """

    file: str
    index: int
    value: Any
    format: Literal["yaml", "json"]
    begin: int
    end: int
    _lines: Sequence[int] = field(repr=False, compare=False)

    @property
    def line(self) -> int:
        """The 1-based line on which the value begins."""
        return self._lines[0]

    def line_of(self, path: Path) -> int:
        """Return the 1-based line of the value at a path of keys and indices.

        The line of an entry of a mapping is that of its key, the line of an alias that of its anchor. A path that does
        not exist has the line of its deepest ancestor that does.
        """
        return _line_at(self.value, self._lines, path)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A Kubernetes object.

    Attributes:
        file: The file as it is shown to users.
        document: 0-based document in that file.
        item: Its places in the Lists that it stands in, from the outermost; empty if it is the document.
        object: The object as JSON has it.
    """

    file: str
    document: int
    item: tuple[int, ...]
    object: dict[str, Any]
    _lines: Sequence[int] = field(repr=False, compare=False)

    def line(self, path: Path = ()) -> int:
        """Return the 1-based line of the value at a path inside the object, as `Document.line_of` does."""
        return _line_at(self.object, self._lines, path)

    def place(self, path: Path = ()) -> DecidingPlace:
        """Return where the value at a path stands."""
        return DecidingPlace(self.file, self.line(path))


def read_documents(
    engine: Engine, text: str, file: str, *, dialect: Dialect = "kubernetes", first_line: int = 1, first: bool = False
) -> list[Document | InputError]:
    """Return the documents of a text, and what is wrong with them, in the order of the text.

    Errors that Kubernetes would refuse in a document that still has a value come before the document.

    Args:
        engine: What reads it.
        text: The text.
        file: The file as it is shown to users; its name may say that it is JSON.
        dialect: Whose YAML it is.
        first_line: The line of the file on which the text begins.
        first: Read the first document only, as Go's yaml.Unmarshal does: separators do not count.

    Raises:
        PullguardError: The engine failed.
    """
    request = engine.ask(
        "read",
        text.encode("utf-8", "replace"),
        name=file,
        source="content",
        dialect=dialect,
        unit="documents",
        lines=True,
        first=first,
        firstLine=first_line,
    )
    read = (engine.parsed(record, lambda entry: _document(entry, file)) for record in engine.records(request))
    return [found for found in read if found is not None]


def load_documents(engine: Engine, text: str, file: str, *, dialect: Dialect) -> list[Document]:
    """Return the documents of a small file that people edit; empty ones have the value None.

    Raises:
        PullguardError: A document is broken or has a duplicate key.
    """
    return _good(read_documents(engine, text, file, dialect=dialect))


def load_document(engine: Engine, text: str, file: str, first_line: int = 1, *, dialect: Dialect) -> Document:
    """Return the first document of a text; what follows it is ignored, as in Go's yaml.Unmarshal.

    Args:
        engine: What reads it.
        text: The text, such as one part of a file.
        file: The file as it is shown to users.
        first_line: The line of the file on which the text begins.
        dialect: Whose YAML it is.

    Raises:
        PullguardError: The document is broken or has a duplicate key.
    """
    return _good(read_documents(engine, text, file, dialect=dialect, first_line=first_line, first=True))[0]


def error_from(record: Record, file: str) -> InputError:
    """Return what is wrong with an input, as a record says it.

    Raises:
        KeyError: A field is missing.
    """
    message = f"{record['message']}; {record['remedy']}" if record.get("remedy") else record["message"]
    if record.get("isTemplate"):
        message = f"not rendered: looks like a template ({record['message']}); render it first: `{rendering(file)}`"
    return InputError(file, record.get("line"), record.get("document"), message, bool(record.get("isTemplate")))


def manifest_from(record: Record, file: str) -> Manifest:
    """Return the object that a record has.

    Raises:
        KeyError: A field is missing.
    """
    lines = record.get("lines") or (record["line"],)
    return Manifest(file, record["document"], tuple(record["item"]), record["object"], lines)


def _document(record: Record, file: str) -> Document | InputError | None:
    match record["type"]:
        case "document":
            begin, end = record.get("begin", 0), record["end"]
            lines = record.get("lines") or (record["line"],)
            return Document(file, record["document"], record["value"], record["format"], begin, end, lines)
        case "error":
            return error_from(record, file)
    return None


def _good(found: Sequence[Document | InputError]) -> list[Document]:
    documents = []
    for entry in found:
        if isinstance(entry, InputError):
            raise PullguardError(entry.message, file=entry.file, line=entry.line)
        documents.append(entry)
    return documents


def _line_at(value: Any, lines: Sequence[int], path: Path) -> int:
    """Return the line at a path; lines are those of all values inside, in their order."""
    place, line = 0, lines[0]
    for step in path:
        place += 1
        for key, entry in _entries(value):
            if key == step:
                value = entry
                break
            place += _size(entry)
        else:
            return line
        line = lines[place]
    return line


def _entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _size(value: Any) -> int:
    """Return how many values a value holds, including itself; without recursion, as it may be deep."""
    size, waiting = 0, [value]
    while waiting:
        size += 1
        waiting += (entry for _, entry in _entries(waiting.pop()))
    return size
