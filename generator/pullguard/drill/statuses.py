"""What the status of a pod tells about its images; pure."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullguard.core.gatekeeper import dig
from pullguard.drill.model import Answer
from pullguard.drill.objects import NOTHING
from pullguard.forecasting.model import Sight

JSON = Mapping[str, Any]

#: Why a container waits for its image, or for an image volume that it mounts.
_WITHOUT_IMAGE = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"),
        *("RegistryUnavailable", "SignatureValidationFailed"),
    }
)
#: Why a container waits or has ended that was made from its image: there is nothing in it to run.
_MADE = frozenset({"RunContainerError", "StartError", "ContainerCannotRun", "CrashLoopBackOff", "Error", "Completed"})

#: What a program of Go says of a server that it could not talk to.
_NO_ANSWER = re.compile(
    r"\bdial (?:tcp|udp)\b|i/o timeout|connection refused|connection reset|no route to host|network is unreachable"
    r"|context deadline exceeded|handshake timeout|Client\.Timeout|no such host|\bEOF\b"
)
#: What a registry has said, in the words of containerd and CRI-O.
_ANSWER = re.compile(
    r"(?i)not found|manifest unknown|name unknown|unauthorized|denied|forbidden|authentication required"
    r"|unexpected status|toomanyrequests|too many requests|\b(?:401|403|404|429)\b"
)


class State(NamedTuple):
    """What is known of a container.

    Attributes:
        sight: Whether its images are there.
        why: The kubelet's words.
    """

    sight: Sight
    why: str


def states(pod: JSON) -> dict[str, State]:
    """Return what is known of the containers of a pod, by name; "not seen" may still change."""
    listed = dig(pod, "status", "containerStatuses")
    return {str(dig(status, "name")): _state(status) for status in (listed if isinstance(listed, list) else [])}


def refusal(pod: JSON) -> str:
    """Return why a pod as a whole has ended without its containers; "" if it has not."""
    if dig(pod, "status", "phase") != "Failed":
        return ""
    words = [dig(pod, "status", field) for field in ("reason", "message")]
    return ": ".join(word for word in words if isinstance(word, str) and word)


def is_ready(pod: JSON) -> bool:
    """Tell whether the node says that a pod is ready."""
    conditions = dig(pod, "status", "conditions")
    return any(
        dig(condition, "type") == "Ready" and dig(condition, "status") == "True"
        for condition in (conditions if isinstance(conditions, list) else [])
    )


def answer(state: State | None) -> Answer:
    """Return whether a registry has answered, from the state of a container whose image it does not have."""
    if state is None:
        return "not known"
    if state.sight == "starts":
        return "answers"
    if _NO_ANSWER.search(state.why):
        return "no answer"
    return "answers" if _ANSWER.search(state.why) else "not known"


def _state(status: JSON) -> State:
    waiting, ended = dig(status, "state", "waiting"), dig(status, "state", "terminated")
    if dig(status, "state", "running") is not None:
        return State("starts", "")
    found = waiting if isinstance(waiting, dict) else ended if isinstance(ended, dict) else {}
    reason, message = str(found.get("reason") or ""), str(found.get("message") or "")
    words = ": ".join(filter(None, (reason, " ".join(message.split()))))
    if reason in _WITHOUT_IMAGE:
        return State("stays down", words)
    if reason in _MADE or (reason.startswith("CreateContainer") and NOTHING in message):
        return State("starts", "")
    return State("not seen", words)
