"""How much of an input is read: what is beyond it is an error, never a crash."""

from dataclasses import dataclass

from pullguard.evaluate.early import MAX_DEPTH, MAX_DOCUMENT

#: The deepest nesting that may be allowed: Python's json module, which writes the objects, goes little deeper.
DEEPEST = 900


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read.

    Attributes:
        document: The largest document, in bytes; characters where it is text already.
        depth: Levels of mappings and lists.
        aliased: Characters that the aliases of a document may stand for; an API server takes objects of at most 3 MB.
    """

    document: int = MAX_DOCUMENT
    depth: int = MAX_DEPTH
    aliased: int = 10_000_000


DEFAULT_LIMITS = Limits()
