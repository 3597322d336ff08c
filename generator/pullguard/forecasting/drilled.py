"""What a drill has shown, by its JSON: forecasts beside what was seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pullguard.core.errors import PullguardError
from pullguard.core.text_files import read_text
from pullguard.forecasting.model import Sight, Verdict, WorkloadRef

#: What the JSON of a drill is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-drill/v1"


@dataclass(frozen=True, slots=True)
class DrilledPod:
    """What was forecast and seen of pods of a workload that are alike.

    Attributes:
        workload: The workload.
        pods: How many pods.
        forecast: The forecast.
        seen: What was seen.
        agreement: How the two go together.
        why: Why they stay down, or why nothing was seen.
    """

    workload: WorkloadRef
    pods: int
    forecast: Verdict
    seen: Sight
    agreement: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill has shown.

    Attributes:
        drill: Its name.
        node: The node that was cut off.
        registries: What it was cut off from.
        lasted: For how many seconds.
        pods: The pods.
        problems: What went wrong.
    """

    drill: str
    node: str
    registries: tuple[str, ...]
    lasted: float
    pods: tuple[DrilledPod, ...]
    problems: tuple[str, ...]


def read_drilled(file: str) -> Drilled:
    """Read the JSON of a drill.

    Raises:
        PullguardError: It is not that.
    """
    try:
        value = json.loads(read_text(Path(file)))
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise ValueError  # noqa: TRY301 - one error for all that it is not
        return Drilled(
            drill=_text(value["drill"]),
            node=_text(value["node"]),
            registries=tuple(map(_text, value["registries"])),
            lasted=float(value["lasted"]),
            pods=tuple(map(_pod, value["pods"])),
            problems=tuple(map(_text, value["problems"])),
        )
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise PullguardError(
            "is not the report of a drill",
            file=file,
            remedy="name a file that `pullguard drill run -o json` has written",
        ) from error


def _pod(value: Mapping[str, Any]) -> DrilledPod:
    forecast, seen = value["forecast"], value["seen"]
    if forecast not in get_args(Verdict) or seen not in get_args(Sight):
        raise ValueError
    why = [
        f"{_text(each['name'])} ({_text(each['image'])}): {_text(each['why'])}"
        for each in value["containers"]
        if each["why"]
    ]
    return DrilledPod(
        WorkloadRef(_text(value["namespace"]), _text(value["kind"]), _text(value["name"])),
        int(value["pods"]),
        forecast,
        seen,
        _text(value["agreement"]),
        (*why, *map(_text, value["changed"]), *([_text(value["why"])] if value["why"] else [])),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
