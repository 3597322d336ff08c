"""GitHub's and GitLab's Markdown, for comments and summaries. Nothing in a text becomes markup, a link or a mention."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pullguard.core.formats.text import printable

# With a backslash before its last character, none of these has a meaning.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>()&|~$^+#!-]|:(?=//)|^[0-9]+\.|www\.", re.IGNORECASE)
# These may notify somebody, or link to an issue: a zero-width space after them prevents that.
_REFERENCE = re.compile(r"([@#])(?=\w)")
_BACKTICKS = re.compile("`+")


def text(value: str) -> str:
    """Return Markdown that shows exactly this text, on one line."""
    escaped = _MARKUP.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", printable(" ".join(value.split())))
    return _REFERENCE.sub("\\1&#8203;", escaped)


def code(value: str) -> str:
    """Return a text as a code span, on one line; "" if it is empty.

    One with a pipe is not a code span: in a table's cell a pipe needs a backslash, and a code span would show it.
    """
    shown = printable(" ".join(value.split()))
    if not shown or "|" in shown:
        return text(shown)
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(shown)), default=0) + 1)
    space = " " if "`" in {shown[0], shown[-1]} else ""
    return f"{fence}{space}{shown}{space}{fence}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; its cells are Markdown, made by `text` and `code`."""
    yield _row(headers)
    yield _row(["---"] * len(headers))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
