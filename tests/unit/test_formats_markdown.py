"""Markdown, rendered by GitHub's own renderer: what it shows is the text, and nothing but text."""

import html
import re

import cmarkgfm  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullguard.core.formats import markdown
from pullguard.core.formats.text import printable

_TEXTS = st.text(st.one_of(st.sampled_from("\\`*_|<>[]()#@!-+~$&:/.w1 \n\t"), st.characters()), max_size=40)
_WORDS = st.lists(
    st.sampled_from(
        ["https://a.io", "www.a.io", "WWW.a.io", "a@b.io", "@org/team", "#12", "<b>", "**", "_a_", "~~x~~", "|", "\\",
         "\\|", "`", "``", "1.", "- ", "&amp;", "![x](y)", "<!--", "mailto:a@b.io", "xmpp:a@b.io", "ftp://a.io", "a"]
    ),
    max_size=6,
).map("".join)  # fmt: skip


def _shown(value: str) -> str:
    return printable(" ".join(value.split()))


def _cells(row: list[str]) -> list[str]:
    lines = markdown.table(["h"] * len(row), [row])
    page = cmarkgfm.github_flavored_markdown_to_html("\n".join(lines))
    return re.findall(r"<td>(.*?)</td>", page, re.DOTALL)


def _plain(cell: str) -> str:
    """Return what a cell shows, if there is no element in it."""
    assert "<" not in cell, cell
    return html.unescape(cell).replace("\u200b", "")


@given(st.one_of(_TEXTS, _WORDS))
@example("a\\|b")
@example("\\\\|")
@example("see https://evil.example/x and www.evil.example")
@example("user@evil.example")
def test_text_in_a_table(value: str) -> None:
    if "\u200b" not in value:
        first, second = _cells([markdown.text(value), "end"])
        assert (_plain(first), second) == (_shown(value), "end")


@given(st.one_of(_TEXTS, _WORDS))
@example("a`b")
@example("``")
@example("a|b")
@example("a\\")
def test_code_in_a_table(value: str) -> None:
    if "\u200b" not in value:
        first, second = _cells([markdown.code(value), "end"])
        if "|" not in value and _shown(value):
            assert first.startswith("<code>")
            assert first.endswith("</code>")
            first = first[len("<code>") : -len("</code>")]
        assert (_plain(first), second) == (_shown(value), "end")


@given(st.one_of(_TEXTS, _WORDS))
@example("12. x")
@example("# x")
@example("+ x")
@example("> x")
def test_text_in_a_list(value: str) -> None:
    if "\u200b" not in value and _shown(value):
        page = cmarkgfm.github_flavored_markdown_to_html(f"- {markdown.text(value)}\n")
        (item,) = re.findall(r"<li>(.*?)</li>", page, re.DOTALL)
        assert _plain(item) == _shown(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("ping @org/team", "ping @&#8203;org/team"),
        ("see #12", "see \\#&#8203;12"),
        ("a # b @ c", "a \\# b @ c"),
        ("two\nlines", "two lines"),
        ("\x1b[31m", "\\\\x1b\\[31m"),
    ],
)
def test_what_is_written(value: str, written: str) -> None:
    assert markdown.text(value) == written


def test_table() -> None:
    assert list(markdown.table(["a", "b"], [["1", "2"]])) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
