"""Files, folders and standard input -> Kubernetes objects with file and line, as the engine reads them."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from pullguard.core.inputs.files import File, Found, Located, Stdin, read_file
from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Manifest, error_from, manifest_from
from pullguard.engine.protocol import Engine, Record


class _Asked(NamedTuple):
    """A file that the engine reads, or is to read."""

    file: Located
    request: int


class Inputs:
    """The objects in files and standard input; iterating reads them, one file at a time.

    Errors in an input are not raised: they are InputErrors among the Manifests, in the order of the input, and
    everything else is still read.

    Args:
        engine: What reads them.
        found: The files, in the order of the input.
        stdin: What standard input is; None: that of the process.
        kinds: GROUP/KIND of the objects that are wanted; None: all.
        has_lines: Whether the line of every value is wanted; else that of each object.
        is_ahead: Whether the engine reads the next file while the objects of one are taken. Nothing else may be asked
            of it then.
        is_judged: Whether these are the objects that are judged: the engine then remembers their Namespaces and owners.

    Attributes:
        names: The files that have been read so far.
        without_objects: Those of them that hold no object and no List, and no error either.
        documents: How many documents have been read so far, broken and empty ones too.
    """

    def __init__(
        self,
        engine: Engine,
        found: Iterable[Found | Located | File],
        *,
        stdin: BinaryIO | None = None,
        kinds: Sequence[str] | None = None,
        is_judged: bool = False,
        has_lines: bool = True,
        is_ahead: bool = False,
    ) -> None:
        self.names: list[str] = []
        self.without_objects: list[str] = []
        self.documents = 0
        self._engine = engine
        self._found = found
        self._stdin = stdin
        self._ahead = int(is_ahead)
        self._fields = {"isInput": is_judged, "lines": has_lines, **({} if kinds is None else {"kinds": list(kinds)})}

    def __iter__(self) -> Iterator[Manifest | InputError]:
        """Yield what is in the inputs, from the first file to the last."""
        waiting: deque[InputError | _Asked] = deque()
        for found in self._found:
            waiting.append(self._asked(found))
            if len(waiting) > self._ahead:
                yield from self._read(waiting.popleft())
        for asked in waiting:
            yield from self._read(asked)

    def _asked(self, found: Found | Located | File) -> InputError | _Asked:
        file = read_file(found, self._stdin) if isinstance(found, Stdin) else found
        if isinstance(file, InputError):
            return file
        if isinstance(file, File):
            return self._ask(Located(file.name, b""), "content", file.data, file.first_line)
        place = file if isinstance(file, Located) else Located.of(file)
        return self._ask(place, "path", place.path)

    def _ask(self, file: Located, source: str, data: bytes, first_line: int = 1) -> _Asked:
        how = {"source": source, "dialect": "kubernetes", "unit": "objects", "firstLine": first_line, **self._fields}
        return _Asked(file, self._engine.ask("read", data, name=file.name, **how))

    def _read(self, asked: InputError | _Asked) -> Iterator[Manifest | InputError]:
        if isinstance(asked, InputError):
            yield asked
            return
        file, request = asked
        name = file.name
        has_errors = False
        for record in self._engine.records(request):
            match record["type"]:
                case "object":
                    yield self._engine.parsed(record, lambda entry: manifest_from(entry, name))
                case "error":
                    has_errors = True
                    yield self._engine.parsed(record, lambda entry: error_from(entry, name))
                case "done" if number := record.get("errno"):
                    yield file.unreadable(number)
                case "done":
                    self._count(name, record, has_errors=has_errors)

    def _count(self, name: str, record: Record, *, has_errors: bool) -> None:
        self.names.append(name)
        self.documents += record.get("documents", 0)
        if not has_errors and not record.get("documentsWithKind"):
            self.without_objects.append(name)
