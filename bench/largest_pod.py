"""Measures how long Gatekeeper's webhook takes for the largest pod that etcd can store. Its timeout is 3 seconds.

A real etcd, API server and Gatekeeper run in a network of their own. It needs root, and the programs of
`make cluster-tools`. The number of containers grows until etcd refuses the pod. The webhook then reviews the creation
of the largest pod, as the API server would ask for it, with the whole library at deny. Seconds are the shortest of
three answers. CPU seconds are Gatekeeper's mean for an answer, which depends little on the load of the machine.
"""

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import processes

_CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_CHECKOUT / "tests"))

from installed_library import install  # noqa: E402 - the line above makes it importable
from local_cluster.api import Client, Kubectl  # noqa: E402 - as above
from local_cluster.control_plane import control_plane  # noqa: E402 - as above
from local_cluster.gatekeeper import GROUPS, USER, gatekeeper  # noqa: E402 - as above
from local_cluster.isolation import isolated  # noqa: E402 - as above

_BINARIES = _CHECKOUT / ".tools" / "bin"
_SMALLEST, _EXACTNESS = 1_000, 100
_TURNS = 3
# The errors of etcd, and of its client, which has a limit of its own.
_TOO_LARGE = ("request is too large", "larger than max")
_PODS = "/api/v1/namespaces/default/pods"
_PROTECTED = "kube-system"


class _Administrator(NamedTuple):
    """The administrator's connections."""

    kubectl: Kubectl
    client: Client


def main() -> None:
    """Print a table."""
    # The ServiceAccount plugin requires ServiceAccounts, which only a controller would create.
    options = {"disable-admission-plugins": "ServiceAccount"}
    with (
        isolated() as folder,
        control_plane(_BINARIES, folder, users={USER: GROUPS}, options=options) as plane,
        closing(plane.client()) as client,
    ):
        largest = {policy: _largest(client, policy) for policy in ("IfNotPresent", "Always")}
        with gatekeeper(plane, _BINARIES.parent / "manifests" / "gatekeeper.yaml") as keeper:
            install(_Administrator(plane.kubectl(), client), _CHECKOUT / "library", "deny")
            _print("| containers | pull policy | bytes in the request | answer | seconds | CPU seconds |")
            _print("|---|---|---|---|---|---|")
            with closing(keeper.client()) as webhook:
                for policy, pod in largest.items():
                    size, answer, seconds, cpu = _judged(webhook, pod)
                    count = len(pod["spec"]["containers"])
                    _print(f"| {count:,} | {policy} | {size:,} | {answer} | {seconds:.2f} | {cpu:.2f} |")


def _largest(client: Client, policy: str) -> dict[str, Any]:
    """Return the largest pod that can be stored, with the API server's defaults. The count is exact to _EXACTNESS."""
    held = _held(client, policy, _SMALLEST)
    low, high = _SMALLEST, 2 * _SMALLEST
    while (found := _held(client, policy, high)) is not None:
        held, low, high = found, high, 2 * high
    while high - low > _EXACTNESS:
        middle = (low + high) // 2
        found = _held(client, policy, middle)
        if found is None:
            high = middle
        else:
            held, low = found, middle
    if held is None:
        raise RuntimeError("etcd holds no pod at all")
    return held


def _held(client: Client, policy: str, count: int) -> dict[str, Any] | None:
    """Return a pod with this many containers as it is stored, or None if it is too large."""
    containers = [{"name": f"c{number}", "image": "a:1", "imagePullPolicy": policy} for number in range(count)]
    # An empty entry keeps the API server from recording field managers, which would take more space than the pod.
    metadata = {"name": "largest", "managedFields": [{}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}
    answer = client.request("POST", _PODS, pod)
    if answer.message:
        if not any(words in answer.message for words in _TOO_LARGE):
            raise RuntimeError(answer.message[:500])
        return None
    client.request("DELETE", f"{_PODS}/largest", {"gracePeriodSeconds": 0})
    stored: dict[str, Any] = answer.body
    return stored


def _judged(webhook: Client, pod: dict[str, Any]) -> tuple[int, str, float, float]:
    """Return the size of the request in bytes, the answer, and the seconds and CPU seconds of the webhook."""
    pod["metadata"]["namespace"] = _PROTECTED
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "name": "largest",
            "namespace": _PROTECTED,
            "operation": "CREATE",
            "userInfo": {"username": "someone"},
            "object": pod,
        },
    }
    process = processes.child("gatekeeper")
    seconds = []
    begun = processes.cpu_seconds(process)
    for _ in range(_TURNS):
        start = time.monotonic()
        answer = webhook.request("POST", "/v1/admit", review)
        seconds.append(time.monotonic() - start)
    refusal = answer.body["response"].get("status", {}).get("message", "")
    cpu = (processes.cpu_seconds(process) - begun) / _TURNS
    return len(json.dumps(review)), "refused" if refusal else "let in", min(seconds), cpu


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
