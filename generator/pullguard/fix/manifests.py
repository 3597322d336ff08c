"""Findings, and the text of the file that they are in -> its new text.

Nothing is taken on trust: the new text is read again by the engine, and must hold the same values but for those
that were to be set.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from yaml import YAMLError

from pullguard.core.findings import Finding, ObjectRef, Path, reference, steps, value_at
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.files import File
from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Document, Manifest, read_documents
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.fix import json_nodes, yaml_nodes
from pullguard.fix.edits import Edit, Target, applied, outcomes
from pullguard.judging.target_namespaces import is_placeholder

_BOM = "\ufeff"

_CHANGED = "it is not what was checked, as if the file had been changed meanwhile: run the command again"
_ALIKE = "several objects of one name in one List are alike, and not all of them are to be changed: edit it by hand"
_CONFLICT = "two policies want different values: see which of them applies"
UNSURE = "the text around it is too unusual to be edited safely: edit it by hand"


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a file.

    Attributes:
        text: Its new text.
        edits: What has made it of the old one.
        fixed: The findings that are put right in it.
        refused: Those that are not, and why: a sentence that says what to do.
    """

    text: str
    edits: tuple[Edit, ...]
    fixed: tuple[Finding, ...]
    refused: tuple[tuple[Finding, str], ...]


def wanted(found: Finding) -> tuple[Path, str] | None:
    """Return the path in the object, and the value there, that put a finding right; None if its policy names none."""
    path, value = steps(dig(found.details, "fix", "path")), dig(found.details, "fix", "value")
    return (path, value) if path and isinstance(path[-1], str) and isinstance(value, str) else None


def edited(engine: Engine, file: str, text: str, findings: Sequence[Finding]) -> Edited:
    """Set in the text of a file what its findings want.

    Args:
        engine: What reads it.
        file: The file as it is shown to users; its name may say that it is JSON.
        text: Its text, with the byte order mark if it has one.
        findings: Findings in it that want something.
    """
    refused: dict[int, str] = {}  # by place in findings
    while True:
        plans = _plans(engine, file, text, findings, refused)
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
        refused=tuple((findings[place], reason) for place, reason in sorted(refused.items())),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done in one document.

    Attributes:
        document: The document in the file, from 0.
        value: The value that it is to have.
        edits: How, in the text of the file.
        fixed: The places of the findings that this puts right.
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
    plans = []
    for document in read_documents(engine, text, file):
        if isinstance(document, Document) and document.index in waiting:
            mine = {place: findings[place] for place in waiting.pop(document.index)}
            part, offset = text_of(document, text)
            plan = _plan(document, part, objects.get(document.index, []), mine, refused)
            moved = tuple(_moved(edit, offset, has_line_feeds) for edit in plan.edits)
            plans.append(_Plan(plan.document, plan.value, moved, plan.fixed))
    refused.update((place, _CHANGED) for places in waiting.values() for place in places)
    return plans


def text_of(document: Document, text: str) -> tuple[str, int]:
    """Return the text of a document as Kubernetes takes it, and where it begins in that of its file."""
    plain = text.removeprefix(_BOM)
    data = plain.encode()
    whole = data[document.begin : document.end].decode()
    own = whole.removeprefix(_BOM)
    offset = len(text) - len(plain) + len(data[: document.begin].decode()) + len(whole) - len(own)
    # Where carriage returns alone end lines, they are line feeds.
    return own if "\n" in text else own.replace("\r", "\n"), offset


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
    value = document.value
    found: list[Edit] = []
    fixed: list[int] = []
    for target, places in targets.items():
        outcome = planned[target]
        if isinstance(outcome, str):
            refused.update(dict.fromkeys(places, outcome))
        else:
            value = with_value(value, target.path, target.value)
            found += outcome
            fixed += places
    return _Plan(document.index, value, tuple(found), tuple(fixed))


def _targets(
    manifests: Sequence[Manifest], findings: Mapping[int, Finding], refused: dict[int, str], *, is_array: bool
) -> dict[Target, list[int]]:
    """Return what is to be set in a document, and for which findings; an array is a list without `items`."""
    objects: dict[ObjectRef, list[Manifest]] = {}
    for manifest in manifests:
        objects.setdefault(reference(manifest.object, ""), []).append(manifest)
    same: dict[tuple[Any, ...], list[int]] = {}
    for place, found in findings.items():
        same.setdefault((found.object, found.rule, json.dumps(found.details, sort_keys=True)), []).append(place)
    targets: dict[tuple[str | int, ...], Target] = {}
    places_of: dict[Target, list[int]] = {}
    for places in same.values():
        first = findings[places[0]]
        path, value = wanted(first) or ((), "")
        named = objects.get(replace(first.object, namespace=""), [])
        matching = [manifest for manifest in named if _is_of(manifest, first, path)]
        if len(matching) != len(places):
            refused.update(dict.fromkeys(places, _ALIKE if len(matching) > len(places) else _CHANGED))
            continue
        for place, manifest in zip(places, matching, strict=True):
            prefix = [step for item in manifest.item for step in ("items", item)][is_array:]
            target = Target((*prefix, *path), value, first.image)
            known = targets.setdefault(target.path, target)
            if known.value == value:
                places_of.setdefault(known, []).append(place)
            else:
                refused[place] = _CONFLICT
    return places_of


def _is_of(manifest: Manifest, found: Finding, path: Path) -> bool:
    """Tell whether an object of the right kind and name is one that a finding may be about."""
    obj = manifest.object
    stated = dig(obj, "metadata", "namespace")
    if stated not in (None, "", found.object.namespace) and not (isinstance(stated, str) and is_placeholder(stated)):
        return False
    place = steps(dig(found.details, "path"))
    container = value_at(obj, place) if place else None
    return container is not None and value_at(obj, path) == dig(found.details, "stated")


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
    """Return a JSON value with another one at a path; what it shares with others by aliases stays as it is."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [*value[:step], with_value(value[step], rest, new), *value[step + 1 :]]
    return {**(value or {}), step: with_value((value or {}).get(step), rest, new)}
