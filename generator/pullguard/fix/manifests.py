"""Findings, and the text of the file that they are in -> its new text.

Nothing is taken on trust: the engine reads the new text again, and it must hold the same values except for those
that were set.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from yaml import YAMLError

from pullguard.core.editing import json_nodes, yaml_nodes
from pullguard.core.editing.edits import Edit, Target, applied, outcomes
from pullguard.core.findings import Finding, Path, reference, steps, value_at
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.files import File
from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Document, Manifest, read_documents
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine

_BOM = "\ufeff"

_CHANGED = "it is not what was checked, as if the file had been changed meanwhile: run the command again"
_CONFLICT = "two policies want different values: see which of them applies"
UNSURE = "the text around it is too unusual to be edited safely: edit it by hand"


@dataclass(frozen=True, slots=True)
class Edited:
    """The outcome for a file.

    Attributes:
        text: Its new text.
        edits: What turns the old text into it.
        fixed: The findings that are fixed in it.
        refused: Those that are not, and why: a sentence that says what to do.
    """

    text: str
    edits: tuple[Edit, ...]
    fixed: tuple[Finding, ...]
    refused: tuple[tuple[Finding, str], ...]


def wanted(found: Finding) -> tuple[Path, str] | None:
    """Return the path in the object, and the value there, that fix a finding; None if its policy names none."""
    path, value = steps(dig(found.details, "fix", "path")), dig(found.details, "fix", "value")
    return (path, value) if path and isinstance(path[-1], str) and isinstance(value, str) else None


def edited(
    engine: Engine,
    file: str,
    text: str,
    findings: Sequence[Finding],
    first: Mapping[int, frozenset[int]] | None = None,
) -> Edited:
    """Set in the text of a file what its findings want.

    Args:
        engine: What reads it.
        file: The file as it is shown to users; its name may say that it is JSON.
        text: Its text, with the byte order mark if it has one.
        findings: Findings in it that want something.
        first: By the position of a finding, those of others without which it is not fixed, nor refused.
    """
    refused: dict[int, str] = {}  # by place in findings
    unmet: set[int] = set()
    while True:
        plans = _plans(engine, file, text, findings, refused)
        late = {place for place, before in (first or {}).items() if not before.isdisjoint(refused)} - refused.keys()
        if late:
            unmet |= late
            refused.update(dict.fromkeys(late, ""))
            continue
        edits = tuple(dict.fromkeys(edit for plan in plans for edit in plan.edits))
        new = applied(text, edits)
        wrong = differing(engine, file, text, new, {plan.document: plan.value for plan in plans})
        if not wrong:
            break
        doubtful = [plan for plan in plans if plan.fixed and plan.document in wrong] or plans
        refused.update((place, UNSURE) for plan in doubtful for place in plan.fixed)
    return Edited(
        text=new,
        edits=edits,
        fixed=tuple(findings[place] for place in sorted(place for plan in plans for place in plan.fixed)),
        refused=tuple((findings[place], reason) for place, reason in sorted(refused.items()) if place not in unmet),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done in one document.

    Attributes:
        document: The document in the file, from 0.
        value: The value that it is to have.
        edits: How, in the text of the file.
        fixed: The positions of the findings that this fixes.
    """

    document: int
    value: Any
    edits: tuple[Edit, ...]
    fixed: tuple[int, ...]


def _plans(engine: Engine, file: str, text: str, findings: Sequence[Finding], refused: dict[int, str]) -> list[_Plan]:
    """Return the plans for the documents of a file; note what else is refused."""
    waiting: dict[int, list[int]] = {}
    for place, found in enumerate(findings):
        if place not in refused:
            waiting.setdefault(found.document, []).append(place)
    objects: dict[int, list[Manifest]] = {}
    for manifest in Inputs(engine, [File(file, text.encode())]):
        if isinstance(manifest, Manifest):
            objects.setdefault(manifest.document, []).append(manifest)
    has_line_feeds = "\n" in text
    whole = FileText(text)
    plans = []
    for document in read_documents(engine, text, file):
        if isinstance(document, Document) and document.index in waiting:
            mine = {place: findings[place] for place in waiting.pop(document.index)}
            part, offset = whole.of(document)
            plan = _plan(document, part, objects.get(document.index, []), mine, refused)
            moved = tuple(_moved(edit, offset, has_line_feeds) for edit in plan.edits)
            plans.append(_Plan(plan.document, plan.value, moved, plan.fixed))
    refused.update((place, _CHANGED) for places in waiting.values() for place in places)
    return plans


class FileText:
    """The text of a file, to be asked for its documents in their order: nothing is encoded or counted twice."""

    def __init__(self, text: str) -> None:
        plain = text.removeprefix(_BOM)
        self._data = plain.encode()
        self._has_line_feeds = "\n" in text
        self._bytes = 0
        self._characters = len(text) - len(plain)

    def of(self, document: Document) -> tuple[str, int]:
        """Return the text of a document as Kubernetes takes it, and where it begins in that of the file."""
        self._characters += len(self._data[self._bytes : document.begin].decode())
        self._bytes = document.begin
        whole = self._data[document.begin : document.end].decode()
        own = whole.removeprefix(_BOM)
        # Where carriage returns alone end lines, they are line feeds.
        text = own if self._has_line_feeds else own.replace("\r", "\n")
        return text, self._characters + len(whole) - len(own)


def _moved(edit: Edit, offset: int, has_line_feeds: bool) -> Edit:
    text = edit.text if has_line_feeds else edit.text.replace("\n", "\r")
    return Edit(edit.start + offset, edit.end + offset, text)


def _plan(
    document: Document,
    text: str,
    objects: Sequence[Manifest],
    findings: Mapping[int, Finding],
    refused: dict[int, str],
) -> _Plan:
    targets = _targets(objects, findings, refused, is_array=isinstance(document.value, list))
    is_json = document.format == "json"
    try:
        root = json_nodes.compose(text) if is_json else yaml_nodes.compose(text)
    except YAMLError:
        refused.update((place, UNSURE) for places in targets.values() for place in places)
        root = None
    if root is None:
        return _Plan(document.index, document.value, (), ())
    planned = outcomes(text, root, list(targets), is_json=is_json)
    found: list[Edit] = []
    fixed: list[int] = []
    for target, places in targets.items():
        outcome = planned[target]
        if isinstance(outcome, str):
            refused.update(dict.fromkeys(places, outcome))
        else:
            with_value(document.value, target.path, target.value)
            found += outcome
            fixed += places
    return _Plan(document.index, document.value, tuple(found), tuple(fixed))


def _targets(
    manifests: Sequence[Manifest], findings: Mapping[int, Finding], refused: dict[int, str], *, is_array: bool
) -> dict[Target, list[int]]:
    """Return what to set in a document, and for which findings; an array is a list without `items`."""
    objects = {manifest.item: manifest for manifest in manifests}
    targets: dict[tuple[str | int, ...], Target] = {}
    places_of: dict[Target, list[int]] = {}
    for place, found in findings.items():
        path, value = wanted(found) or ((), "")
        manifest = objects.get(found.item)
        if manifest is None or not _is_of(manifest, found, path):
            refused[place] = _CHANGED
            continue
        prefix = [step for item in manifest.item for step in ("items", item)][is_array:]
        target = Target((*prefix, *path), value, found.image)
        known = targets.setdefault(target.path, target)
        if known.value == value:
            places_of.setdefault(known, []).append(place)
        else:
            refused[place] = _CONFLICT
    return places_of


def _is_of(manifest: Manifest, found: Finding, path: Path) -> bool:
    """Tell whether an object is still the one of a finding, as far as that matters."""
    obj = manifest.object
    place = steps(dig(found.details, "path"))
    return (
        reference(obj, found.object.namespace) == found.object
        and bool(place)
        and value_at(obj, place or ()) is not None
        and value_at(obj, path) == dig(found.details, "stated")
    )


def differing(engine: Engine, file: str, old: str, new: str, values: Mapping[int, Any]) -> set[int]:
    """Return the documents of a file that are not what they should be; -1 stands for one that is gone or new.

    Args:
        engine: What reads it.
        file: The file.
        old: Its old text.
        new: Its new text.
        values: The values that documents of the new text should have, if not those of the old one.
    """
    wrong = set()
    for before, after in zip_longest(read_documents(engine, old, file), read_documents(engine, new, file)):
        match before, after:
            case Document(index=index), Document(index=same) if index == same:
                if not _equal(values.get(index, before.value), after.value):
                    wrong.add(index)
            case InputError(document=place), InputError(document=same) if place == same:
                pass
            case _:
                wrong.add(-1)
    return wrong


def _equal(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same: for Python, true is 1 and 1 is 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def with_value(value: Any, path: Sequence[str | int], new: str) -> Any:
    """Put another value at a path in a JSON value, with mappings on the way to it; return the JSON value."""
    root = {} if value is None else value
    at = root
    for step in path[:-1]:
        if isinstance(step, str) and at.get(step) is None:
            at[step] = {}
        at = at[step]
    at[path[-1]] = new
    return root
