"""Custom resources that hold pod specs, containers or images: the paths that say where; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pullguard.library.policies.model import Policy

_PLACES = ("paths", "containers", "images")


def stated(policy: Policy, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what parameters of a policy say of custom resources."""
    return list(parameters.get(policy.kinds_from_parameter or "", ()))


def known(policy: Policy, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is known of custom resources of which the parameters of a policy say nothing, written as those are."""
    said = {(entry["group"], entry["kind"]) for entry in stated(policy, parameters)}
    for group, of_group in policy.known_kinds.items():
        for kind, places in of_group.items():
            if (group, kind) not in said:
                yield {"group": group, "kind": kind, **places}


def is_known(policy: Policy, entry: Mapping[str, Any]) -> bool:
    """Tell whether the policy knows the kind of an entry by itself."""
    return entry["kind"] in policy.known_kinds.get(entry["group"], {})


def says_nothing(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry names no place at all, which leaves out a kind that is known."""
    return not any(entry.get(places) for places in _PLACES)


def judged(policy: Policy, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what parameters of a policy say of custom resources, without the known ones that they leave out."""
    return (entry for entry in stated(policy, parameters) if not (is_known(policy, entry) and says_nothing(entry)))


def divided(path: str) -> tuple[list[str], list[str]]:
    """Return the steps of a path up to the last one that stands for several, and the steps behind it."""
    steps = path.split(".")
    count = max((index for index, step in enumerate(steps, start=1) if step == "*" or step.endswith("[]")), default=0)
    return steps[:count], steps[count:]
