"""A JSON document -> its nodes."""

import json
import re
from collections.abc import Callable

from pullguard.core.editing.nodes import Entry, MappingNode, Node, Ref, ScalarNode, SequenceNode

# A string, a number or word, or what stands between them, of JSON that is known to be valid.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def compose(text: str) -> Node | None:
    """Return the root of a document that the engine has read."""
    opened: list[Node] = []
    keys: list[Ref | None] = []  # of each of them the key whose value comes next
    for match in _TOKEN.finditer(text):
        token, start, end = match[0], match.start(), match.end()
        if token in {",", ":"}:
            continue
        if token in _OPENING:
            opened.append(_OPENING[token](start, end))
            keys.append(None)
            continue
        if token in {"}", "]"}:
            node = opened.pop()
            keys.pop()
            node.end = end
        elif token.startswith('"'):
            node = ScalarNode(start, end, json.loads(token), "double")
        else:
            node = ScalarNode(start, end, token, "plain")
        ref = Ref(node, node.start, end)
        if not opened:
            return node
        parent = opened[-1]
        if isinstance(parent, SequenceNode):
            parent.items.append(ref)
        elif isinstance(parent, MappingNode):
            written = keys[-1]
            keys[-1] = ref if written is None else None
            if written is not None and isinstance(written.node, ScalarNode):
                parent.add(Entry(written.node.text, written, ref))
    return None


def _mapping(start: int, end: int) -> Node:
    return MappingNode(start, end, is_flow=True)


_OPENING: dict[str, Callable[[int, int], Node]] = {"{": _mapping, "[": SequenceNode}
