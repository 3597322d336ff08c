"""Which page follows one, whatever is in it, and what is not a page."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.cluster.kubectl import next_page
from pullguard.core.errors import PullguardError

_NAMED = {"metadata": {"name": "a", "annotations": {"x": '],"kind":"XList","metadata":{"continue":"no"}}'}}}
_METADATA = st.dictionaries(
    st.sampled_from(["resourceVersion", "remainingItemCount"]), st.text(max_size=3)
) | st.builds(lambda token: {"resourceVersion": "1", "continue": token}, st.text(max_size=9))
_ITEMS = st.lists(
    st.builds(
        lambda name, more: {"metadata": {"name": name, **more}},
        st.text(max_size=3),
        st.dictionaries(st.text(max_size=9), st.text(alphabet='"items:[{}],kdmtaL', max_size=40), max_size=2),
    ),
    max_size=3,
)


def _page(metadata: Any, items: Any, *, is_custom: bool) -> bytes:
    """Return a page as the API server writes it, of built-in and of other kinds."""
    value = {"kind": "XList", "apiVersion": "v1", "metadata": metadata, "items": items}
    ordered = dict(sorted(value.items())) if is_custom else value
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


@given(_METADATA, _ITEMS, st.booleans())
def test_the_next_page(metadata: dict[str, str], items: list[Any], is_custom: bool) -> None:
    assert next_page(_page(metadata, items, is_custom=is_custom), "/x") == metadata.get("continue", "")


@pytest.mark.parametrize("is_custom", [True, False])
def test_a_large_page(is_custom: bool) -> None:
    page = _page({"continue": "t"}, [_NAMED] * 5_000, is_custom=is_custom)
    assert next_page(page, "/x") == "t"


def test_a_page_that_is_written_otherwise() -> None:
    value = {"items": [_NAMED], "metadata": {"continue": "t"}, "kind": "XList", "apiVersion": "v1"}
    assert next_page(json.dumps(value, indent=2).encode(), "/x") == "t"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b'{"kind":"XList","apiVersion":"v1","metad', "is not JSON"),
        (b"null", "is not a list"),
        (b"[]", "is not a list"),
        (b'{"metadata":{}}', "is not a list"),
        (b'{"metadata":{"continue":"t"},"items":[]}', "is not a list"),
        (_page({"continue": 5}, [], is_custom=False), "is not a list"),
        (_page({"continue": 5}, [], is_custom=True), "is not a list"),
        (_page([], [], is_custom=True), "is not a list"),
    ],
)
def test_what_is_no_page(data: bytes, reason: str) -> None:
    with pytest.raises(PullguardError, match=f"the API server's answer to /x {reason}"):
        next_page(data, "/x")
