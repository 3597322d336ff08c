"""Objects of every known custom resource, one for each place in which it uses an image."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pullguard.library import policies
from pullguard.library.policies.model import KnownKinds
from shared_engine import ENGINE

_REGO = Path(__file__).resolve().parent.parent / "rego"

#: The kinds, the places as they are stated, and the objects.
Place = tuple[str, str, dict[str, Any]]


@cache
def known() -> KnownKinds:
    """Return what rego/lib/kinds knows."""
    (policy,) = (one for one in policies.read(_REGO, ENGINE).policies if one.name == "protected_pull_policy")
    return policy.known_kinds


def objects(image: str = "q.io/a:latest") -> Iterator[Place]:
    """Yield an object for each place, with the image and Always."""
    used = {"name": "c", "image": image, "imagePullPolicy": "Always"}
    for group, of_group in known().items():
        for kind, places in of_group.items():
            contents = [
                *((path, _nested(path, {"containers": [used]})) for path in places.get("paths", ())),
                *((path, _nested(path, used)) for path in places.get("containers", ())),
                *(
                    (each["image"], _merged(_nested(each["image"], image), _nested(each["policy"], "Always")))
                    for each in places.get("images", ())
                ),
            ]
            for number, (place, content) in enumerate(contents):
                name = f"{kind}-{group}-{number}".lower()
                head = {
                    "apiVersion": f"{group}/v1",
                    "kind": kind,
                    "metadata": {"name": name, "namespace": "kube-system"},
                }
                yield f"{group}/{kind}", place, {**content, **head}


def _nested(path: str, content: Any) -> Any:
    for step in reversed(path.split(".")):
        key = step.removesuffix("[]").replace("*", "any")
        content = {key: [content] if step.endswith("[]") else content}
    return content


def _merged(one: Any, other: Any) -> Any:
    """Return two objects as one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {key: _merged(one.get(key), other.get(key)) for key in {**one, **other}}
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        return [_merged(*pair) for pair in zip(one, other, strict=True)]
    return other if one is None else one
