"""Findings in built objects -> where to edit the sources of the build, and the edits of their texts.

These are the places that decide a value: a value of a chart, or a line of a resource, a patch or a template.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import YAMLError

from pullguard.core.editing import json_nodes, yaml_nodes
from pullguard.core.editing.edits import Edit, Outcome, Target, added, applied, outcomes
from pullguard.core.editing.nodes import MappingNode, Node, Ref, ScalarNode, SequenceNode, find
from pullguard.core.findings import InputBuild, Location, Repair, Value
from pullguard.core.findings import Path as Steps
from pullguard.core.inputs.build_options import ChartOptions
from pullguard.engine.documents import Document, read_documents
from pullguard.engine.protocol import Engine
from pullguard.fix.manifests import UNSURE, FileText, differing, with_value
from pullguard.fix.pins import Pin
from pullguard.fix.subcharts import levels, not_edited

_PACKED = "it stands in a packed chart, which is not edited: state the value in a file of --values"
_NO_VALUES = "the chart has no values.yaml: state the value in a file of --values"
_INSTALLER = "{installer} decides it: change the value at {place}"
_TEST_VALUES = "the chart needs values, and those of its tests decide it: name those of the release with --values"
_NOT_A_VALUE = "no value that is a pull policy decides it: edit the template by hand"
_NOT_LITERAL = "the line of the template is not a plain entry: edit the template by hand"
_UNKNOWN = "what decides it is not known: edit it by hand"
_NO_LINE = "its place in the text was not found: edit it by hand"
_NOT_AN_IMAGE = "what stands there is neither the image nor its tag: pin it by hand"
_TAG_ALONE = "the tag stands there alone, and no digest can take its place: use --pin-as tag@digest"

# What is written of an image: in quotes or not, in a block or in braces.
_WORD = re.compile(r"""[^\s"'#,{}]*""")
_NEW_TAG = re.compile(r"""(?P<before>.*?)(?P<key>(?P<quote>["']?)newTag(?P=quote))[ \t]*:[ \t]+(?P<open>["']?)""")
_LINE_END = re.compile(r"\r?\n|\Z")
_DIGEST_KEY = re.compile(r"(?i)digest$|^sha256$|^sha$")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the values of a chart."""

    path: Steps


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it is written on a line, from a column on, both from 1."""

    line: int
    column: int
    stated: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a mapping that begins on a line, at a column, both from 1."""

    line: int
    column: int
    key: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is a plain entry, `stated` its value; or, if that is "", the line below that of an image."""

    line: int
    key: str
    stated: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image, or its tag alone, as it is written on a line, from a column on, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit that may fix findings.

    Attributes:
        file: The file, as it is shown to users.
        place: What is edited.
        value: The new value; or how an image is pinned, of which only a part may stand there.
    """

    file: str
    place: Key | Scalar | Entry | Line | Image
    value: str | Pin


def proposals(
    engine: Engine, repair: Repair, build: InputBuild, options: ChartOptions, pin: Pin | None = None
) -> Iterator[Proposal | str]:
    """Yield the edits that may fix a finding, the best first, and why there are no more.

    Args:
        engine: What reads files.
        repair: What is to be set.
        build: Where.
        options: What charts are rendered with.
        pin: How the image is pinned, if that is what is to be set.
    """
    if build.kind == "kustomization":
        yield from _of_kustomization(repair, pin)
    else:
        yield from _of_chart(engine, repair, build, options, pin)


def _of_kustomization(repair: Repair, pin: Pin | None) -> Iterator[Proposal | str]:
    key, value = str(repair.path[-1]), pin or repair.value
    written = repair.place.written if repair.place else None
    if written is not None and pin is not None:
        yield Proposal(written.file, Image(written.line, written.column), pin)
    elif written is not None and isinstance(repair.stated, str) and repair.stated:
        yield Proposal(written.file, Scalar(written.line, written.column, repair.stated), value)
    elif repair.owner is not None and (written := repair.owner.written) is not None:
        yield Proposal(written.file, Entry(written.line, written.column, key), value)
    elif repair.image is not None and pin is None:
        yield Proposal(repair.image.file, Line(repair.image.line, key, ""), value)
    else:
        yield _UNKNOWN


def _of_chart(
    engine: Engine, repair: Repair, build: InputBuild, options: ChartOptions, pin: Pin | None
) -> Iterator[Proposal | str]:
    own = os.fspath(Path(build.shown_path, "values.yaml"))
    files, settings = (options.values, options.settings) if build.installation is None else ((), ())
    editable = {os.path.realpath(file) for file in (*files, own)}
    set_keys = {setting.partition("=")[0] for text in settings for setting in text.split(",")}
    is_packed = not Path(build.path).is_dir()
    values = [value for value in (repair.place.values if repair.place else ()) if _decides(value, pin)]
    # The digest first: where there is a value for it, it belongs there.
    for value in sorted(values, key=lambda value: not _is_digest(value)):
        where = value.location
        new = repair.value if pin is None else pin.digest if _is_digest(value) else pin
        if where is not None and os.path.realpath(where.file) in editable:
            yield Proposal(where.file, Key(value.path), new)
        elif where is not None and build.installation is not None and os.path.realpath(where.file) not in build.files:
            yield _INSTALLER.format(installer=build.installation.installer, place=f"{where.file}:{where.line}")
        elif where is not None and os.path.realpath(where.file) == build.test_values:
            yield _TEST_VALUES
        elif value.key in set_keys:
            yield f"--set {value.key} decides it: change it there"
        elif is_packed:
            yield _PACKED
        elif Path(own).is_file():
            yield Proposal(own, Key(value.path), new)
        else:
            yield _of_subchart(engine, new, build, value)
    if not values:
        yield _of_template(engine, repair, build, pin, is_packed=is_packed)


def _decides(value: Value, pin: Pin | None) -> bool:
    """Tell whether a value may be what is to be edited: a pull policy, or an image's tag or digest."""
    return value.is_policy if pin is None else value.is_tag or not pin.tag


def _is_digest(value: Value) -> bool:
    return bool(value.path) and _DIGEST_KEY.search(str(value.path[-1])) is not None


def _of_subchart(engine: Engine, new: str | Pin, build: InputBuild, value: Value) -> Proposal | str:
    """Return the edit of the values of a subchart, whose chart has no file in which they could be overridden."""
    if value.location is None:
        return _NO_VALUES
    chart, file = Path(build.path), Path(value.location.file).absolute()
    level = levels(chart, file)
    if level == 0:
        return _NO_VALUES
    reason = not_edited(engine, chart, file, "a value of")
    if reason:
        return f"{reason}, or state it in a values.yaml of the chart"
    return Proposal(value.location.file, Key(value.path[level:]), new)


def _of_template(
    engine: Engine, repair: Repair, build: InputBuild, pin: Pin | None, *, is_packed: bool
) -> Proposal | str:
    stated = repair.stated if isinstance(repair.stated, str) else ""
    place = repair.place if stated else repair.image
    if place is None:
        return _UNKNOWN
    line = place.template or Location(place.file, place.line)
    if is_packed:
        return _PACKED
    if reason := not_edited(engine, Path(build.path), Path(line.file).absolute(), "a template of"):
        return reason
    if place.values and stated and pin is None:
        return _NOT_A_VALUE
    return Proposal(line.file, Line(line.line, str(repair.path[-1]), stated), repair.value)


def source_edits(engine: Engine, file: str, text: str, wanted: Sequence[Proposal]) -> dict[Proposal, Outcome]:
    """Return the edits that set values in the text of a file, or why they cannot be set.

    Args:
        engine: What reads it.
        file: The file as it is shown to users.
        text: Its text.
        wanted: What is to be set in it.
    """
    found: dict[Proposal, Outcome] = {}
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for own in wanted:
        if isinstance(own.place, Image) and isinstance(own.value, Pin):
            found[own] = _image(text, starts, own.place, own.value)
        elif isinstance(own.place, Scalar) and isinstance(own.value, str):
            start = starts[own.place.line - 1] + own.place.column - 1 if own.place.line <= len(starts) else len(text)
            end = start + len(own.place.stated)
            is_there = text[start:end] == own.place.stated
            found[own] = (Edit(start, end, own.value),) if is_there else UNSURE
        elif isinstance(own.place, Line) and isinstance(own.value, str):
            found[own] = _on_line(text, starts, own.place, own.value)
    return found | _in_documents(engine, file, text, starts, [own for own in wanted if own not in found])


def _image(text: str, starts: Sequence[int], place: Image, pin: Pin) -> Outcome:
    """Return what pins an image where it is written, or where kustomize's `images` have its tag."""
    if place.line > len(starts):
        return _NO_LINE
    line = starts[place.line - 1]
    start = line + place.column - 1
    word = _WORD.match(text, start)
    if word is None:
        return UNSURE
    tagged = _NEW_TAG.fullmatch(text, line, start) if word[0] == pin.tag else None
    if tagged is not None:
        return _new_tag(text, tagged, word, pin)
    new = pin.in_place_of(word[0])
    if new is None:
        return _TAG_ALONE if word[0] == pin.tag else _NOT_AN_IMAGE
    return (Edit(start, word.end(), new),)


def _new_tag(text: str, tagged: re.Match[str], tag: re.Match[str], pin: Pin) -> Outcome:
    """Return what adds the digest to an entry of kustomize's `images`, or puts it in the place of its tag."""
    key, quote = tagged["key"].replace("newTag", "digest"), tagged["open"]
    if pin.form == "digest":
        return Edit(tagged.start("key"), tagged.end("key"), key), Edit(tag.start(), tag.end(), pin.digest)
    entry, behind = f"{key}: {quote}{pin.digest}{quote}", tag.end() + len(quote)
    if "{" in tagged["before"]:
        return (Edit(behind, behind, f", {entry}"),)
    end = _LINE_END.search(text, behind)
    at = end.start() if end else len(text)
    line_break = "\r\n" if text[at : at + 1] == "\r" else "\n"
    indentation = re.sub(r"\S", " ", tagged["before"])
    return (Edit(at, at, f"{line_break}{indentation}{entry}"),)


def _on_line(text: str, starts: Sequence[int], place: Line, value: str) -> Outcome:
    """Return what sets a value on a line, or on a new one below it."""
    if place.line > len(starts):
        return _NO_LINE
    start = starts[place.line - 1]
    line = text[start : starts[place.line] - 1 if place.line < len(starts) else len(text)]
    if place.stated:
        pattern = (
            rf"""[ \t]*(?:- +)*(["']?){place.key}\1:[ \t]+(["']?)({re.escape(place.stated)})\2[ \t]*(?:[ \t]#.*)?\r?"""
        )
        match = re.fullmatch(pattern, line)
        return (Edit(start + match.start(3), start + match.end(3), value),) if match else _NOT_LITERAL
    match = re.fullmatch(r"""([ \t]*)((?:- +)*)(["']?)(?:image|reference)\3:[ \t]+[^\s|>&*#].*?(\r?)""", line)
    if match is None or line.count("{{") != line.count("}}") or match[0].rstrip().endswith("-}}"):
        return _NOT_LITERAL
    end = start + match.start(4)
    return (Edit(end, end, f"{match[4]}\n{match[1]}{' ' * len(match[2])}{place.key}: {value}"),)


def _in_documents(
    engine: Engine, file: str, text: str, starts: Sequence[int], wanted: Sequence[Proposal]
) -> dict[Proposal, Outcome]:
    """Return what sets values in mappings; the new text is held to the engine."""
    found: dict[Proposal, Outcome] = dict.fromkeys(wanted, _NO_LINE)
    values: dict[int, Any] = {}
    whole = FileText(text)
    waiting = _by_start(starts, wanted)
    for document in read_documents(engine, text, file) if wanted else ():
        if not isinstance(document, Document):
            continue
        part, offset = whole.of(document)
        root = _root(document, part)
        if root is None:
            continue
        keys = [own for own in wanted if isinstance(own.place, Key)] if document.index == 0 else []
        targets: dict[Target, Proposal] = {}
        for own in keys:
            new = _at_key(root, own)
            if new is None:
                found[own] = _TAG_ALONE
            else:
                targets[new] = own
        targets |= _entries(root, offset, waiting)
        value = document.value
        for target, outcome in outcomes(part, root, list(targets), is_json=document.format == "json").items():
            moved: Outcome = outcome
            if not isinstance(outcome, str):
                value = with_value(value, target.path, target.value)
                moved = tuple(Edit(edit.start + offset, edit.end + offset, edit.text) for edit in outcome)
            found[targets[target]] = moved
        values[document.index] = value
    if not values:
        found |= _in_nothing(text, wanted)
    edits = {edit for outcome in found.values() if not isinstance(outcome, str) for edit in outcome}
    if values and edits and differing(engine, file, text, applied(text, edits), values):
        return dict.fromkeys(wanted, UNSURE)
    return found


def _in_nothing(text: str, wanted: Sequence[Proposal]) -> dict[Proposal, Outcome]:
    """Return what states values in a file that holds nothing but comments."""
    keys = {new: own for own in wanted if (new := _at_key(None, own)) is not None}
    is_possible = all(isinstance(step, str) for target in keys for step in target.path)
    return dict.fromkeys(keys.values(), added(text, keys)) if is_possible else {}


def _at_key(root: Node | None, own: Proposal) -> Target | None:
    """Return what to set at a key; None if it is not about one, or if what is there cannot be pinned."""
    if not isinstance(own.place, Key):
        return None
    node = find(root, own.place.path) if root is not None else None
    new = _replaced(own.value, node.text if isinstance(node, ScalarNode) else "")
    return None if new is None else Target(own.place.path, new, None)


def _replaced(value: str | Pin, text: str) -> str | None:
    """Return the value that takes the place of a text; None if the text cannot be pinned."""
    return value if isinstance(value, str) else value.in_place_of(text)


def _root(document: Document, part: str) -> Node | None:
    try:
        return json_nodes.compose(part) if document.format == "json" else yaml_nodes.compose(part)
    except YAMLError:
        return None


def _by_start(starts: Sequence[int], wanted: Sequence[Proposal]) -> dict[int, list[tuple[str, Proposal]]]:
    """Return the entries that are wanted, with their keys, by where their mappings begin in the text."""
    found: dict[int, list[tuple[str, Proposal]]] = {}
    for own in wanted:
        if isinstance(own.place, Entry) and own.place.line <= len(starts):
            found.setdefault(starts[own.place.line - 1] + own.place.column - 1, []).append((own.place.key, own))
    return found


def _entries(root: Node, offset: int, wanted: Mapping[int, Sequence[tuple[str, Proposal]]]) -> dict[Target, Proposal]:
    """Return what is to be set in mappings of a document, by where they begin, with their anchors or behind them."""
    targets: dict[Target, Proposal] = {}
    waiting: list[tuple[Steps, Ref]] = [((), Ref(root, root.start, root.end))]
    seen: set[Node] = set()
    while waiting:
        path, ref = waiting.pop()
        node = ref.node
        if isinstance(node, MappingNode) and not ref.is_alias:
            images = (node.values[name].value.node for name in ("image", "reference") if name in node.values)
            image = next((image.text for image in images if isinstance(image, ScalarNode)), None)
            for start in {ref.start + offset, node.start + offset}:
                targets |= {
                    Target((*path, key), new, image): own
                    for key, own in wanted.get(start, ())
                    if (new := _replaced(own.value, image or "")) is not None
                }
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, MappingNode):
            waiting += (((*path, key), entry.value) for key, entry in node.values.items())
        elif isinstance(node, SequenceNode):
            waiting += (((*path, place), item) for place, item in enumerate(node.items))
    return targets
