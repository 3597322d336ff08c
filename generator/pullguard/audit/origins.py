"""How the container of a violation came into its pod: with the template, or in some other way; pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pullguard.cluster.owners import Owners, Stated, Use
from pullguard.core.findings import ObjectRef

#: "template": the workload's template states the same image and pull policy. "injected": the template that the pod was
#: made from does not have it. "changed": that template states another image or pull policy. "debugging": a person added
#: it. "unknown": the pod or its template is not known. "other": none of these, or the message names no part of a pod.
Way = Literal["template", "injected", "changed", "debugging", "unknown", "other"]

# The template in these kinds is immutable.
_FIXED_TEMPLATES = frozenset({"Job", "ReplicaSet"})

# How pullguard's policies shorten a long name in a message.
_LONGEST, _HEAD, _TAIL = 40, 18, 19


@dataclass(frozen=True, slots=True)
class Origin:
    """How a container or an image volume came into a pod.

    Attributes:
        way: The way it came.
        what: What came into the pod, such as "container web"; "" if the message names nothing.
        certain: Whether the pod cannot be older than the template that it is compared with.
    """

    way: Way
    what: str = ""
    certain: bool = False


def origin(owners: Owners, ref: ObjectRef, message: str) -> Origin:
    """Return how the container or image volume that a message names came into a pod.

    Args:
        owners: What is known of the objects and their owners.
        ref: The object that violates; if it is not a pod, the way is "other".
        message: The message of a policy, which need not be one of pullguard's.
    """
    if ref.kind != "Pod":
        return Origin("other")
    uses = owners.uses(ref)
    if not uses:
        return Origin("unknown")
    use = _named(message, uses)
    if use is None:
        return Origin("other")
    what = f"{use.sort} {use.name}"
    if use.sort == "ephemeral container":
        return Origin("debugging", what)
    controller = owners.controller(ref)
    made_from = {} if controller is None else owners.uses(controller)
    if controller is None or not made_from:
        return Origin("unknown", what)
    way = _way(use, uses[use], made_from, owners.uses(owners.workload(ref)))
    return Origin(way, what, certain=controller.kind in _FIXED_TEMPLATES)


def _way(use: Use, stated: Stated, made_from: Mapping[Use, Stated], workload: Mapping[Use, Stated]) -> Way:
    if workload.get(use) == stated:
        return "template"
    if use not in made_from:
        return "injected"
    return "other" if made_from[use] == stated else "changed"


def _named(message: str, uses: Iterable[Use]) -> Use | None:
    """Return the use that a message names first, because policies name the container before its image."""
    places = [(place, use) for use in uses if (place := _place(message, use)) is not None]
    return min(places)[1] if places else None


def _place(message: str, use: Use) -> int | None:
    """Return the index at which a message names a container as a separate word, not as part of an image."""
    name = use.name if len(use.name) <= _LONGEST else f"{use.name[:_HEAD]}...{use.name[-_TAIL:]}"
    names = "|".join(re.escape(text) for text in (use.name, name))
    before = r"image volume\W+" if use.sort == "image volume" else r"(?<![^\s=\"'`<(\[{])"
    found = re.search(rf"{before}(?:{names})(?=[\s\"'`>)\]}},;]|[:.](?:\s|\Z)|\Z)", message)
    return None if found is None else found.start()
