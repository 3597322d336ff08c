"""Images -> the references that pin them, by what a snapshot reports; whether that is certain, Rego says."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pullguard.core.formats.text import counted
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.fix.reported import Reported

#: How a pinned image is written.
PinForm = Literal["digest", "tag@digest"]

#: The forms, the default first: a tag tells people and tools that update images what the digest is.
PIN_FORMS: tuple[PinForm, ...] = ("tag@digest", "digest")

_MODULES = {"lib": ("images",), "pinning": ("digests",)}

#: Why an image cannot be pinned.
_REASONS = {
    "unseen": "no pod of the snapshot runs it, and no node lists it",
    "idOnly": "the snapshot reports no digest of its repository for it",
    "moved": "its tag stands for different images there: {reports}",
    "ambiguous": "nodes list it with several digests: {digests}",
    "otherTag": "the snapshot reports its containers under other tags only, so they may be another image",
    "noNodes": "the snapshot has no Node, so it is not known whether {digest} serves all of them: add the nodes to it",
    "platforms": "{digest} may be of one architecture only, and the nodes have {platforms}",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A digest for an image.

    Attributes:
        image: The image as it is stated.
        tag: Its tag; "" if it states none.
        digest: The digest, such as sha256:...
        form: How it is to be written.
        forms: The references that pin it, by their forms.
        evidence: What reports the digest, and why it serves all nodes, in words.
    """

    image: str
    tag: str
    digest: str
    form: PinForm
    forms: tuple[tuple[str, str], ...]
    evidence: str

    @property
    def reference(self) -> str:
        """The image as it is to be written."""
        return dict(self.forms)[self.form]

    @property
    def references(self) -> frozenset[str]:
        """All references that pin it."""
        return frozenset(dict(self.forms).values())

    def in_place_of(self, text: str) -> str | None:
        """Return what takes the place of a text that is the image, its end, or its tag alone; None if nothing can."""
        if text in {"", self.tag} and self.tag:
            return f"{self.tag}@{self.digest}" if self.form == "tag@digest" else None
        if not text or not text.endswith(self._end):
            return None
        kept = text if self.form == "tag@digest" else text.removesuffix(self._end)
        return f"{kept}@{self.digest}"

    @property
    def _end(self) -> str:
        return f":{self.tag}" if self.tag else ""


def pins(engine: Engine, images: Iterable[str], reported: Reported, form: PinForm) -> dict[str, Pin | str]:
    """Return how images can be pinned, by the images; or why one cannot be, and what tells the digest.

    Args:
        engine: What evaluates Rego.
        images: The images as manifests state them.
        reported: What a snapshot reports of images.
        form: How they are to be written.

    Raises:
        PullguardError: The engine has failed.
    """
    names = sorted(set(images))
    document = {
        "images": names,
        "containers": reported.containers,
        "entries": reported.entries,
        "listed": reported.listed,
        "platforms": reported.platforms,
    }
    found = query(engine, modules(_MODULES), "data.pinning.digests.found", document) if names else []
    return {name: _pin(name, answer, form) for name, answer in zip(names, found, strict=True)}


def _pin(image: str, answer: Mapping[str, Any], form: PinForm) -> Pin | str:
    if answer["reason"]:
        return f"{_why(answer)}; this tells what it is now: crane digest {shlex.quote(image)}"
    forms = tuple(sorted(answer["forms"].items()))
    (reporter,) = (each for each in answer["reported"] if each["digest"] == answer["digest"])
    index = f"; an index, since it runs on {_joined(answer['ranOn'])}" if answer["isIndex"] else ""
    return Pin(image, answer["tag"], answer["digest"], form, forms, f"{_reporters(reporter)}{index}")


def _why(answer: Mapping[str, Any]) -> str:
    reported: Sequence[Mapping[str, Any]] = answer["reported"]
    return _REASONS[answer["reason"]].format(
        digest=answer["digest"],
        digests=_joined([entry["digest"] for entry in reported]),
        reports="; ".join(f"{entry['digest']} is {_reporters(entry)}" for entry in reported),
        platforms=_joined(answer["platforms"]),
    )


def _reporters(entry: Mapping[str, Any]) -> str:
    parts = []
    if entry["containers"]:
        parts.append(f"reported by {counted(entry['containers'], 'container')}")
    if entry["nodes"]:
        parts.append(f"listed by {counted(entry['nodes'], 'node')}")
    return " and ".join(parts)


def _joined(names: Sequence[str]) -> str:
    return "".join(names) if len(names) <= 1 else f"{', '.join(names[:-1])} and {names[-1]}"
