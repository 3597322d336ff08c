"""What the kubelet's own code says of images: tools/kubernetes/images, as a process."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Secret:
    """Credentials for registries."""

    name: str
    hosts: tuple[str, ...]
    password: str


@dataclass(frozen=True)
class Request:
    """A container that starts."""

    namespace: str
    image: str
    policy: str
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True)
class Case:
    """A node, what has happened there, and the container that starts now.

    Attributes:
        images: What the node had before the kubelet pulled anything: IDs by full names.
        registry: What can be pulled.
        asked: The container.
        old: Whether the kubelet does not care about credentials.
        private: The registries that want credentials.
        history: What started before, while all registries were there.
        removed: Names that somebody has taken from images since.
        gone: The registries that are gone now.
    """

    images: Mapping[str, str]
    registry: Mapping[str, str]
    asked: Request
    old: bool = False
    private: Sequence[str] = ()
    history: Sequence[Request] = ()
    removed: Sequence[str] = ()
    gone: Sequence[str] = field(default=())


def answers(program: Path, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return for each case whether it starts, the kubelet's reason if not, and what the node had by then."""
    lines = "".join(json.dumps(asdict(case)) + "\n" for case in cases)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
