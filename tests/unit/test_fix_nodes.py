"""Where values stand: the nodes of a document are its value, as the engine reads it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pullguard.core.editing import json_nodes, yaml_nodes
from pullguard.core.editing.nodes import MappingNode, Node, ScalarNode, SequenceNode, appearances, find
from pullguard.engine.documents import Document, read_documents
from pullguard.fix.manifests import FileText
from shared_engine import ENGINE


def root_of(text: str) -> Node:
    root = yaml_nodes.compose(text)
    assert root is not None
    return root


def assert_same(node: Node, value: Any) -> None:
    """Assert that a node is a value; level by level, as documents may be deep."""
    waiting = [(node, value)]
    while waiting:
        node, value = waiting.pop()
        if isinstance(node, MappingNode):
            assert isinstance(value, dict)
            # A key such as `n` is a boolean, and becomes the string "false": no path of a pod spec has one.
            assert {key for key in node.values if key not in value} <= {"n", "y"}
            assert len(node.values) == len(value)
            waiting += ((entry.value.node, value[key]) for key, entry in node.values.items() if key in value)
        elif isinstance(node, SequenceNode):
            assert isinstance(value, list)
            waiting += zip((item.node for item in node.items), value, strict=True)
        else:
            assert isinstance(node, ScalarNode)
            assert not isinstance(value, dict | list)
            if isinstance(value, str) and node.tag is None:
                assert node.text == value


def test_real_manifests(corpus: Path, hard: Path) -> None:
    formats: Counter[str] = Counter()
    for path in sorted((corpus / "real").rglob("*")) + sorted(hard.iterdir()):
        if path.is_dir() or path.name == "latin1.yaml":
            continue
        data = path.read_bytes()
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8")
        whole = FileText(text)
        for document in read_documents(ENGINE, text, path.name):
            if not isinstance(document, Document):
                continue
            part, offset = whole.of(document)
            assert text[offset:].replace("\r", "\n").startswith(part.replace("\r", "\n"))
            root = json_nodes.compose(part) if document.format == "json" else yaml_nodes.compose(part)
            formats[document.format] += 1
            if root is None:
                assert document.value is None
            else:
                assert_same(root, document.value)
    assert formats["json"] >= 3
    assert formats["yaml"] > len(list((corpus / "real").iterdir()))


def test_places() -> None:
    text = "a: &x !t # c\n  [1, 'two',\n   *y]\n".replace("*y", '"th\\x72ee"')
    node = find(root_of(text), ["a"])
    assert isinstance(node, SequenceNode)
    assert text[node.start : node.end] == "[1, 'two',\n   \"th\\x72ee\"]"
    assert [text[item.start : item.end] for item in node.items] == ["1", "'two'", '"th\\x72ee"']
    assert [item.node.style for item in node.items if isinstance(item.node, ScalarNode)] == [
        "plain",
        "single",
        "double",
    ]


@pytest.mark.parametrize("text", ["", "# c\n", "\n"])
def test_an_empty_document(text: str) -> None:
    assert yaml_nodes.compose(text) is None


def test_what_is_not_there() -> None:
    root = root_of("a: [b]\n")
    assert [find(root, path) for path in (["b"], ["a", 1], ["a", "b"], ["a", 0, 0])] == [None] * 4  # type: ignore[arg-type]


def test_appearances() -> None:
    root = root_of("a: &a {k: &k v}\nb: *a\nc: [*a, {<<: *a, l: *k}]\nd: {<<: [*a], k: w}\ne: {<<: {k: *k}}\n")
    counts = appearances(root)
    shared, scalar = find(root, ["a"]), find(root, ["a", "k"])
    assert shared is not None
    assert scalar is not None
    assert (counts[root], counts[shared], counts[scalar]) == (1, 3, 6)


def test_many_aliases_take_no_time() -> None:
    """Each list holds the one before twice: counting goes by nodes, not by appearances."""
    levels = [f"l{number}: &l{number} [*l{number - 1}, *l{number - 1}]" for number in range(1, 200)]
    root = root_of("\n".join(["l0: &l0 x", *levels]))
    scalar = find(root, ["l0"])
    assert scalar is not None
    assert appearances(root)[scalar] == 2**200 - 1
