"""How the time that a review takes grows with the containers and image volumes of a pod: in proportion, and not faster.

OPA evaluates each policy on pods of 10 to 10,000 of both, half of which violate; seconds are those of the evaluation
alone, the best of three.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

_CHECKOUT = Path(__file__).resolve().parent.parent
_POLICIES = ("protected_pull_policy", "protected_image_pinning", "protected_image_cache")
_COUNTS = (10, 100, 1_000, 10_000)
_TURNS = 3


def main() -> None:
    """Print a table of seconds by policy and operation."""
    sys.stdout.write("| policy | operation | " + " | ".join(f"{count:,}" for count in _COUNTS) + " |\n")
    sys.stdout.write("|---|---|" + "---|" * len(_COUNTS) + "\n")
    with tempfile.TemporaryDirectory() as name:
        for policy in _POLICIES:
            folder = Path(name, policy)
            folder.mkdir()
            _write_modules(policy, folder)
            for operation in ("CREATE", "UPDATE"):
                seconds = [_seconds(policy, folder, operation, count) for count in _COUNTS]
                row = " | ".join(f"{value:.3f}" for value in seconds)
                sys.stdout.write(f"| {policy} | {operation} | {row} |\n")
                sys.stdout.flush()


def _write_modules(policy: str, folder: Path) -> None:
    """Write the Rego of a template, and Nodes."""
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


def _seconds(policy: str, folder: Path, operation: str, count: int) -> float:
    """Return what one evaluation takes; an UPDATE changes every image that violates."""
    review = {
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "operation": operation,
        "object": _pod(count, "main"),
        "oldObject": _pod(count, "edge") if operation == "UPDATE" else None,
    }
    parameters = {"require": "tag", "floatingTags": ["main", "edge"], "allowedPolicies": ["IfNotPresent", "Never"]}
    command = [
        *(_CHECKOUT / ".tools/bin/pullguard-engine", "opa", "eval", "--metrics", "--format", "json", "--stdin-input"),
        *("--data", folder, f"count(data.policies.{policy}.violation)"),
    ]
    best = float("inf")
    for _ in range(_TURNS):
        done = subprocess.run(
            command,
            input=json.dumps({"review": review, "parameters": parameters}),
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        answer = json.loads(done.stdout)
        if answer["result"][0]["expressions"][0]["value"] == 0:
            raise RuntimeError(policy)
        best = min(best, answer["metrics"]["timer_rego_query_eval_ns"] / 1e9)
    return best


if __name__ == "__main__":
    main()
