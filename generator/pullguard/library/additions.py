"""What is to be added to lists of pullguard.yaml -> the edits of its text; every other byte stays as it is."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yaml import YAMLError

from pullguard.core.editing.edits import Edit, Outcome, Writer, applied
from pullguard.core.editing.nodes import MappingNode, Node, Ref, ScalarNode, SequenceNode, appearances
from pullguard.core.editing.yaml_nodes import compose
from pullguard.engine.documents import Document, read_documents
from pullguard.engine.protocol import Engine
from pullguard.library.render.yaml_text import dump

#: What is added to lists, by the keys that lead to each.
Additions = Mapping[tuple[str, ...], Sequence[Any]]

_BOM = "\ufeff"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_UNUSUAL = "its text is too unusual to be edited safely"

#: Values by keys, and lists of what is added below the last of these.
_Tree = Any


class RefusedError(Exception):
    """The text cannot be edited; the message says why."""


def with_additions(engine: Engine, text: str, file: str, additions: Additions) -> str:
    """Return a configuration with entries added to lists, which are made where they are not there.

    Args:
        engine: What reads it, before and after.
        text: Its text, of one document.
        file: Its name.
        additions: What is added.

    Raises:
        RefusedError: It cannot be done without changing anything else.
    """
    mark = _BOM if text.startswith(_BOM) else ""
    own = text.removeprefix(_BOM)
    try:
        root = compose(own)
    except YAMLError as error:
        raise RefusedError(_UNUSUAL) from error
    if root is None:
        raise RefusedError(_UNUSUAL)
    edits = list(_Additions(own, root).below(Ref(root, root.start, root.end), _tree(additions)))
    new = applied(own, edits)
    if _value(engine, new, file) != _merged(_value(engine, own, file), _tree(additions)):
        raise RefusedError(_UNUSUAL)
    return mark + new


def _value(engine: Engine, text: str, file: str) -> Any:
    documents = [read.value for read in read_documents(engine, text, file) if isinstance(read, Document)]
    return [value for value in documents if value is not None]


def _merged(documents: list[Any], tree: _Tree) -> list[Any]:
    return [_with(documents[0], tree), *documents[1:]] if documents else []


def _with(value: Any, tree: _Tree) -> Any:
    if isinstance(tree, list):
        return [*(value or []), *tree]
    own = value or {}
    return {**own, **{key: _with(own.get(key), below) for key, below in tree.items()}}


def _tree(additions: Additions) -> _Tree:
    tree: _Tree = {}
    for path, values in additions.items():
        at = tree
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = list(values)
    return tree


class _Additions:
    """Finds where in a text things are added."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._writer = Writer(text, is_json=text.lstrip().startswith("{"))
        self._counts = appearances(root)
        self._is_json = text.lstrip().startswith("{")

    def below(self, ref: Ref, tree: _Tree, key: Ref | None = None, *, in_braces: bool = False) -> Iterator[Edit]:
        """Yield the edits that add a tree to a value.

        Args:
            ref: The value.
            tree: What is added.
            key: The key of the value; None for the root.
            in_braces: Whether it is written in braces.

        Raises:
            RefusedError: There is no place for it.
        """
        node = ref.node
        if self._counts[node] > 1 or ref.is_alias:
            raise RefusedError("an anchor shares the list with other places, or what it stands in")
        if isinstance(node, MappingNode) and isinstance(tree, dict):
            yield from self._into_mapping(node, tree)
        elif isinstance(node, SequenceNode) and isinstance(tree, list):
            yield from self._into_list(node, tree)
        elif _is_null(node) and key is not None and in_braces:
            yield Edit(node.start, node.end, self._in_flow(tree))
        elif _is_null(node) and key is not None:
            yield from self._instead_of_nothing(node, key, tree)
        else:
            raise RefusedError(_UNUSUAL)

    def _into_mapping(self, node: MappingNode, tree: Mapping[str, _Tree]) -> Iterator[Edit]:
        missing = {}
        for key, value in tree.items():
            entry = node.values.get(key)
            if key in node.repeated or (entry is not None and entry is not node.own.get(key)):
                raise RefusedError(f'the key "{key}" is there twice, or comes from a merge key')
            if entry is None:
                missing[key] = value
            else:
                yield from self.below(entry.value, value, entry.written, in_braces=node.is_flow)
        if not missing:
            return
        if not node.entries:
            yield Edit(node.start + 1, node.start + 1, self._in_braces(missing))
        elif node.is_flow:
            last = node.entries[-1]
            yield from _done(self._writer.in_flow(last.written.start, last.value.end, self._in_braces(missing)))
        else:
            yield from self._on_lines(node, node.entries[-1].value, missing)

    def _into_list(self, node: SequenceNode, values: Sequence[Any]) -> Iterator[Edit]:
        entries = ", ".join(map(self._in_flow, values))
        if not node.items:
            yield Edit(node.start + 1, node.start + 1, entries)
        elif self._text[node.start] == "[":
            last = node.items[-1]
            yield from _done(self._writer.in_flow(last.start, last.end, entries))
        else:
            yield from self._on_lines(node, node.items[-1], list(values))

    def _on_lines(self, node: Node, last: Ref, value: Any) -> Iterator[Edit]:
        """Yield what adds lines to a mapping or a list, below its last value and the comments in that."""
        column = self._writer.column(node.start)
        inner = re.compile(rf"(?:(?:\r\n|\n|\r)[ ]{{{column + 1},}}#[^\r\n]*)*")
        for edit in _done(self._writer.on_lines(last, column, dump(value).splitlines())):
            comments = inner.match(self._text, edit.start)
            end = comments.end() if comments else edit.end
            yield Edit(end, end, edit.text)

    def _instead_of_nothing(self, node: Node, key: Ref, tree: _Tree) -> Iterator[Edit]:
        """Yield what puts a tree below a key, whose line stays, with the comment behind it."""
        colon = self._text.index(":", key.end) + 1
        if node.start < node.end:
            yield Edit(colon, node.end, "")
        behind = Ref(node, node.end, node.end, is_alias=True)
        column = self._writer.column(key.start) + 2
        yield from _done(self._writer.on_lines(behind, column, dump(tree).splitlines()))

    def _in_flow(self, value: Any) -> str:
        is_plain = isinstance(value, str) and not self._is_json
        return dump(value) if is_plain else json.dumps(value, ensure_ascii=False)

    def _in_braces(self, tree: Mapping[str, _Tree]) -> str:
        return ", ".join(f"{self._in_flow(key)}: {self._in_flow(value)}" for key, value in tree.items())


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style == "plain" and node.tag is None and node.text in _NULLS


def _done(outcome: Outcome) -> tuple[Edit, ...]:
    if isinstance(outcome, str):
        raise RefusedError(outcome)
    return outcome
