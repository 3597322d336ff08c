"""Random manifests in random styles, each with its fixed text. The same code writes both texts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hypothesis import strategies as st

from fixable import DIGEST, LATEST

_FIXED = "IfNotPresent"
#: A manifest as it is, with pull policies fixed, and with images pinned as well.
_State = Literal["before", "fixed", "pinned"]
_INDENTS = st.sampled_from((2, 3, 4))
_COMMENTS = st.sampled_from(("", "", "", " # c", "   # imagePullPolicy: Always", "\t#"))
_QUOTES = st.sampled_from(("", "", "'", '"'))
_NAMES = st.sampled_from(("a", "é", "😀", "# no comment", "{", "a: b", "'", "\u2028", "Always"))


@dataclass(frozen=True, slots=True)
class Styled:
    """A manifest file.

    Attributes:
        before: Its text.
        after: Its text with everything fixed that can be fixed.
        fixable: The number of pull policies that can be fixed.
        left: The number of containers that stay Always, because their image is not pinned.
        pinned: Its text with images pinned as well, to DIGEST.
        unpinned: The number of images that are not pinned.
        is_json: Whether the file is JSON only.
    """

    before: str
    after: str
    fixable: int
    left: int
    pinned: str
    unpinned: int
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class _Container:
    """A container; `stated` is None if it does not state a pull policy."""

    name: str
    image: str
    stated: str | None

    @property
    def is_always(self) -> bool:
        implied = self.image.split("@")[0].split(":")[1:] in ([], ["latest"])
        return self.stated == "Always" or (not self.stated and implied and self.image != f"x@{DIGEST}")

    @property
    def is_fixed(self) -> bool:
        return self.is_always and self.is_pinned

    @property
    def is_pinned(self) -> bool:
        return not self.image.startswith("unpinned")

    def in_state(self, state: _State) -> tuple[str, str | None]:
        """Return the image and the pull policy that it states then."""
        if state == "pinned" and not self.is_pinned:
            is_right = self.stated in {_FIXED, "Never"}
            return f"{self.image}@{DIGEST}", self.stated if is_right else _FIXED
        return self.image, _FIXED if state != "before" and self.is_fixed else self.stated


_CONTAINERS = st.builds(
    _Container,
    name=_NAMES,
    image=st.sampled_from(("x:1", f"x@{DIGEST}", LATEST, LATEST, "unpinned", "unpinned:latest")),
    stated=st.sampled_from((None, None, "", "Always", "Always", "Never", _FIXED)),
)


@st.composite
def styled_files(draw: st.DrawFn) -> Styled:
    """Draw a manifest file: YAML documents in block or flow style, or a sequence of JSON objects."""
    if draw(st.integers(0, 3)) == 0:
        documents = draw(st.lists(_json_documents(), min_size=1, max_size=3))
        return _joined(documents, draw(st.sampled_from(("", "\n", " ", "\n\n"))), is_json=True)
    documents = draw(st.lists(_yaml_documents(), min_size=1, max_size=3))
    file = _joined(documents, draw(st.sampled_from(("---\n", "--- # next\n", "---\n# c\n---\n"))), is_json=False)
    if draw(st.booleans()):
        texts = (text.rstrip("\n") for text in (file.before, file.after, file.pinned))
        file = _with_texts(file, *texts)
    line_end = draw(st.sampled_from(("\n", "\n", "\r\n", "\r")))
    mark = draw(st.sampled_from(("", "", "\ufeff")))
    return _with_texts(file, *(mark + text.replace("\n", line_end) for text in (file.before, file.after, file.pinned)))


def _with_texts(file: Styled, before: str, after: str, pinned: str) -> Styled:
    return replace(file, before=before, after=after, pinned=pinned)


def _joined(documents: list[Styled], separator: str, *, is_json: bool) -> Styled:
    return Styled(
        separator.join(document.before for document in documents),
        separator.join(document.after for document in documents),
        sum(document.fixable for document in documents),
        sum(document.left for document in documents),
        separator.join(document.pinned for document in documents),
        sum(document.unpinned for document in documents),
        is_json,
    )


def _styled(write: Callable[[_State], str], containers: list[_Container]) -> Styled:
    fixed = sum(container.is_fixed for container in containers)
    left = sum(container.is_always for container in containers) - fixed
    unpinned = sum(not container.is_pinned for container in containers)
    return Styled(write("before"), write("fixed"), fixed, left, write("pinned"), unpinned)


@st.composite
def _json_documents(draw: st.DrawFn) -> Styled:
    containers = draw(st.lists(_CONTAINERS, max_size=3))
    order = draw(st.permutations(("name", "image", "imagePullPolicy", "env")))
    indent = draw(st.sampled_from((None, 0, 1, 4, "\t")))
    separators = draw(st.sampled_from((None, (",", ":")))) if indent is None else None
    is_ascii = draw(st.booleans())

    def text(state: _State) -> str:
        pod = {
            "kind": "Pod",
            "apiVersion": "v1",
            "spec": {"containers": [_entries(container, order, state) for container in containers]},
        }
        return json.dumps(pod, indent=indent, separators=separators, ensure_ascii=is_ascii)

    return _styled(text, containers)


def _entries(container: _Container, order: Sequence[str], state: _State) -> dict[str, Any]:
    """Return a container with its entries in the given order. A policy that it lacks follows the image."""
    image, policy = container.in_state(state)
    stated: dict[str, Any] = {"name": container.name, "image": image, "env": []}
    if container.stated is not None:
        stated["imagePullPolicy"] = policy
    result: dict[str, Any] = {}
    for key in order:
        if key in stated:
            result[key] = stated[key]
        if key == "image" and container.stated is None and policy is not None:
            result["imagePullPolicy"] = policy
    return result


@st.composite
def _yaml_documents(draw: st.DrawFn) -> Styled:
    containers = draw(st.lists(_CONTAINERS, max_size=3))
    step, dash = draw(_INDENTS), draw(st.sampled_from(("- ", "-   ", "-\n")))
    margin = " " * draw(st.sampled_from((step, 2 * step)))
    lines_of = [draw(_blocks(dash, margin) if draw(st.booleans()) else _braces(margin)) for _ in containers]
    head = draw(st.sampled_from(("", "# Always\n", "\n")))
    comment = draw(_COMMENTS)

    def text(state: _State) -> str:
        items = "".join(write(container, state) for write, container in zip(lines_of, containers, strict=True))
        body = f"{' ' * step}containers:{comment}\n{items}" if items else f"{' ' * step}containers: []\n"
        return f"{head}kind: Pod\napiVersion: v1\nmetadata: {{name: p}}\nspec:\n{body}"

    return _styled(text, containers)


@st.composite
def _blocks(draw: st.DrawFn, dash: str, margin: str) -> Any:
    """Draw a function that writes a container, fixed or not, in block style."""
    order = draw(st.permutations(("name", "image", "imagePullPolicy", "env")))
    comments = {key: draw(_COMMENTS) for key in order}
    key_quotes = {key: draw(_QUOTES) for key in order}
    quotes = {key: draw(_QUOTES) for key in order}
    colon = draw(st.sampled_from((": ", ":   ", " : ", ":\t")))
    blank = draw(st.sampled_from(("", "", "\n", "    # Always\n")))

    def write(container: _Container, state: _State) -> str:
        before, after = _entries(container, order, "before"), _entries(container, order, state)
        lines = []
        for key, value in after.items():
            if key not in before:
                quote = key_quotes["image"]
                lines.append(f"{quote}{key}{quote}: {quote}{value}{quote}\n")
                continue
            shown = "[]" if key == "env" else _quoted(value, quotes[key], was=before[key])
            quote = key_quotes[key]
            lines.append(f"{quote}{key}{quote}{colon}{shown}{comments[key]}\n")
        own = margin + " " * len(dash)
        first = f"{margin}{dash}{own}" if dash.endswith("\n") else f"{margin}{dash}"
        return first + own.join(lines) + blank

    return write


@st.composite
def _braces(draw: st.DrawFn, margin: str) -> Any:
    """Draw a function that writes a container, fixed or not, in flow style."""
    order = draw(st.permutations(("name", "image", "imagePullPolicy", "env")))
    quotes = {key: draw(_QUOTES) for key in order}
    on_lines = draw(st.booleans())
    comment = draw(st.sampled_from(("", " # c"))) if on_lines else ""
    is_padded = draw(st.booleans())

    def write(container: _Container, state: _State) -> str:
        before, after = _entries(container, order, "before"), _entries(container, order, state)
        parts = []
        for key, value in after.items():
            quote = quotes[key] if key in before else ""
            shown = "[]" if key == "env" else _quoted(value, quote, was=before.get(key, value))
            parts.append(f"{key}: {shown}")
        own = f"{margin}    "
        if on_lines:
            # A comment stays with its line; a new line has none.
            ends = ["," if number < len(parts) else "" for number in range(1, len(parts) + 1)]
            notes = [comment if key in before else "" for key in after]
            inner = "".join(f"{own}{part}{end}{note}\n" for part, end, note in zip(parts, ends, notes, strict=True))
            return f"{margin}- {{\n{inner}{margin}  }}\n"
        pad = " " if is_padded else ""
        return f"{margin}- {{{pad}{', '.join(parts)}{pad}}}\n"

    return write


def _quoted(value: str, quote: str, *, was: str) -> str:
    """Return a scalar in the given quotes, or in double quotes if it needs some."""
    if quote == "'":
        return "'" + value.replace("'", "''") + "'"
    if quote == '"' or not (was.isalnum() or was.startswith(("x", "unpinned"))):
        return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")
    return value
