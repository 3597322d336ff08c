"""The table of docs/incident.md: what the kubelet did with pods without a registry, next to the library's findings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from incident.pods import STARTED
from local_cluster.api import JSON

_HEAD = (
    "| the pod asks for | on the node | the kubelet | `pullguard check` | Gatekeeper's audit |",
    "|---|---|---|---|---|",
)
_TABLE = re.compile(r"^\| the pod asks for .*\n(?:\|.*\n)*", re.MULTILINE)
_REGISTRY = "registry.example/"


@dataclass(frozen=True, slots=True)
class Row:
    """One pod.

    Attributes:
        uses: The images and pull policies of the pod, in words.
        on_node: Whether all its images are on the node.
        outcome: STARTED, or the reason why a container waits.
        rules: The rules that `pullguard check` finds violated in its manifest, sorted.
        policies: The policies that Gatekeeper's audit finds violated in the cluster, sorted.
    """

    uses: str
    on_node: bool
    outcome: str
    rules: tuple[str, ...]
    policies: tuple[str, ...]


def whole_images(pod: JSON) -> list[str]:
    """Return the images of a pod as a node names them: with their digest, or else with their tag."""
    return [_whole(image) for _, image, _ in _uses(pod)]


def in_words(pod: JSON) -> str:
    """Return the images and policies of a pod. Digests are elided, because they depend on the Go release."""
    return "; ".join(
        f"{what} `{re.sub('@sha256:.*', '@sha256:…', image.removeprefix(_REGISTRY))}` {policy or '(no policy)'}"
        for what, image, policy in _uses(pod)
    )


def replace_table(page: str, rows: Sequence[Row]) -> str:
    """Return a page with its table replaced by these rows."""
    table = "\n".join((*_HEAD, *map(_line, rows))) + "\n"
    replaced, count = _TABLE.subn(lambda _: table, page)
    assert count == 1, "docs/incident.md has no table, or more than one"
    return replaced


def _line(row: Row) -> str:
    cells = (
        row.uses,
        "yes" if row.on_node else "no",
        "starts it" if row.outcome == STARTED else f"`{row.outcome}`",
        ", ".join(row.rules) or "-",
        ", ".join(row.policies) or "-",
    )
    return f"| {' | '.join(cells)} |"


def _uses(pod: JSON) -> Iterator[tuple[str, str, str]]:
    """Yield each use of an image in a pod, with the image and the stated pull policy."""
    spec = pod["spec"]
    for what, containers in (("init container", "initContainers"), ("container", "containers")):
        for container in spec.get(containers, []):
            yield what, container["image"], container.get("imagePullPolicy", "")
    for volume in spec.get("volumes", []):
        if "image" in volume:
            yield "volume", volume["image"]["reference"], volume["image"].get("pullPolicy", "")


def _whole(image: str) -> str:
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    return f"{repository}@{digest}" if digest else f"{repository}:{tag}"
