"""Values to set in a document -> the smallest edits of its text.

A value is changed where it is written if every use of it, by aliases and merge keys, must change; otherwise only
in the mapping that must have another value. An edit that would change more than that is refused.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pullguard.core.editing.nodes import (
    Entry,
    MappingNode,
    Node,
    Ref,
    ScalarNode,
    SequenceNode,
    Style,
    appearances,
    find,
)

_STR_TAG = "tag:yaml.org,2002:str"
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_REST_OF_LINE = re.compile(r"[ \t]*(?:[ \t]#[^\r\n\x85\u2028\u2029]*)?(?=[\r\n\x85\u2028\u2029]|\Z)")
_COMMA = re.compile(r"[ \t]*,")
_COLON = re.compile(r"[ \t]*:[ \t]*")
_BLOCK_LINE = re.compile(r"[|>](?:-[1-9]?|[1-9]-)[ \t]*(?:[ \t]#[^\n]*)?\r?\n[ ]*(?P<content>[^\n]*[^\s])\s*")
_QUOTES: dict[Style, str] = {"plain": "", "single": "'", "double": '"'}

_BY_HAND = "edit it by hand"

_SHARED = (
    "an anchor shares it with places that are to stay as they are, or a merge key overrides it: write it out there"
)

#: A value that is to be added: a string, or mappings of strings.
_Tree = Any

#: The edits that set a value, or why it cannot be set and what to do.
Outcome = tuple["Edit", ...] | str


@dataclass(frozen=True, slots=True)
class Target:
    """A value to set in a document.

    Attributes:
        path: Its keys and indices; the last one is a key.
        value: The new string, which needs no quotes.
        after: The value of the entry after which it is added if it is missing: the image.
    """

    path: tuple[str | int, ...]
    value: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of a part of a text.

    Attributes:
        start: Where the part begins.
        end: Where it ends.
        text: What takes its place.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A target, and the mapping that gets its value, inside new mappings if need be."""

    target: Target
    owner: MappingNode
    new: int = 0

    @property
    def key(self) -> str:
        return str(self.target.path[-1 - self.new])

    @property
    def entry(self) -> Entry | None:
        return self.owner.values.get(self.key)

    @property
    def source(self) -> Node:
        """What to change: the value, or the mapping without one."""
        return self.owner if self.entry is None else self.entry.value.node


def applied(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits that do not overlap."""
    parts = []
    end = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[end : edit.start], edit.text]
        end = edit.end
    return "".join([*parts, text[end:]])


def outcomes(text: str, root: Node, targets: Sequence[Target], *, is_json: bool) -> dict[Target, Outcome]:
    """Return the edits that set values in a document. Targets that share a value share the edits.

    Args:
        text: The document.
        root: Its root.
        targets: What is to be set.
        is_json: Whether all strings must be in double quotes.
    """
    found: dict[Target, Outcome] = {}
    groups: dict[tuple[Node, str, str], list[_Place]] = {}
    for target in targets:
        place = _place(root, target)
        if isinstance(place, str):
            found[target] = place
        else:
            value = "" if place.new else target.value
            groups.setdefault((place.source, place.key, value), []).append(place)
    counts = appearances(root)
    writer = Writer(text, is_json=is_json)
    for (source, key, _), places in groups.items():
        if places[0].new:
            outcome = _set_below(writer, source, key, places) if counts[source] == 1 else _SHARED
            found.update((place.target, outcome) for place in places)
            continue
        is_whole = counts[source] == len(places)
        for group in [places] if is_whole else _by_owner(places):
            is_local = counts[group[0].owner] == len(group)
            outcome = _set(writer, group[0], is_whole=is_whole, is_local=is_local)
            found.update((place.target, outcome) for place in group)
    return found


def added(text: str, targets: Iterable[Target]) -> tuple[Edit, ...]:
    """Return what sets values in a document that holds nothing but comments: the paths have no indices."""
    line_break = _BREAK.search(text)
    end = line_break[0] if line_break else "\n"
    tree = _tree((target.path, target.value) for target in targets)
    lines = [line for key, value in tree.items() for line in _in_lines(key, value, "")]
    start = end if text and not _BREAK.fullmatch(text[-1]) else ""
    return (Edit(len(text), len(text), start + "".join(f"{line}{end}" for line in lines)),)


def _place(root: Node, target: Target) -> _Place | str:
    """Return the place of a target, or why it has none."""
    node: Node | None = root
    for length, step in enumerate(target.path):
        node = find(root, target.path[:length])
        if isinstance(node, MappingNode) and step in node.repeated:
            return f'the key "{step}" occurs twice in one mapping: remove one of them'
        if isinstance(node, MappingNode) and step not in node.values:
            rest = target.path[length:]
            if all(isinstance(key, str) for key in rest):
                return _Place(target, node, len(rest) - 1)
    if not isinstance(node, MappingNode):
        return f"its place in the text was not found: {_BY_HAND}"
    return _Place(target, node)


def _by_owner(places: Iterable[_Place]) -> list[list[_Place]]:
    owners: dict[Node, list[_Place]] = {}
    for place in places:
        owners.setdefault(place.owner, []).append(place)
    return list(owners.values())


def _set_below(writer: "Writer", owner: Node, key: str, places: Iterable[_Place]) -> Outcome:
    """Return what adds new mappings with the values of some places to a mapping, below one key."""
    tree = _tree((place.target.path[-1 - place.new :], place.target.value) for place in places)
    assert isinstance(owner, MappingNode)  # noqa: S101 - what is to be added is added to one
    return writer.inserted(owner, key, tree[key], None)


def _set(writer: "Writer", place: _Place, *, is_whole: bool, is_local: bool) -> Outcome:
    """Return what sets the value of one place, and of all that share it.

    Args:
        writer: What writes it.
        place: The place.
        is_whole: Whether every use of the source is to be set.
        is_local: Whether every use of the owner is to be set.
    """
    target, entry = place.target, place.entry
    if entry is not None:
        node = entry.value.node
        if not isinstance(node, ScalarNode):
            return f"{place.key} is a mapping or a list, not a string: {_BY_HAND}"
        if is_whole:
            return writer.replaced(node, target.value)
    own = place.owner.own.get(place.key)
    if is_local and own is None:
        return writer.inserted(place.owner, place.key, target.value, target.after)
    if is_local and own is entry and own is not None and own.value.is_alias:
        return (Edit(own.value.start, own.value.end, target.value),)
    return _SHARED


def _tree(values: Iterable[tuple[Sequence[str | int], str]]) -> _Tree:
    """Return values by their paths as mappings."""
    tree: _Tree = {}
    for path, value in values:
        at = tree
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value
    return tree


def _in_lines(key: str, value: _Tree, quote: str, colon: str = ": ") -> Iterator[str]:
    """Yield the lines of an entry in a block mapping."""
    if isinstance(value, str):
        yield f"{quote}{key}{quote}{colon}{quote}{value}{quote}"
        return
    yield f"{quote}{key}{quote}{colon.rstrip()}"
    for own, below in value.items():
        yield from (f"  {line}" for line in _in_lines(own, below, quote, colon))


def _in_braces(key: str, value: _Tree, quote: str, colon: str = ": ") -> str:
    """Return an entry as it is written in braces."""
    if isinstance(value, str):
        return f"{quote}{key}{quote}{colon}{quote}{value}{quote}"
    inner = ", ".join(_in_braces(own, below, quote, colon) for own, below in value.items())
    return f"{quote}{key}{quote}{colon}{{{inner}}}"


class Writer:
    """Writes values in the style of the text around them."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self._text = text
        self._is_json = is_json

    def replaced(self, scalar: ScalarNode, value: str) -> Outcome:
        """Return the edit that gives a scalar another value, in quotes as before."""
        if scalar.tag not in {None, "!", _STR_TAG}:
            return f"it has the tag {scalar.tag}: {_BY_HAND}"
        start, end = scalar.start, scalar.end
        quote = '"' if self._is_json else _QUOTES.get(scalar.style, "")
        if scalar.style == "block":
            line = _BLOCK_LINE.fullmatch(self._text, start, end)
            if line is None:
                return "it is a block of lines: write it on the line of its key"
            start, end = line.span("content")
        elif start == end:
            if self._text[start - 1 : start] != ":":
                return f"it has no value: {_BY_HAND}"
            quote = " "
        return (Edit(start, end, f"{quote}{value}{quote.strip()}"),)

    def inserted(self, owner: MappingNode, key: str, value: _Tree, after: str | None) -> Outcome:
        """Return the edits that add an entry to a mapping: behind the one with the value `after`, and merge keys."""
        if not owner.entries:
            quote = '"' if self._is_json else ""
            return (Edit(owner.start + 1, owner.start + 1, _in_braces(key, value, quote)),)
        previous = owner.entries[-1]
        for entry in owner.entries:
            node = entry.value.node
            if entry.key is None or (after is not None and isinstance(node, ScalarNode) and node.text == after):
                previous = entry
        first = self._text[previous.written.start]
        quote = first if first in "\"'" else ""
        between = self._text[previous.written.end : previous.value.start]
        colon = between if owner.is_flow and _COLON.fullmatch(between) else ": "
        if owner.is_flow:
            gap = " " if colon != ":" else ""
            start, end = previous.written.start, previous.value.end
            return self.in_flow(start, end, _in_braces(key, value, quote, colon), gap)
        return self.on_lines(previous.value, self.column(owner.start), _in_lines(key, value, quote, colon))

    def on_lines(self, previous: Ref, column: int, lines: Iterable[str]) -> Outcome:
        """Return the edit that adds lines below a value and its comment.

        Args:
            previous: The value.
            column: By how many spaces the lines are to be indented.
            lines: The lines.
        """
        start, end = previous.start, self._end(previous)
        rest = _REST_OF_LINE.match(self._text, start + len(self._text[start:end].rstrip()))
        if rest is None:
            return f"there is no line for it: {_BY_HAND}"
        line_break = self._break_at(rest.end())
        return (Edit(rest.end(), rest.end(), "".join(f"{line_break}{' ' * column}{line}" for line in lines)),)

    def _end(self, value: Ref) -> int:
        """Return where a value ends: for libyaml, a block mapping ends after the comments that follow it."""
        while not value.is_alias:
            node = value.node
            if isinstance(node, MappingNode) and not node.is_flow:
                value = node.entries[-1].value
            elif isinstance(node, SequenceNode) and node.items and self._text[node.start] != "[":
                value = node.items[-1]
            else:
                break
        return value.end

    def in_flow(self, start: int, end: int, entry: str, gap: str = " ") -> Outcome:
        """Return the edits that add an entry in braces: on a line of its own if that is how they are written.

        Args:
            start: Where the entry before it begins.
            end: Where that ends.
            entry: The new entry.
            gap: What stands behind commas.
        """
        leading = self._text[self._line_start(start) : start]
        comma = _COMMA.match(self._text, end)
        rest = _REST_OF_LINE.match(self._text, comma.end() if comma else end)
        if leading.strip() or rest is None:
            return (Edit(end, end, f",{gap}{entry}"),)
        line = f"{self._break_at(rest.end())}{leading}{entry}"
        if comma:
            return (Edit(rest.end(), rest.end(), f"{line},"),)
        return Edit(end, end, ","), Edit(rest.end(), rest.end(), line)

    def column(self, offset: int) -> int:
        """Return how many characters of its line stand before an offset."""
        return offset - self._line_start(offset)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _BREAK.finditer(self._text))]

    def _line_start(self, offset: int) -> int:
        return self._line_starts[bisect_right(self._line_starts, offset) - 1]

    def _break_at(self, offset: int) -> str:
        """Return the line break at the end of a line; that of another line if it is the last one."""
        found = _BREAK.match(self._text, offset) or _BREAK.search(self._text)
        return found[0] if found else "\n"
