"""Measures how the time of a review grows with the containers and image volumes of a pod. It must grow linearly.

OPA evaluates each policy on pods with 10 to 10,000 of each, half of which violate. conftest evaluates all policies on a
manifest with as many containers. Seconds are CPU time, minus the CPU time for a pod with one of each, because CPU time
varies little with the load of the machine.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

_CHECKOUT = Path(__file__).resolve().parent.parent
_TOOLS = _CHECKOUT / ".tools/bin"
_POLICIES = ("protected_pull_policy", "protected_image_pinning", "protected_image_cache")
_COUNTS = (10, 100, 1_000, 10_000)
_TURNS = 2
_MOST_AT_ADMISSION = 1_000


def main() -> None:
    """Print a table of seconds by policy and operation."""
    sys.stdout.write("| policy | operation | " + " | ".join(f"{count:,}" for count in _COUNTS) + " |\n")
    sys.stdout.write("|---|---|" + "---|" * len(_COUNTS) + "\n")
    with tempfile.TemporaryDirectory() as name:
        for policy in _POLICIES:
            folder = Path(name, policy)
            folder.mkdir()
            _write_modules(policy, folder)
            for operation in ("audit", "UPDATE"):
                _row(policy, operation, partial(_evaluated, policy, folder, operation))
        _row("all, by conftest", "manifest", partial(_tested, Path(name)))


def _row(policy: str, operation: str, seconds: Callable[[int], float]) -> None:
    start = seconds(1)
    row = " | ".join(f"{max(seconds(count) - start, 0):.2f}" for count in _COUNTS)
    sys.stdout.write(f"| {policy} | {operation} | {row} |\n")
    sys.stdout.flush()


def _write_modules(policy: str, folder: Path) -> None:
    """Write the Rego of a template, and Nodes as data."""
    path = _CHECKOUT / "library" / "policies" / policy / "template.yaml"
    source = yaml.safe_load(path.read_text("utf-8"))["spec"]["targets"][0]["code"][0]["source"]
    for index, text in enumerate([source["rego"], *source.get("libs", [])]):
        (folder / f"{index}.rego").write_text(text, "utf-8")
    nodes = {f"n{index}": {"status": {"images": [{"names": ["q.io/a:v1"]}]}} for index in range(3)}
    inventory = {"inventory": {"cluster": {"v1": {"Node": nodes}}}}
    (folder / "data.json").write_text(json.dumps(inventory), "utf-8")


def _pod(count: int, tag: str) -> dict[str, Any]:
    used = [
        (f"q.io/a{index}:v1", "IfNotPresent") if index % 2 else (f"q.io/b:{tag}", "Always") for index in range(count)
    ]
    return {
        "metadata": {"name": "p", "namespace": "kube-system"},
        "spec": {
            "containers": [
                {"name": f"c{index}", "image": image, "imagePullPolicy": stated}
                for index, (image, stated) in enumerate(used)
            ],
            "volumes": [
                {"name": f"v{index}", "image": {"reference": image, "pullPolicy": stated}}
                for index, (image, stated) in enumerate(used)
            ],
        },
    }


def _evaluated(policy: str, folder: Path, operation: str, count: int) -> float:
    """Return the seconds of an evaluation. An UPDATE changes every image that violates."""
    # At admission, more containers and volumes than these are not judged one by one.
    least = count if operation == "audit" or 2 * count <= _MOST_AT_ADMISSION else 0
    review = {
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "operation": "" if operation == "audit" else operation,
        "object": _pod(count, "main"),
        "oldObject": _pod(count, "edge") if operation == "UPDATE" else None,
    }
    parameters = {"require": "tag", "floatingTags": ["main", "edge"], "allowedPolicies": ["IfNotPresent", "Never"]}
    file = folder.with_suffix(".json")
    file.write_text(json.dumps({"review": review, "parameters": parameters}), "utf-8")
    command = [
        *(_TOOLS / "pullguard-engine", "opa", "eval", "--format", "raw", "--input", file),
        *("--data", folder, f"count(data.policies.{policy}.violation)"),
    ]
    return min(_seconds(command, least) for _ in range(_TURNS))


def _tested(folder: Path, count: int) -> float:
    """Return the seconds that conftest takes for a manifest."""
    file = folder / "pod.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", **_pod(count, "main")}), "utf-8")
    library = _CHECKOUT / "library/conftest"
    command = [_TOOLS / "conftest", "test", "--policy", library / "policy", "--data", library / "data", file]
    return min(_seconds(command, None) for _ in range(_TURNS))


def _seconds(command: Sequence[Path | str], least: int | None) -> float:
    """Return the CPU seconds of a command, which must print at least `least` violations, if that is given."""
    with tempfile.TemporaryFile() as output:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)]
        pid = os.posix_spawn(os.fspath(command[0]), [*map(os.fspath, command)], os.environ, file_actions=actions)
        _, status, used = os.wait4(pid, 0)
        output.seek(0)
        said = output.read()
    if os.waitstatus_to_exitcode(status) > 1 or (least is not None and int(said) < least):
        raise RuntimeError(said[-500:].decode())
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
