"""The Rego itself: covered line by line, fit for Gatekeeper's OPA, and at one with its METADATA."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

_POLICY = "rego/policies/protected_pull_policy/protected_pull_policy.rego"


def _opa(opa: Path, *arguments: object, text: str | None = None) -> Any:
    done = subprocess.run(
        [opa, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def _evaluate(opa: Path, checkout: Path, query: str, document: object) -> Any:
    libs = [f"--data={lib}" for lib in sorted((checkout / "rego/lib").rglob("*.rego")) if "_test" not in lib.name]
    data = [*libs, f"--data={checkout / _POLICY}"]
    result = _opa(opa, "eval", "--format=json", "--stdin-input", *data, query, text=json.dumps(document))
    return result["result"][0]["expressions"][0]["value"]


@pytest.fixture(scope="module")
def metadata(opa: Path, checkout: Path) -> dict[str, Any]:
    inspected = _opa(opa, "inspect", "--annotations", "--format", "json", checkout / _POLICY)
    (annotations,) = (
        entry["annotations"] for entry in inspected["annotations"] if entry["annotations"]["scope"] == "package"
    )
    custom: dict[str, Any] = annotations["custom"]
    return custom


def test_every_line_of_rego_is_covered(opa: Path, checkout: Path) -> None:
    report = _opa(opa, "test", "--coverage", "--timeout", "300s", "--ignore", "*.yaml", checkout / "rego")
    gaps = {
        file: [(gap["start"]["row"], gap["end"]["row"]) for gap in coverage["not_covered"]]
        for file, coverage in report["files"].items()
        if coverage.get("not_covered")
    }
    assert gaps == {}
    covered = {Path(file).resolve() for file in report["files"]}
    assert {file.resolve() for file in (checkout / "rego").rglob("*.rego")} - covered == set()


def test_embedded_rego_fits_the_opa_that_gatekeeper_carries(opa: Path, checkout: Path) -> None:
    embedded = [
        file
        for folder in ("lib", "policies")
        for file in (checkout / "rego" / folder).rglob("*.rego")
        if not file.name.endswith("_test.rego")
    ]
    _opa(opa, "check", "--strict", "--capabilities", "v1.17.1", *embedded)


def test_missing_parameters_have_the_defaults_of_the_metadata(
    opa: Path, checkout: Path, metadata: dict[str, Any]
) -> None:
    properties = metadata["parameters"]["properties"]
    package = "data.policies.protected_pull_policy"
    assert _evaluate(opa, checkout, f"{package}._allowed", {}) == properties["allowedPolicies"]["default"]
    assert properties["exemptImages"]["default"] == properties["customKinds"]["default"] == []
    controlled = {
        "review": {
            "operation": "CREATE",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "object": {
                "metadata": {"ownerReferences": [{"controller": True}]},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        }
    }
    stated = {**controlled, "parameters": {"controlledPods": properties["controlledPods"]["default"]}}
    assert (
        _evaluate(opa, checkout, f"{package}.violation", controlled)
        == _evaluate(opa, checkout, f"{package}.violation", stated)
        == []
    )


def test_constraints_select_exactly_the_kinds_that_hold_pod_specs(
    opa: Path, checkout: Path, metadata: dict[str, Any]
) -> None:
    pod_spec: dict[str, Any] = {"containers": []}
    template = {"template": {"spec": pod_spec}}
    everywhere = {"template": {"spec": pod_spec}, "spec": {**pod_spec, **template, "jobTemplate": {"spec": template}}}
    kinds = {
        "Binding", "ConfigMap", "CronJob", "DaemonSet", "Deployment", "Ingress", "Job", "Node", "Pod", "PodTemplate",
        "ReplicaSet", "ReplicationController", "Scale", "Service", "StatefulSet",
    }  # fmt: skip
    groups = {"", "apps", "batch", "extensions", "autoscaling", "networking.k8s.io", "example.com"}
    pairs = sorted([group, kind] for group in groups for kind in kinds)
    query = """[pair | some pair in input.pairs
        data.lib.pods.spec(input.object, {"group": pair[0], "kind": pair[1]})]"""
    held = _evaluate(opa, checkout, query, {"pairs": pairs, "object": everywhere})
    selected = [
        [group, kind] for entry in metadata["match"]["kinds"] for group in entry["apiGroups"] for kind in entry["kinds"]
    ]
    assert held == sorted(selected)


def _parameters(opa: Path, checkout: Path, policy: str) -> dict[str, Any]:
    file = checkout / "rego/policies" / policy / f"{policy}.rego"
    inspected = _opa(opa, "inspect", "--annotations", "--format", "json", file)
    (annotations,) = (
        entry["annotations"] for entry in inspected["annotations"] if entry["annotations"]["scope"] == "package"
    )
    properties: dict[str, Any] = annotations["custom"]["parameters"]["properties"]
    return properties


def test_policies_on_images_share_their_parameters(opa: Path, checkout: Path) -> None:
    shared = ("exemptImages", "customKinds", "controlledPods")
    pulling, pinning = (
        _parameters(opa, checkout, policy) for policy in ("protected_pull_policy", "protected_image_pinning")
    )
    assert [_shape(pulling[name]) for name in shared] == [_shape(pinning[name]) for name in shared]


def _shape(schema: Any) -> Any:
    """Return a schema without what people only read."""
    if isinstance(schema, dict):
        return {key: _shape(value) for key, value in schema.items() if key not in {"description", "example"}}
    return schema


def test_floating_tags_of_the_metadata_are_those_of_the_lib(opa: Path, checkout: Path) -> None:
    tags = _parameters(opa, checkout, "protected_image_pinning")["floatingTags"]["default"]
    assert tags == _evaluate(opa, checkout, "sort(data.lib.images.floating_tags)", {})
