"""A YAML document -> its nodes."""

import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pullguard.core.editing.nodes import Entry, MappingNode, Node, Ref, ScalarNode, SequenceNode, Style

_MERGE_TAG = "tag:yaml.org,2002:merge"
_BLANKS = r"(?:\s+(?:#[^\r\n]*\s+)*)?"
# An anchor and a tag in either order, and what stands between them and the value.
_PROPERTIES = re.compile(rf"(?:(?:&[\w-]+|!(?:<[^>]*>|[^\s,\[\]{{}}]*)){_BLANKS}){{1,2}}")
_STYLES: dict[str, Style] = {"'": "single", '"': "double", "|": "block", ">": "block"}


def compose(text: str) -> Node | None:
    """Return the root of a document that the engine has read, or None if it is empty.

    Raises:
        yaml.YAMLError: libyaml, whose events have places to the character, cannot read it.
    """
    composer = _Composer(text)
    next_event = yaml.CBaseLoader(text).get_event
    while type(event := next_event()) not in {DocumentEndEvent, StreamEndEvent}:
        composer.take(event)
    return composer.root


class _Composer:
    """Builds nodes from libyaml's events, of which it only uses the positions; nothing in it recurses."""

    def __init__(self, text: str) -> None:
        self.root: Node | None = None
        self._text = text
        self._open: list[tuple[Node, int]] = []  # what has not ended, and where its anchor or tag begins
        self._keys: list[Ref | None] = []  # of each of them the key whose value comes next
        self._anchors: dict[str, Node] = {}

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event)
        if kind is ScalarEvent:
            style = _STYLES.get(event.style, "plain")
            start, end = self._content(event), event.end_mark.index
            node: Node = ScalarNode(min(start, end), end, event.value, style, event.tag)
            self._anchor(event, node)
            self._add(Ref(node, event.start_mark.index, end))
        elif kind is AliasEvent:
            ref = Ref(self._anchors[event.anchor], event.start_mark.index, event.end_mark.index, is_alias=True)
            self._add(ref)
        elif kind in {MappingStartEvent, SequenceStartEvent}:
            start = self._content(event)
            is_mapping = kind is MappingStartEvent
            node = MappingNode(start, start, bool(event.flow_style)) if is_mapping else SequenceNode(start, start)
            self._anchor(event, node)
            self._open.append((node, event.start_mark.index))
            self._keys.append(None)
        elif kind in {MappingEndEvent, SequenceEndEvent}:
            node, start = self._open.pop()
            self._keys.pop()
            node.end = event.end_mark.index
            self._add(Ref(node, start, node.end))

    def _content(self, event: Any) -> int:
        start = int(event.start_mark.index)
        if event.anchor is None and event.tag is None:
            return start
        properties = _PROPERTIES.match(self._text, start)
        return start if properties is None else properties.end()

    def _anchor(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _add(self, ref: Ref) -> None:
        if not self._open:
            self.root = ref.node
            return
        parent, _ = self._open[-1]
        if isinstance(parent, SequenceNode):
            parent.items.append(ref)
        elif isinstance(parent, MappingNode):
            written = self._keys[-1]
            self._keys[-1] = ref if written is None else None
            if written is not None:
                parent.add(Entry(_key(written), written, ref))


def _key(written: Ref) -> str | None:
    """Return the key that a scalar, or an alias of one, is; None if it is the merge key."""
    scalar = written.node
    if not isinstance(scalar, ScalarNode):  # the engine has refused it
        return ""
    is_plain = scalar.style == "plain" and scalar.tag is None
    is_merge = scalar.text == "<<" and not written.is_alias and (is_plain or scalar.tag == _MERGE_TAG)
    return None if is_merge else scalar.text
