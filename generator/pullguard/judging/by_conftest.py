"""Manifests judged by conftest, object by object, as the engine reads them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pullguard.core.findings import DecidingPlace, Path
from pullguard.core.gatekeeper import dig
from pullguard.core.programs import private_folder
from pullguard.core.resources import find_tool
from pullguard.engine.batches import Answer, Batch, judged
from pullguard.engine.builds import BuiltObject
from pullguard.engine.conftest import conftest
from pullguard.engine.documents import Manifest
from pullguard.engine.files import known_namespaces
from pullguard.engine.groups import Group
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.judging.builds import InputBuilds
from pullguard.judging.collector import SourceCollector
from pullguard.judging.inputs import JudgingInput
from pullguard.judging.target_namespaces import TargetNamespace

# conftest starts once for each batch, which takes some hundredths of a second, and needs some twenty times the size of
# a batch in memory. Batches of megabytes keep both small, however large the input is.
_BATCH_BYTES = 4_000_000
_BATCH_OBJECTS = 4_000


@dataclass(frozen=True, slots=True)
class _Item:
    """An object on its way to conftest.

    Attributes:
        position: The place of its file, or build, in the input.
        item: What tells it from others in the same document.
        source: Where it stands.
        kind: That of what it was built from; "" if it was not built.
        text: The object as JSON, in the namespace that it goes to.
        namespace: The namespace of objects that state none; "" = not known.
    """

    position: int
    item: tuple[int, ...]
    source: Manifest | BuiltObject
    kind: str
    text: str
    namespace: str


def by_conftest(
    engine: Engine,
    given: JudgingInput,
    collector: SourceCollector,
    groups: Sequence[Group],
    built: InputBuilds,
) -> None:
    """Judge by conftest what the engine has read, and what it has built, before.

    Raises:
        PullguardError: conftest is nowhere, or fails whatever the objects are.
    """
    program = find_tool("conftest")
    known = known_namespaces(engine, given.labels)
    namespaces = {name: _namespace(name, own) for name, own in known.labels.items()}
    with private_folder() as folder:
        judges = []
        for index, group in enumerate(groups):
            own = folder / f"group-{index}"
            own.mkdir()
            judges.append(conftest(program, group, folder=own))
        items = chain(_as_they_stand(engine, given), _as_built(engine, built))
        work = ((batch, _asked(batch, namespaces, batch[0].namespace, known.inventory)) for batch in _batches(items))
        for batch, answers in judged(judges, work):
            for item, answer in zip(batch, answers, strict=True):
                collector.judged(item.position, item.item, item.source, answer, item.kind)


def _as_they_stand(engine: Engine, given: JudgingInput) -> Iterator[_Item]:
    """Yield the objects of files; what is wrong with the files was said before."""
    for number, file in given.files:
        for found in Inputs(engine, [file]):
            if isinstance(found, Manifest):
                yield _Item(number, found.item, found, "", _text(found, given.target), given.target.name)


def _as_built(engine: Engine, built: InputBuilds) -> Iterator[_Item]:
    """Yield the objects that are built."""
    for made in built.made(engine):
        target = TargetNamespace(made.namespace)
        for found in Inputs(engine, [made.file]):
            if isinstance(found, Manifest):
                # Where the engine has found nothing, nothing says what decides.
                places: dict[Path, DecidingPlace] = {(): DecidingPlace(made.file.name, 1)}
                source = BuiltObject(made.file.name, found.document, found.item, found.object, places, Answer("", ()))
                item = (made.place, *found.item)
                yield _Item(made.position, item, source, made.kind, _text(found, target), target.name)


def _text(found: Manifest, target: TargetNamespace) -> str:
    return json.dumps(target.with_namespace(found.object), separators=(",", ":"))


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    """Gather objects with one namespace by default, as many as a batch may hold; a larger one stands alone."""
    batch: list[_Item] = []
    size = 0
    for item in items:
        is_full = size + len(item.text) > _BATCH_BYTES or len(batch) == _BATCH_OBJECTS
        if batch and (is_full or item.namespace != batch[0].namespace):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.text)
    if batch:
        yield batch


def _asked(
    items: Sequence[_Item], known: Mapping[str, Mapping[str, Any]], default: str, inventory: Mapping[str, Any]
) -> Batch:
    """Return what conftest is asked of objects, with their own Namespaces: the input may have very many others."""
    stated = (dig(item.source.object, "metadata", "namespace") for item in items)
    names = {name for name in (*stated, default) if isinstance(name, str)}
    namespaces = {name: known[name] for name in sorted(names & known.keys())}
    return Batch([item.text for item in items], namespaces, default, inventory)


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
