"""Large lists in parts: together they hold what the whole holds, on the same lines, and what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.inputs import kubectl_lists
from pullguard.core.inputs.files import File
from pullguard.core.inputs.kubectl_lists import parts
from pullguard.core.inputs.problems import InputError
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

_VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def _object(number: int, data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}"}, "data": data}


def _written(objects: list[dict[str, Any]], *, kind_first: bool = False) -> str:
    """Return a list as kubectl writes it."""
    head: dict[str, Any] = {"apiVersion": "v1", "kind": "List"} if kind_first else {"apiVersion": "v1"}
    return json.dumps({**head, "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}, indent=4) + "\n"


def _read(files: list[File]) -> list[object]:
    return [
        (found.line, found.message) if isinstance(found, InputError) else (found.line(), found.object)
        for found in Inputs(ENGINE, files, has_lines=False)
    ]


@given(data=st.lists(_VALUES, min_size=1, max_size=8), size=st.integers(1, 400), kind_first=st.booleans())
def test_parts_hold_what_the_whole_holds(
    tmp_path_factory: pytest.TempPathFactory, data: list[Any], size: int, kind_first: bool
) -> None:
    text = _written([_object(number, value) for number, value in enumerate(data)], kind_first=kind_first)
    file = tmp_path_factory.mktemp("lists") / "list.json"
    file.write_text(text, "utf-8")
    assert _read(list(parts(file, "list.json", size=size))) == _read([File("list.json", text.encode())])


def test_parts_are_small(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(_written([_object(number, "x" * 50) for number in range(100)]), "utf-8")
    found = list(parts(file, "list.json", size=1_000))
    assert len(found) > 10
    assert max(len(part.data) for part in found) < 2_500


def test_a_list_that_is_cut_short_is_wrong_in_its_last_part(tmp_path: Path) -> None:
    text = _written([_object(number, "x") for number in range(20)])
    file = tmp_path / "list.json"
    file.write_text(text[:-200], "utf-8")
    found = _read(list(parts(file, "list.json", size=500)))
    assert found[:10] == _read([File("list.json", text.encode())])[:10]
    assert isinstance(found[-1], tuple)
    assert isinstance(found[-1][1], str)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"items": []}',
        "apiVersion: v1\nkind: List\nitems: []\n",
        json.dumps({"items": [{}]}, indent=2),
        "[\n]\n",
    ],
)
def test_what_kubectl_has_not_written_has_no_parts(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(text, "utf-8")
    assert list(parts(file, "list.json")) == []


def test_objects_that_are_not_indented_as_kubectl_does_it_have_no_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubectl_lists, "LARGE", 1_000)
    objects = ",\n".join(json.dumps(_object(number, "x"), indent=4) for number in range(100))
    file = tmp_path / "list.json"
    file.write_text(f'{{\n    "apiVersion": "v1",\n    "items": [\n{objects}\n]}}\n', "utf-8")
    assert list(parts(file, "list.json", size=100)) == []
