"""Measures how many containers an object can have before CEL exceeds the API server's cost budget.

Kubernetes' own code decides (tools/admission), with the library's policies in force. The cost of an expression does not
depend on the load of the machine.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

_CHECKOUT = Path(__file__).resolve().parent.parent
_NAMESPACE = "gatekeeper-system"
#: An object with this many containers is too large for the API server.
_LIMIT = 1 << 14

_SHORT = "registry.example.com/team/app:v1.2.3"
_LONG = f"registry.example.com/{'a' * 219}:v1.2.3"

Ask = Callable[[dict[str, Any]], dict[str, Any]]


def main() -> None:
    """Print a table of the limits."""
    sys.stdout.write("| policy | request | image | containers |\n|---|---|---|---|\n")
    for policy in ("protected_pull_policy", "protected_image_pinning"):
        for image in (_SHORT, _LONG):
            with _api_server(_validating(policy)) as ask:
                for title, old, new in (
                    ("CREATE, nothing to find", None, "IfNotPresent"),
                    ("CREATE, all Always", None, "Always"),
                    ("UPDATE of one of them, all Always", "Always", "Always"),
                ):
                    most = _most(partial(_keeps, ask, image, old, new))
                    _write(policy, title, image, most)
    path = _CHECKOUT / "library/mutation/kubernetes/protected_pull_policy/objects.yaml"
    for image in (_SHORT, _LONG):
        with _api_server(list(yaml.safe_load_all(path.read_text("utf-8")))) as ask:
            _write("mutation", "CREATE, all Always", image, _most(partial(_mutates, ask, image)))


def _write(policy: str, title: str, image: str, most: int) -> None:
    shown = str(most) if most < _LIMIT else f"{_LIMIT} or more"
    sys.stdout.write(f"| {policy} | {title} | {len(image)} characters | {shown} |\n")
    sys.stdout.flush()


def _most(holds: Callable[[int], bool]) -> int:
    """Return about the largest count that holds, by doubling and bisection; it may be 1 % too low."""
    low = 128
    while low < _LIMIT and holds(2 * low):
        low *= 2
    high = min(2 * low, _LIMIT)
    while high - low > low // 100:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _keeps(ask: Ask, image: str, old: str | None, new: str, count: int) -> bool:
    """Tell whether the cost budget is enough."""
    was = None if old is None else _pod(image, count, old)
    request = _request(_pod(image, count, new, last="registry.example.com/other:v1"), was)
    return "exceeded" not in ask({"request": request, "typed": False}).get("message", "")


def _mutates(ask: Ask, image: str, count: int) -> bool:
    """Tell whether the last container is mutated."""
    verdict = ask({"request": _request(_pod(image, count, "Always"), None), "typed": True})
    return bool(verdict["object"]["spec"]["containers"][-1]["imagePullPolicy"] == "IfNotPresent")


def _pod(image: str, count: int, policy: str, last: str | None = None) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "image": image, "imagePullPolicy": policy} for index in range(count)]
    if last is not None:
        containers[-1]["image"] = last
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bench", "namespace": _NAMESPACE},
        "spec": {"containers": containers},
    }


def _request(obj: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "uid": "1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE" if old is None else "UPDATE",
        "namespace": _NAMESPACE,
        "name": "bench",
        "userInfo": {"username": "bench"},
        "object": obj,
        "oldObject": old,
    }


def _validating(policy: str) -> list[dict[str, Any]]:
    path = _CHECKOUT / "library/admission/policies" / policy / "objects.yaml"
    objects = list(yaml.safe_load_all(path.read_text("utf-8")))
    for obj in objects:
        if obj["kind"] == "ValidatingAdmissionPolicyBinding":
            obj["spec"]["validationActions"] = ["Deny"]
    return objects


@contextmanager
def _api_server(objects: list[dict[str, Any]]) -> Iterator[Ask]:
    labels = {"kubernetes.io/metadata.name": _NAMESPACE}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE, "labels": labels}}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all([*objects, namespace], file)
        file.flush()
        with subprocess.Popen(
            [_CHECKOUT / ".tools/bin/admission", file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            pipes = process.stdin, process.stdout

            def ask(case: dict[str, Any]) -> dict[str, Any]:
                to, back = pipes
                if to is None or back is None:
                    raise RuntimeError
                to.write(f"{json.dumps(case)}\n")
                to.flush()
                verdict: dict[str, Any] = json.loads(back.readline())
                return verdict

            yield ask
            process.kill()


if __name__ == "__main__":
    main()
