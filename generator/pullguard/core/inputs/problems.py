"""What can be wrong with an input: the value that users see, and what the readers of documents say."""

from dataclasses import dataclass
from typing import Any

from pullguard.core.inputs.limits import Limits


@dataclass(frozen=True, slots=True)
class InputError:
    """Something of the input that could not be read, or that Kubernetes would refuse.

    Attributes:
        file: The file as it is shown to users; "<stdin>" for standard input.
        line: 1-based line in that file, if one is known.
        document: 0-based document in that file, if it is one document that is wrong.
        message: What is wrong, and what can be done about it.
    """

    file: str
    line: int | None
    document: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a document that has a value all the same.

    Attributes:
        line: 1-based line in the file.
        message: What is wrong.
        remedy: What can be done about it.
    """

    line: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one document gave.

    Attributes:
        value: The document's value as JSON has it; None for an empty document. Aliases share their values, so
            nothing in it may be changed.
        problems: What Kubernetes would refuse although there is a value.
    """

    value: Any
    problems: tuple[Problem, ...] = ()


class BrokenDocumentError(Exception):
    """One document cannot be read; the others of its file can.

    Args:
        message: What is wrong.
        line: 1-based line in the file.
        remedy: What can be done about it.
    """

    def __init__(self, message: str, line: int, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.remedy = remedy


def too_deep(limits: Limits, line: int) -> BrokenDocumentError:
    """Return the error of a document that is nested deeper than allowed."""
    return BrokenDocumentError(
        f"nested deeper than {limits.depth} levels",
        line,
        "make it flatter (`pullguard check` allows more with --max-depth)",
    )


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that stands more than once in one mapping.

    Attributes:
        key: The key.
        line: Where it stands again.
        first: Where it stood before.
        at_top: The mapping is the whole document.
    """

    key: str
    line: int
    first: int
    at_top: bool


#: Duplicate keys of one document that are listed; the last of them says how many more there are.
MAX_DUPLICATES = 10

_KEYS_OF_OBJECTS = {"apiVersion", "kind"}


def duplicate_problems(duplicates: list[Duplicate]) -> tuple[Problem, ...]:
    """Return what is to be said about the duplicate keys of a document.

    A whole object that follows without a separator shows as duplicate keys too; that is one problem, with a
    remedy of its own.
    """
    repeated = {entry.key for entry in duplicates if entry.at_top}
    if repeated >= _KEYS_OF_OBJECTS:
        first = next(entry for entry in duplicates if entry.at_top)
        duplicates = [entry for entry in duplicates if not entry.at_top]
        problems = [Problem(first.line, _message(first), "put a line `---` between the two objects")]
    else:
        problems = []
    hidden = len(duplicates) - MAX_DUPLICATES
    for place, entry in enumerate(duplicates[:MAX_DUPLICATES], start=1):
        more = f" ({hidden} more of these follow)" if hidden > 0 and place == MAX_DUPLICATES else ""
        problems.append(Problem(entry.line, _message(entry) + more, "remove one of them"))
    return tuple(problems)


def _message(entry: Duplicate) -> str:
    return (
        f'the key "{entry.key}" stands twice in one mapping, first on line {entry.first}: '
        "the last value counts, and Kubernetes' strict decoding refuses the object"
    )
