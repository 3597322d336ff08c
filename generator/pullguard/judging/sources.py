"""Where `pullguard check` gets objects from: read in Python, or read and mostly judged by pullguard-check."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.core.inputs.files import STDIN_NAME, Found, Stdin, nothing_on_stdin, read_file, shown, unreadable
from pullguard.core.inputs.homes import Home
from pullguard.core.inputs.limits import Limits
from pullguard.core.inputs.lists import Manifest, manifests
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Answer, Failure, answer_from
from pullguard.engine.checker import Checker, Record

#: The place of an object or error in the input: places sort as the input does.
Place = tuple[int, ...]

# What pullguard-check hands back: one YAML document, or a file from one of its documents on.
_DOCUMENT, _REST = "document", "rest"


@dataclass(frozen=True, slots=True)
class Judged:
    """An object that was read and judged elsewhere; like a Manifest, but it knows only the lines that findings need.

    Attributes:
        file: The file as it is shown to users.
        document: 0-based document in that file.
        object: The object.
        lines: The 1-based lines of values by their paths, that of the object under ().
    """

    file: str
    document: int
    object: dict[str, Any]
    lines: dict[tuple[str | int, ...], int]

    def line(self, path: Sequence[str | int] = ()) -> int:
        """Return the 1-based line of the value at a path, or of its deepest ancestor that has one."""
        steps = tuple(path)
        while steps not in self.lines:
            steps = steps[:-1]
        return self.lines[steps]


#: What is to be done with an object that was judged.
Take = Callable[[Place, Manifest | Judged, Answer | Failure], None]

#: What is to be done with a Namespace: its name and its labels.
Note = Callable[[str, dict[str, Any]], None]


class PythonSource:
    """Reads everything in Python; iterating yields the objects and what is wrong with the input.

    Attributes:
        objects: How many objects have been read so far.
        has_stdin: False: whatever comes from standard input is told of.
    """

    def __init__(self, found: Sequence[Found], stdin: BinaryIO | None, limits: Limits) -> None:
        from pullguard.core.inputs import Inputs  # noqa: PLC0415 - the strict readers take time to load

        self._inputs = Inputs((), found=found, stdin=stdin, limits=limits)
        self.objects = 0
        self.has_stdin = False

    @property
    def names(self) -> list[str]:
        """The files that have been read so far."""
        return self._inputs.names

    @property
    def documents(self) -> int:
        """How many documents have been read so far, broken and empty ones too."""
        return self._inputs.documents

    def __iter__(self) -> Iterator[tuple[Place, Manifest | InputError]]:
        """Yield what is in the input, in its order."""
        for place, found in enumerate(self._inputs):
            self.objects += isinstance(found, Manifest)
            yield (place,), found


class CheckerSource:
    """Lets pullguard-check read and judge the input; iterating yields what that leaves to Python, and errors.

    Args:
        checker: The program.
        found: The files, and what is wrong with others.
        stdin: What the standard input among them stands for.
        limits: What is beyond them is an error; the program has them already.
        home: Says where the objects of a file go, by its name.
        take: Gets the objects that it judged and has something to say of.
        note: Gets the Namespaces that it saw.
        advance: Gets how many objects more it has read.

    Attributes:
        objects: How many objects have been read so far.
        has_stdin: Some of them came from standard input, and need not have been told of.
    """

    def __init__(
        self,
        checker: Checker,
        found: Sequence[Found],
        stdin: BinaryIO | None,
        *,
        limits: Limits,
        home: Callable[[str], Home],
        take: Take,
        note: Note,
        advance: Callable[[int], None],
    ) -> None:
        self.objects = 0
        self.has_stdin = False
        self._checker = checker
        self._found = found
        self._stdin = stdin
        self._limits = limits
        self._home = home
        self._take = take
        self._note = note
        self._advance = advance
        # Of each file; it may be read in part here and in part there.
        self._documents: dict[int, int] = {}
        self._unread: set[int] = set()
        self._read_files: set[int] = set()
        self._bad_bytes: dict[int, InputError] = {}  # the first in each file

    @property
    def names(self) -> list[str]:
        """The files that have been read so far, in the order of the input."""
        return [self._name(number) for number in sorted(self._read_files - self._unread)]

    @property
    def documents(self) -> int:
        """How many documents have been read so far, broken and empty ones too."""
        return sum(self._documents.values())

    def __iter__(self) -> Iterator[tuple[Place, Manifest | InputError]]:
        """Yield what is for Python to read, in no order."""
        for number, found in enumerate(self._found):
            if isinstance(found, InputError):
                yield (number, -1), found
                continue
            path = _path_of(self._stdin) if isinstance(found, Stdin) else os.fsencode(found)
            if path is not None:
                self._checker.check(number, path, self._home(self._name(number)))
            elif isinstance(found, Stdin):
                yield from self._read(number, found)
        for record in self._checker.records():
            yield from self._one(record)
        for number, error in self._bad_bytes.items():
            yield (number, -1), error

    def _read(self, number: int, found: Stdin) -> Iterator[tuple[Place, Manifest | InputError]]:
        """Read what no other process can open."""
        file = read_file(found, self._stdin)
        if isinstance(file, InputError):
            yield (number, -1), file
        else:
            self._read_files.add(number)
            yield from self._doubtful(number, {"doubtful": _REST, "line": 1, "document": 0, "data": file.data})

    def _one(self, record: Record) -> Iterator[tuple[Place, Manifest | InputError]]:
        if "labelled" in record:
            self._note(record["labelled"], record.get("labels", {}))
            return
        number = record["file"]
        if "object" in record:
            self._judged(number, record)
        elif "doubtful" in record:
            yield from self._doubtful(number, record)
        elif record.get("done"):
            self._read_files.add(number)
            self.objects += record.get("objects", 0)
            self.has_stdin |= isinstance(self._found[number], Stdin) and record.get("objects", 0) > 0
            self._advance(record.get("objects", 0))
            self._count(number, record.get("documents", 0))
        elif "errno" in record:
            self._unread.add(number)
            error = OSError(record["errno"], os.strerror(record["errno"]))
            yield (number, -1), unreadable(self._path(number), error)
        elif record.get("tooLarge"):
            self._count(number, record["document"] + 1)
            from pullguard.core.inputs.documents import too_large  # noqa: PLC0415 - as below

            yield (number, record["document"]), too_large(self._name(number), record["line"], record["document"])
        elif isinstance(self._found[number], Stdin):  # it is blank
            self._unread.add(number)
            yield (number, -1), nothing_on_stdin()

    def _judged(self, number: int, record: Record) -> None:
        lines = {tuple(path): line for path, line in record["lines"]}
        judged = Judged(self._name(number), record["document"], record["object"], lines)
        failure = record.get("failure")
        answer = Failure(failure) if failure is not None else answer_from(record)
        self._take((number, judged.document, *record["item"]), judged, answer)

    def _doubtful(self, number: int, record: Record) -> Iterator[tuple[Place, Manifest | InputError]]:
        from pullguard.core.inputs import documents  # noqa: PLC0415 - the strict readers take time to load

        name, line, index = self._name(number), record["line"], record["document"]
        text, error = documents.decode(name, record["data"], line)
        if error is not None:
            first = self._bad_bytes.setdefault(number, error)
            if (error.line or 0) < (first.line or 0):
                self._bad_bytes[number] = error
        read = documents.read_one if record["doubtful"] == _DOCUMENT else documents.read_rest
        for place, found in enumerate(read(name, text, line, index, self._limits)):
            if isinstance(found, InputError):
                document = found.document or 0
                yield (number, document, place), found
            else:
                document = found.index
                for item, manifest in enumerate(manifests(found)):
                    self.objects += 1
                    yield (number, document, place, item), manifest
            self._count(number, document + 1)

    def _count(self, number: int, documents: int) -> None:
        self._documents[number] = max(self._documents.get(number, 0), documents)

    def _path(self, number: int) -> Path:
        found = self._found[number]
        return found if isinstance(found, Path) else Path(STDIN_NAME)

    def _name(self, number: int) -> str:
        return shown(self._path(number))


def _path_of(stdin: BinaryIO | None) -> bytes | None:
    """Return the path under which another process can read a file that is open here, or None if there is none."""
    try:
        descriptor = -1 if stdin is None else stdin.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):
        return None
    path = f"/proc/{os.getpid()}/fd/{descriptor}"
    return path.encode() if is_file and os.access(path, os.R_OK) else None
