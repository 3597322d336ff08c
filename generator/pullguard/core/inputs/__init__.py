"""Files, folders and standard input -> Kubernetes objects with file and line, by Kubernetes' own YAML rules.

files.py           paths -> bytes
documents.py       bytes -> documents: encodings, separators, JSON streams
strict_yaml.py     one YAML document -> its value and its lines (scalars.py: what a scalar means)
json_documents.py  one JSON document -> its value and its lines
lists.py           documents -> objects, Lists unpacked
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from pullguard.core.errors import PullguardError
from pullguard.core.inputs import files as _files
from pullguard.core.inputs.limits import DEFAULT_LIMITS, Limits
from pullguard.core.inputs.lists import Manifest, is_object, manifests
from pullguard.core.inputs.problems import InputError

if TYPE_CHECKING:
    from pullguard.core.inputs.documents import Document
    from pullguard.core.inputs.scalars import Dialect

__all__ = ["Document", "InputError", "Inputs", "Manifest", "load_document", "load_documents"]


def __getattr__(name: str) -> Any:
    """Return what takes time to import: it is read by those who need none of it as well."""
    if name != "Document":
        raise AttributeError(name)
    from pullguard.core.inputs.documents import Document  # noqa: PLC0415

    return Document


class Inputs:
    """The objects in files, folders and standard input; iterating reads them, one file at a time.

    Nothing that is wrong with an input raises: it is an InputError among the Manifests, in the order of the
    input, and everything else is still read.

    Args:
        paths: Files, folders, or "-" for standard input.
        stdin: What "-" stands for; by default the standard input of the process.
        found: The files that paths stand for, if they have been found, or even read, already.
        limits: What is beyond them is an error.

    Attributes:
        names: The files that have been read so far.
        barren: Those of them that hold no object and no List, though nothing is wrong with what they hold.
        documents: How many documents have been read so far, broken and empty ones too.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        found: Iterable[_files.Found | _files.File] | None = None,
        stdin: BinaryIO | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.names: list[str] = []
        self.barren: list[str] = []
        self.documents = 0
        self._paths = tuple(paths)
        self._stdin = stdin
        self._found = found
        self._limits = limits

    @property
    def files(self) -> int:
        """How many files have been read so far."""
        return len(self.names)

    def __iter__(self) -> Iterator[Manifest | InputError]:
        """Yield what is in the inputs, from the first path to the last."""
        from pullguard.core.inputs import documents  # noqa: PLC0415 - as above

        self.names = []
        self.barren = []
        self.documents = 0
        for path in _files.find_files(self._paths) if self._found is None else self._found:
            file = path if isinstance(path, InputError | _files.File) else _files.read_file(path, self._stdin)
            if isinstance(file, InputError):
                yield file
                continue
            self.names.append(file.name)
            text, error = documents.decode(file.name, file.data)
            if error is not None:
                yield error
            is_barren = error is None
            before = self.documents
            for found in documents.read_documents(file.name, text, limits=self._limits):
                index = found.index if isinstance(found, documents.Document) else found.document
                if index is not None:
                    self.documents = before + index + 1
                if isinstance(found, documents.Document):
                    is_barren = is_barren and not is_object(found.value)
                    yield from manifests(found)
                else:
                    is_barren = False
                    yield found
            if is_barren:
                self.barren.append(file.name)


def load_documents(text: str, file: str, *, dialect: "Dialect") -> "list[Document]":
    """Return the YAML documents of a small file that people edit; empty ones have the value None.

    Args:
        text: The text of the file.
        file: The file as it is shown to users.
        dialect: "kubernetes", or "gator" for the files of Gatekeeper's gator.

    Raises:
        PullguardError: A document is broken or has a duplicate key.
    """
    from pullguard.core.inputs import documents  # noqa: PLC0415 - as above

    loaded = []
    for found in documents.read_documents(file, text, dialect):
        if isinstance(found, InputError):
            raise PullguardError(found.message, file=file, line=found.line)
        loaded.append(found)
    return loaded


def load_document(text: str, file: str, first_line: int = 1, *, dialect: "Dialect") -> "Document":
    """Return the first YAML document of a text; what follows it is not looked at, as in Go's yaml.Unmarshal.

    Args:
        text: The text, such as one part of a file.
        file: The file as it is shown to users.
        first_line: The line of the file on which the text begins.
        dialect: "kubernetes", or "gator" for the files of Gatekeeper's gator.

    Raises:
        PullguardError: The document is broken or has a duplicate key.
    """
    from pullguard.core.inputs import documents  # noqa: PLC0415 - as above

    found = documents.read_document(file, text, first_line, dialect)
    if isinstance(found, InputError):
        raise PullguardError(found.message, file=file, line=found.line)
    return found
