"""Measures the allocations of a review with `gator bench`, which do not depend on the load of the machine.

All policies judge the same pods, which pass. The cost of a policy is what it adds to that of a rule that never fires.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

_CHECKOUT = Path(__file__).resolve().parent.parent
_REVIEWS = _CHECKOUT / "bench" / "reviews"
_POLICIES = ("protected_pull_policy", "protected_image_pinning")


def main() -> None:
    """Print a table of the policies."""
    costs = {name: _allocations(_REVIEWS / name / "policy.yaml") for name in ("never_firing", "disallowed_tags")}
    with tempfile.TemporaryDirectory() as folder:
        for policy in _POLICIES:
            costs[policy] = _allocations(_policy(policy, Path(folder)))
    floor = costs["never_firing"]
    peer = costs["disallowed_tags"] - floor
    sys.stdout.write("allocations per review of pods that pass (`gator bench -e rego --memory`)\n\n")
    sys.stdout.write("| policy | allocations | above never firing | of disallowed tags |\n|---|---|---|---|\n")
    for name, cost in costs.items():
        sys.stdout.write(f"| {name} | {cost} | {cost - floor} | {(cost - floor) / peer:.0%} |\n")


def _policy(name: str, folder: Path) -> Path:
    """Write the template of a policy and a constraint with default parameters to a file. Return the file."""
    template = yaml.safe_load((_CHECKOUT / "library" / "policies" / name / "template.yaml").read_text("utf-8"))
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": template["spec"]["crd"]["spec"]["names"]["kind"],
        "metadata": {"name": "bench"},
        "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": ["kube-system"]}},
    }
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump_all([template, constraint]), "utf-8")
    return file


def _allocations(policy: Path) -> int:
    gator = _CHECKOUT / ".tools" / "bin" / "gator"
    command = [gator, "bench", "-e", "rego", "--memory", "-n", "500", "-o", "json", "-f", policy]
    done = subprocess.run(
        [*command, "-f", _REVIEWS / "objects"], capture_output=True, text=True, timeout=300, check=True
    )
    (result,) = json.loads(done.stdout)
    statistics: dict[str, Any] = result["memoryStats"]
    return int(statistics["allocsPerReview"])


if __name__ == "__main__":
    main()
