"""The values of a document with the places where they are written: offsets in its text, from 0."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Style = Literal["plain", "single", "double", "block"]


@dataclass(slots=True, eq=False)
class Node:
    """A value; aliases share it.

    Attributes:
        start: Where it begins, after its anchor and its tag.
        end: Where it ends.
    """

    start: int
    end: int


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """A scalar.

    Attributes:
        text: What it says, without quotes.
        style: How it is written.
        tag: Its tag in full, or None.
    """

    text: str
    style: Style
    tag: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ref:
    """A place where a value is written, or an alias of it.

    Attributes:
        node: The value.
        start: Where it begins, with its anchor and its tag; the alias.
        end: Behind its end.
        is_alias: Whether an alias stands there.
    """

    node: Node
    start: int
    end: int
    is_alias: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An entry of a mapping.

    Attributes:
        key: The key; None for a merge key.
        written: The key as it is written.
        value: The value.
    """

    key: str | None
    written: Ref
    value: Ref


@dataclass(slots=True, eq=False)
class SequenceNode(Node):
    """A list."""

    items: list[Ref] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class MappingNode(Node):
    """A mapping.

    Attributes:
        is_flow: Whether it is written in braces.
        entries: Its own entries, as they are written.
        own: Its own entries by key; the last one of those that are equal.
        values: What counts: its own entries and those that it merges, by key.
        repeated: Keys that it has more than once.
    """

    is_flow: bool
    entries: list[Entry] = field(default_factory=list)
    own: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Entry] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Add an entry that is written after the others.

        A merge key replaces entries before it, as for Kubernetes; of several mappings the first counts most.
        """
        self.entries.append(entry)
        if entry.key is not None:
            if entry.key in self.own:
                self.repeated.add(entry.key)
            self.own[entry.key] = self.values[entry.key] = entry
            return
        merged = entry.value.node
        for source in reversed(_nodes(merged.items) if isinstance(merged, SequenceNode) else [merged]):
            if isinstance(source, MappingNode):
                self.values.update(source.values)


def appearances(root: Node) -> Counter[Node]:
    """Return how often each node stands in the value of a document: aliases and merge keys repeat it."""
    incoming = Counter({root: 0})
    waiting = [root]
    while waiting:
        for child in _children(waiting.pop()):
            if child not in incoming:
                waiting.append(child)
            incoming[child] += 1
    counts = Counter({root: 1})
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for child in _children(node):
            counts[child] += counts[node]
            incoming[child] -= 1
            if not incoming[child]:
                waiting.append(child)
    return counts


def find(root: Node, path: Sequence[str | int]) -> Node | None:
    """Return the node at a path of keys and indices, or None if there is none."""
    node = root
    for step in path:
        if isinstance(node, MappingNode) and step in node.values:
            node = node.values[str(step)].value.node
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step].node
        else:
            return None
    return node


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [entry.value.node for entry in node.values.values()]
    return _nodes(node.items) if isinstance(node, SequenceNode) else []


def _nodes(refs: Iterable[Ref]) -> list[Node]:
    return [ref.node for ref in refs]
