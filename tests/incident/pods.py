"""The outcomes of pods, from their status."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from local_cluster.api import JSON, Kubectl
from local_cluster.servers import NotReadyError, wait_until

STARTED = "started"

# The state of a pod that lacks an image. It is ErrImagePull first, and after each further attempt of the kubelet.
_WITHOUT_IMAGE = frozenset({"ImagePullBackOff", "ErrImageNeverPull"})
_SETTLED = 180.0


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has started, or that waits for an image.

    Attributes:
        name: Its name.
        outcome: STARTED, or the reason why a container waits, such as "ImagePullBackOff".
        message: The kubelet's message about that; "" if the pod has started.
        object: The pod.
    """

    name: str
    outcome: str
    message: str
    object: JSON


def settled(kubectl: Kubectl, namespace: str, names: Sequence[str] | int) -> list[Pod]:
    """Wait until pods have started or wait for an image.

    Args:
        kubectl: The administrator's kubectl.
        namespace: The namespace of the pods.
        names: The names of the pods, or the number of pods in the namespace.

    Returns:
        The pods, sorted by name.

    Raises:
        NotReadyError: Some pods do neither in time; the message names them.
    """
    found: list[Pod] = []
    objects: list[JSON] = []

    def all_settled() -> bool:
        items = kubectl.get("pods", f"--namespace={namespace}")["items"]
        objects[:] = [obj for obj in items if isinstance(names, int) or obj["metadata"]["name"] in names]
        found[:] = sorted((pod for obj in objects if (pod := _pod(obj))), key=lambda pod: pod.name)
        return len(found) == len(objects) == (names if isinstance(names, int) else len(names))

    try:
        wait_until(all_settled, timeout=_SETTLED, what=f"pods in {namespace} to start, or to wait for an image")
    except NotReadyError as error:
        statuses = {obj["metadata"]["name"]: obj["status"] for obj in objects}
        events = kubectl("events", f"--namespace={namespace}").stdout
        raise NotReadyError(f"{error}\n{json.dumps(statuses, indent=1)}\n{events}") from None
    return found


def failed_pulls(kubectl: Kubectl, namespace: str, name: str) -> list[str]:
    """Return the kubelet's messages about images that it could not pull for a pod."""
    fields = f"--field-selector=involvedObject.name={name},reason=Failed"
    messages: list[str] = [
        event["message"] for event in kubectl.get("events", f"--namespace={namespace}", fields)["items"]
    ]
    return [message for message in messages if message.startswith("Failed to pull image")]


def _pod(obj: JSON) -> Pod | None:
    """Return the outcome of a pod, or None if it is not settled yet."""
    status, name = obj["status"], obj["metadata"]["name"]
    for container in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        waiting = container["state"].get("waiting", {})
        if waiting.get("reason") in _WITHOUT_IMAGE:
            return Pod(name, waiting["reason"], waiting["message"], obj)
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
    return Pod(name, STARTED, "", obj) if conditions.get("Ready") == "True" else None
