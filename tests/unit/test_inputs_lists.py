"""Documents into objects: kinds, Lists, inferred types, places and lines."""

import json
from typing import Any

import pytest

from pullguard.core.inputs.files import File
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE


def manifests_in(text: str) -> list[Manifest]:
    return [found for found in Inputs(ENGINE, [File("f.yaml", text.encode())]) if isinstance(found, Manifest)]


def objects_in(value: object) -> list[tuple[tuple[int, ...], Any]]:
    return [(found.item, found.object) for found in manifests_in(json.dumps(value))]


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}


@pytest.mark.parametrize(
    "value",
    [
        POD,
        {"kind": "Pod"},
        {"apiVersion": "v1", "kind": "List"},
        {"kind": "PodList", "items": None},
        {"kind": "AllowList"},
    ],
)
def test_a_mapping_with_a_kind_is_an_object(value: object) -> None:
    assert objects_in(value) == [((), value)]


@pytest.mark.parametrize(
    "value", [{}, {"apiVersion": "v2", "name": "chart"}, {"kind": 1}, {"kind": ""}, {"kind": None}, {"kind": ["Pod"]}]
)
def test_a_mapping_without_a_kind_is_none(value: object) -> None:
    assert objects_in(value) == []


@pytest.mark.parametrize("text", ["- a\n", "hello\n", "42\n", "---\n---\n".removesuffix("---\n") + "null\n"])
def test_other_documents_are_no_objects(text: str) -> None:
    assert manifests_in(text) == []


def test_lists_are_unpacked_in_order_and_however_deep() -> None:
    inner = {"apiVersion": "v1", "kind": "List", "items": [POD, {"kind": "List", "items": [{"kind": "A"}]}]}
    value = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"kind": "B"}, inner, 1, None, "x", [POD], {}, {"kind": "C"}],
    }
    assert objects_in(value) == [
        ((0,), {"kind": "B"}),
        ((1, 0), POD),
        ((1, 1, 0), {"kind": "A"}),
        ((7,), {"kind": "C"}),
    ]


def test_an_array_is_a_list() -> None:
    value = [POD, 1, [POD], {"kind": "List", "items": [{"kind": "A"}]}]
    assert objects_in(value) == [((0,), POD), ((3, 0), {"kind": "A"})]
    (manifest,) = manifests_in("- a\n- kind: Pod\n  spec:\n    a: 1\n")
    assert (manifest.item, manifest.line(), manifest.line(("spec", "a"))) == ((1,), 2, 4)


def test_an_empty_list_holds_nothing() -> None:
    assert objects_in({"kind": "List", "items": []}) == []


def test_items_of_a_typed_list_have_the_type_that_it_implies() -> None:
    value = {
        "apiVersion": "apps/v1",
        "kind": "DeploymentList",
        "items": [
            {"metadata": {"name": "a"}},
            {"kind": "Deployment", "metadata": {"name": "b"}},
            {"apiVersion": "extensions/v1beta1", "metadata": {"name": "c"}},
            {"kind": "Pod"},
        ],
    }
    assert objects_in(value) == [
        ((0,), {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "a"}}),
        ((1,), {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "b"}}),
        ((2,), {"kind": "Deployment", "apiVersion": "extensions/v1beta1", "metadata": {"name": "c"}}),
        ((3,), {"kind": "Pod"}),
    ]


def test_a_typed_list_without_a_version_implies_the_kind_alone() -> None:
    assert objects_in({"kind": "PodList", "items": [{"spec": {}}]}) == [((0,), {"kind": "Pod", "spec": {}})]


def test_nested_lists_cannot_be_too_deep() -> None:
    value: dict[str, Any] = {"kind": "A"}
    for _ in range(240):
        value = {"kind": "List", "items": [value]}
    assert objects_in(value) == [((0,) * 240, {"kind": "A"})]


def test_manifests_know_their_document_and_their_lines() -> None:
    text = "---\n# c\n---\nkind: List\nitems:\n- kind: List\n  items:\n  - x\n  - kind: Pod\n    spec:\n      a: 1\n"
    (manifest,) = manifests_in(text)
    assert (manifest.file, manifest.document, manifest.item) == ("f.yaml", 1, (0, 1))
    assert manifest.object == {"kind": "Pod", "spec": {"a": 1}}
    assert manifest.line() == 9
    assert manifest.line(("spec", "a")) == 11
    assert manifest.line(["spec", "none", 0]) == 10
    assert manifest.line(("apiVersion",)) == 9
