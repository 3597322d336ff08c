"""The objects of a drill: Jobs, which the cluster itself ends and removes, whatever becomes of pullguard; pure."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pullguard.core.gatekeeper import dig
from pullguard.drill.model import Address

JSON = Mapping[str, Any]

#: The label of all objects of drills; its value is the name of the drill.
LABEL = "pullguard/drill"
#: The label that says what an object is for: "agent", "copy" or "control".
PART = "pullguard/part"
#: The label of a pod with the name of its Job.
JOB = "pullguard/job"

#: What containers of copies are told to run. No image has it, so nothing of the image runs.
NOTHING = "/pullguard-drill/runs-nothing"

#: How many seconds the agent has to start before the cut; its image may have to be pulled.
START = 60
#: How many seconds the Job of a copy is kept after its end.
KEPT = 30

#: What namespaces with the level "restricted" of the Pod Security Standards demand.
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Drill(NamedTuple):
    """A drill, as its objects know it.

    Attributes:
        name: Its name, with which the names of its objects begin.
        node: The node.
        namespace: The namespace of the agent and of controls; pods there may have hostNetwork and NET_ADMIN.
        seconds: How long the node is cut off at most.
    """

    name: str
    node: str
    namespace: str
    seconds: int


def agent(drill: Drill, image: str, addresses: Sequence[Address]) -> dict[str, Any]:
    """Return the Job that cuts a node off. It is ready as long as the cut is in force.

    Args:
        drill: The drill.
        image: An image with sh, nft, getent and sleep.
        addresses: What the node is cut off from.
    """
    table = drill.name.replace("-", "_")
    script = Path(__file__).with_name("agent.sh").read_text("utf-8")
    pairs = [str(part) for address in addresses for part in address]
    container = {
        "name": "agent",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script, "agent", table, str(drill.seconds), *pairs],
        "readinessProbe": {
            "exec": {"command": ["nft", "list", "table", "inet", table]},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 1,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
            "readOnlyRootFilesystem": True,
            "runAsUser": 0,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    spec = {"hostNetwork": True, "dnsPolicy": "Default", "terminationGracePeriodSeconds": 5, "containers": [container]}
    return _job(drill, "agent", "agent", spec, seconds=drill.seconds + START)


def copy(drill: Drill, number: int, pod: JSON, seconds: int) -> dict[str, Any]:
    """Return the Job of a copy of a pod, which shows whether the node has its images, and runs nothing.

    Of the pod it takes what decides that, and nothing else: images, pull policies, pull secrets, the ServiceAccount
    without its token, the RuntimeClass, and image volumes. Init containers are containers of the copy, so that all
    images are tried.

    Args:
        drill: The drill.
        number: The number of the copy.
        pod: The pod, whole.
        seconds: How long it lives at most: not longer than the cut, so that it never pulls what the node lacks.
    """
    spec = pod["spec"]
    volumes = [
        {"name": each["name"], "image": each["image"]} for each in _entries(spec, "volumes") if dig(each, "image")
    ]
    names = {volume["name"] for volume in volumes}
    copied: dict[str, Any] = {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            _copied(container, names)
            for field in ("initContainers", "containers")
            for container in _entries(spec, field)
        ],
        **({"volumes": volumes} if volumes else {}),
        **{name: spec[name] for name in ("imagePullSecrets", "serviceAccountName", "runtimeClassName") if name in spec},
    }
    return _job(drill, str(number), "copy", copied, seconds=seconds, namespace=pod["metadata"]["namespace"])


def control(drill: Drill, when: str, images: Sequence[str]) -> dict[str, Any]:
    """Return the Job that asks registries for images that they do not have: whether they answer is all that matters.

    Args:
        drill: The drill.
        when: A word for its name.
        images: The images; container `c0` has the first one, and so on.
    """
    containers = [
        _copied({"name": f"c{index}", "image": image, "imagePullPolicy": "Always"}, ())
        for index, image in enumerate(images)
    ]
    spec = {"terminationGracePeriodSeconds": 1, "containers": containers}
    return _job(drill, when, "control", spec, seconds=START)


def absent(repository: str, drill: str) -> str:
    """Return the name of an image that a repository does not have."""
    return f"{repository}:{drill}"


def changes(made: JSON, job: JSON) -> list[str]:
    """Return what decides about images and is not in a pod as its Job has it: admission has changed it."""
    wanted = job["spec"]["template"]["spec"]
    found = {dig(container, "name"): container for container in _entries(made.get("spec"), "containers")}
    changed = []
    for container in wanted["containers"]:
        own = found.get(container["name"], {})
        changed += [
            f"{field} of container {container['name']}: {container[field]} -> {own.get(field)}"
            for field in ("image", "imagePullPolicy")
            if field in container and own.get(field) != container[field]
        ]
    secrets = dig(made, "spec", "imagePullSecrets")
    if wanted.get("imagePullSecrets", secrets) != secrets:
        changed.append("imagePullSecrets")
    return changed


def _copied(container: JSON, volumes: Collection[str]) -> dict[str, Any]:
    mounts = [
        {"name": mount["name"], "mountPath": f"/pullguard-drill/{index}"}
        for index, mount in enumerate(_entries(container, "volumeMounts"))
        if dig(mount, "name") in volumes
    ]
    return {
        **{name: container[name] for name in ("name", "image", "imagePullPolicy") if name in container},
        "command": [NOTHING],
        "securityContext": _RESTRICTED,
        **({"volumeMounts": mounts} if mounts else {}),
    }


def _job(
    drill: Drill, name: str, part: str, spec: JSON, *, seconds: int, namespace: str | None = None
) -> dict[str, Any]:
    name = f"{drill.name}-{name}"
    labels = {LABEL: drill.name, PART: part, "app.kubernetes.io/managed-by": "pullguard"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace or drill.namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": KEPT,
            "template": {
                "metadata": {"labels": {**labels, JOB: name}},
                "spec": {
                    **spec,
                    "restartPolicy": "Never",
                    # The kubelet ends the pod even if nothing else of the cluster works.
                    "activeDeadlineSeconds": seconds,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    # Without the scheduler: nothing makes room for it, and no taint keeps it away.
                    "nodeName": drill.node,
                    "tolerations": [{"operator": "Exists"}],
                },
            },
        },
    }


def _entries(value: Any, field: str) -> list[Any]:
    found = dig(value, field)
    return found if isinstance(found, list) else []
