"""What no constraint judges, as the engine says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.findings import DecidingPlace


@dataclass(frozen=True, slots=True)
class UnjudgedObject:
    """An object of a kind that no constraint selects, and that holds what a policy could judge.

    Attributes:
        object: Its apiVersion, kind and metadata.
        place: Where it stands.
        holds: What it holds, in words.
        remedy: What to do about it.
        position: Its document, from 0, and its places in Lists.
    """

    object: dict[str, Any]
    place: DecidingPlace
    holds: str
    remedy: str
    position: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Objects that are not judged for their namespaces, as Namespaces say that were read later.

    Attributes:
        namespaces: How many there are, by namespace.
        is_built: Whether they were built.
    """

    namespaces: Mapping[str, int]
    is_built: bool
