"""Every image whose default the API server was asked for, through the generated template in the real gator."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

_CONSTRAINT = {
    "apiVersion": "constraints.gatekeeper.sh/v1beta1",
    "kind": "K8sProtectedPullPolicy",
    "metadata": {"name": "everywhere"},
    "spec": {"parameters": {"impliedPolicy": "allow"}},
}


def _pod(spec: dict[str, object]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "kube-system"}, "spec": spec}


def test_images_as_containers_and_as_image_volumes(
    gator: Path, checkout: Path, image_defaults: Mapping[str, str], tmp_path: Path
) -> None:
    shutil.copy(checkout / "library/policies/protected_pull_policy/template.yaml", tmp_path)
    (tmp_path / "constraint.yaml").write_text(yaml.safe_dump(_CONSTRAINT))
    cases = []
    for index, (image, policy) in enumerate(image_defaults.items()):
        specs: dict[str, dict[str, object]] = {
            "container": {"containers": [{"name": "a", "image": image}]},
            "volume": {"volumes": [{"name": "a", "image": {"reference": image}}]},
        }
        for place, spec in specs.items():
            name = f"{place}-{index}.yaml"
            (tmp_path / name).write_text(yaml.safe_dump(_pod(spec)))
            violations = int(policy == "Always")
            cases.append({"name": name, "object": name, "assertions": [{"violations": violations}]})
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1",
        "kind": "Suite",
        "tests": [{"name": "all", "template": "template.yaml", "constraint": "constraint.yaml", "cases": cases}],
    }
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    done = subprocess.run(
        [gator, "verify", "--verbose", "suite.yaml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    passed = [line.split("PASS: ")[1].split("\t")[0] for line in done.stdout.splitlines() if "    --- PASS: " in line]
    assert (done.returncode, passed) == (0, [case["name"] for case in cases]), done.stdout + done.stderr
