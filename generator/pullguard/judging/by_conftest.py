"""Manifests judged by conftest, object by object, as the engine reads them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.problems import InputError
from pullguard.core.programs import private_folder
from pullguard.core.progress import Progress
from pullguard.core.resources import find_tool
from pullguard.engine.batches import Batch, judged
from pullguard.engine.conftest import conftest
from pullguard.engine.documents import Manifest
from pullguard.engine.files import known_namespaces
from pullguard.engine.groups import Group
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.judging.collector import FindingCollector
from pullguard.judging.inputs import InputSummary, JudgingInput
from pullguard.judging.target_namespaces import is_placeholder

# Each batch is one start of conftest, some hundredths of a second, and conftest needs some twenty times the size of a
# batch as memory: megabytes make the one small and keep the other bounded, however large the input is.
_BATCH_BYTES = 4_000_000
_BATCH_OBJECTS = 4_000


@dataclass(frozen=True, slots=True)
class _Item:
    """An object on its way to conftest.

    Attributes:
        file: The place of its file in the input.
        manifest: The object.
        text: The object as JSON, in the namespace that it goes to.
        namespace: That of objects of its file that state none; "" = not known.
        stated: What it states itself, any JSON value.
    """

    file: int
    manifest: Manifest
    text: str
    namespace: str
    stated: Any


def by_conftest(
    engine: Engine,
    given: JudgingInput,
    collector: FindingCollector,
    bar: Progress,
    groups: Sequence[Group],
) -> InputSummary:
    """Judge files by conftest.

    Raises:
        PullguardError: conftest is nowhere, or fails whatever the objects are.
    """
    program = find_tool("conftest")
    for _ in Inputs(engine, [file for _, file in given.files], kinds=["/Namespace"], is_judged=True):
        pass  # the engine remembers them
    known = known_namespaces(engine, given.labels)
    namespaces = {name: _namespace(name, own) for name, own in known.labels.items()}
    summary = InputSummary(ambiguous=known.ambiguous)
    with private_folder() as folder:
        judges = []
        for index, group in enumerate(groups):
            own = folder / f"group-{index}"
            own.mkdir()
            judges.append(conftest(program, group, folder=own))
        items = _items(engine, given, collector, summary)
        work = ((batch, _asked(batch, namespaces)) for batch in _batches(items))
        for batch, answers in judged(judges, work):
            bar.advance(len(batch))
            for item, answer in zip(batch, answers, strict=True):
                collector.take(item.file, item.manifest.item, item.manifest, answer)
    return summary


def _items(engine: Engine, given: JudgingInput, collector: FindingCollector, summary: InputSummary) -> Iterator[_Item]:
    """Yield the objects of files; note what is wrong with the files, and what they were."""
    for number, file in given.files:
        inputs = Inputs(engine, [file], is_judged=True)
        objects = 0
        placeholders: Counter[str] = Counter()
        for found in inputs:
            if isinstance(found, InputError):
                collector.fail(number, found)
                continue
            objects += 1
            stated = dig(found.object, "metadata", "namespace")
            if isinstance(stated, str) and stated and is_placeholder(stated):
                placeholders[stated] += 1
            target = given.targets.of(found.file)
            obj = target.with_namespace(found.object)
            text = json.dumps(obj, separators=(",", ":"))
            yield _Item(number, found, text, target.name, dig(obj, "metadata", "namespace"))
        for name in inputs.names:
            collector.unjudged.placeholders(name, placeholders)
            summary.add(name, inputs.documents, objects)


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    """Gather objects of one namespace until they are as much as a batch may hold; a larger one stands alone."""
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


def _asked(items: Sequence[_Item], known: Mapping[str, Mapping[str, Any]]) -> Batch:
    """Return what conftest is asked of objects, with their own Namespaces: the input may have very many others."""
    default = items[0].namespace
    names = {name for item in items for name in (item.stated, default) if isinstance(name, str)}
    return Batch([item.text for item in items], {name: known[name] for name in sorted(names & known.keys())}, default)


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
