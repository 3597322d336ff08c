"""What manifests of all kinds share: how they begin, are named, and are written."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

import yaml

from pullguard.core.formats.text import printable
from pullguard.prefetch.formats import words
from pullguard.prefetch.model import NAME, Batch, PrefetchReport

JSON = Mapping[str, Any]

#: The label by which all that is written is found, and removed.
LABELS = {"app.kubernetes.io/name": NAME}


def write(report: PrefetchReport, title: str, left: Iterable[str], objects: Iterable[JSON], stream: TextIO) -> None:
    """Write manifests, below comments with what they do and what they do not.

    Args:
        report: The report.
        title: What they do.
        left: What they leave to be done, besides what no pull solves.
        objects: The manifests.
        stream: Where to.
    """
    stream.writelines(f"{line}\n" for line in comments(report, title, left))
    stream.writelines(f"---\n{yaml.dump(obj, Dumper=_Dumper, sort_keys=False, width=1000)}" for obj in objects)


def comments(report: PrefetchReport, title: str, left: Iterable[str]) -> Iterator[str]:
    """Yield lines of comments: what is written, and what is left to be done."""
    lines = [f"{words.premise(report)}: {words.summary(report)}.", title]
    lines += [f"Left: {each}" for each in dict.fromkeys(left)]
    lines += [f"A pull is not enough for {words.unsolved(each)}" for each in report.unsolved]
    lines += [f"Note: {note}" for note in report.notes]
    for line in lines:
        yield f"# {printable(line).encode('ascii', 'backslashreplace').decode('ascii')}"


def for_the_kubelet(report: PrefetchReport) -> Iterator[str]:
    """Yield what only a pull by the kubelet solves."""
    for batch in report.batches:
        images = [image.name for image in batch.images if image.is_there]
        if images:
            yield (
                f"{words.several(images)} on {words.batch(batch)}: the node has it, and may not give it to the pods "
                "before its kubelet has pulled it with their credentials and name: -o daemonset"
            )


def unknown_secrets(batch: Batch) -> str:
    """Return that the pull secrets of a batch are not known."""
    return f"state the pull secrets of ServiceAccount {batch.namespace}/{batch.account}, which are not in the snapshot"


def name_of(batch: Batch, *parts: object) -> str:
    """Return a name that only a batch of the same nodes, images and credentials has."""
    key = [batch.namespace, batch.secrets, batch.account, [node.name for node in batch.nodes], *map(str, parts)]
    text = json.dumps([*key, [[image.name, image.is_there] for image in batch.images]])
    return f"{NAME}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


class _Dumper(yaml.SafeDumper):
    """Writes lists below their keys as kubectl does, and no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless)
