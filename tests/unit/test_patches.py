"""Values to set -> patches of kustomize: which form, and what stands in it."""

from typing import Any

import pytest
import yaml

from pullguard.core.findings import Path
from pullguard.fix.patches import is_merged, json_patch, kustomization, merge_patch

POLICY = "imagePullPolicy"


def workload(kind: str = "Deployment", version: str = "apps/v1", **container: Any) -> dict[str, Any]:
    spec = {
        "initContainers": [{"name": "i", "image": "x:1"}],
        "containers": [{"name": "a", "image": "x:1"}, {"name": "b", **container}],
        "volumes": [{"name": "v", "image": {"reference": "x:1"}}],
    }
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "web.v1", "namespace": "n"},
        "spec": {"template": {"spec": spec}},
    }


def at(*steps: str | int) -> Path:
    return ("spec", "template", "spec", *steps)


def test_a_patch_by_names() -> None:
    values = {
        at("containers", 1, POLICY): "IfNotPresent",
        at("containers", 1, "image"): "x@sha256:a",
        at("initContainers", 0, POLICY): "Never",
        at("volumes", 0, "image", "pullPolicy"): "IfNotPresent",
    }
    assert all(is_merged(workload(), path) for path in values)
    patch = merge_patch(workload(), values)
    assert set(patch) == {"patch"}
    assert yaml.safe_load(patch["patch"]) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web.v1", "namespace": "n"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [{"name": "b", POLICY: "IfNotPresent", "image": "x@sha256:a"}],
                    "initContainers": [{"name": "i", POLICY: "Never"}],
                    "volumes": [{"name": "v", "image": {"pullPolicy": "IfNotPresent"}}],
                }
            }
        },
    }


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        (workload("Rollout", "argoproj.io/v1alpha1"), at("containers", 0, POLICY)),
        (workload("Deployment", "extensions/v1beta1"), at("containers", 0, POLICY)),
        (workload("Deployment", "apps/v1beta2"), at("containers", 0, POLICY)),
        (workload(name=None), at("containers", 1, POLICY)),
        (workload(name=""), at("containers", 1, POLICY)),
    ],
    ids=["custom", "old group", "old version", "no name", "empty name"],
)
def test_lists_that_kustomize_does_not_merge_by_names(obj: dict[str, Any], path: Path) -> None:
    assert not is_merged(obj, path)


def test_a_patch_by_indices() -> None:
    obj = workload("Rollout", "argoproj.io/v1alpha1", imagePullPolicy="Always")
    patch = json_patch(obj, {at("containers", 1, POLICY): "Never", at("containers", 1, "image"): "x:1"})
    assert patch["target"] == {
        "group": r"argoproj\.io",
        "version": "v1alpha1",
        "kind": "Rollout",
        "name": r"web\.v1",
        "namespace": "n",
    }
    assert yaml.safe_load(patch["patch"]) == [
        {"op": "test", "path": "/spec/template/spec/containers/1/name", "value": "b"},
        {"op": "replace", "path": "/spec/template/spec/containers/1/imagePullPolicy", "value": "Never"},
        {"op": "add", "path": "/spec/template/spec/containers/1/image", "value": "x:1"},
    ]


def test_keys_in_pointers_are_escaped() -> None:
    patch = json_patch({"apiVersion": "v1", "kind": "X", "metadata": {}}, {("a/b~c", "image"): "x:1"})
    assert patch["target"] == {"version": "v1", "kind": "X"}
    assert yaml.safe_load(patch["patch"]) == [{"op": "add", "path": "/a~1b~0c/image", "value": "x:1"}]


def test_the_text_of_a_kustomization() -> None:
    patch = merge_patch(workload(), {at("containers", 0, POLICY): "IfNotPresent"})
    assert kustomization(["../base", "a b.yaml"], [patch], comment="Why.\nHow.") == (
        "# Why.\n# How.\n"
        "apiVersion: kustomize.config.k8s.io/v1beta1\n"
        "kind: Kustomization\n"
        "resources:\n  - ../base\n  - a b.yaml\n"
        "patches:\n  - patch: |\n"
        "      apiVersion: apps/v1\n      kind: Deployment\n"
        "      metadata:\n        name: web.v1\n        namespace: n\n"
        "      spec:\n        template:\n          spec:\n            containers:\n              - name: a\n"
        "                imagePullPolicy: IfNotPresent\n"
    )
    assert "patches" not in kustomization(["x"], [], comment="")
