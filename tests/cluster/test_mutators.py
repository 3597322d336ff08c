"""What mutation changes and what it does not: the MutatingAdmissionPolicy, and Gatekeeper's Assign with its limits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import IMAGE, collection, container, pod, pod_spec, workload

_DIGEST = f"@sha256:{'a' * 64}"
_STRATEGIC = "application/strategic-merge-patch+json"

# The container, its image, its stated policy, and its policy after the MutatingAdmissionPolicy and after Assign.
_CASES = (
    ("pinned", IMAGE, "Always", "IfNotPresent", "IfNotPresent"),
    ("port", "host:5000/a/b:v1", "Always", "IfNotPresent", "IfNotPresent"),
    ("digest", f"registry.example.com/app{_DIGEST}", "Always", "IfNotPresent", "IfNotPresent"),
    ("latest-digest", f"registry.example.com/app:latest{_DIGEST}", None, "IfNotPresent", "IfNotPresent"),
    ("never", IMAGE, "Never", "Never", "IfNotPresent"),
    ("cached", IMAGE, "IfNotPresent", "IfNotPresent", "IfNotPresent"),
    ("latest", "registry.example.com/app:latest", None, "Always", "IfNotPresent"),
    ("untagged", "registry.example.com/app", None, "Always", "IfNotPresent"),
    ("floating", "registry.example.com/app:stable", "Always", "Always", "IfNotPresent"),
)
_STATED = {name: stated or "Always" for name, _, stated, _, _ in _CASES}
_ALWAYS = {name: "Always" for name, _, _, _, _ in _CASES}
_BY_KUBERNETES = {name: expected for name, _, _, expected, _ in _CASES}
_BY_GATEKEEPER = {name: expected for name, _, _, _, expected in _CASES}


def _spec() -> dict[str, Any]:
    return pod_spec(
        *(container(name, image, stated) for name, image, stated, _, _ in _CASES),
        initContainers=[container(f"init-{name}", image, stated) for name, image, stated, _, _ in _CASES],
        volumes=[
            {"name": name, "image": {"reference": image, **({"pullPolicy": stated} if stated else {})}}
            for name, image, stated, _, _ in _CASES
        ],
    )


def _policies(spec: dict[str, Any]) -> list[dict[str, str]]:
    """Return the pull policies by name: of containers, init containers and image volumes."""
    return [
        {found["name"]: found["imagePullPolicy"] for found in spec["containers"]},
        {found["name"].removeprefix("init-"): found["imagePullPolicy"] for found in spec["initContainers"]},
        {found["name"]: found["image"]["pullPolicy"] for found in spec["volumes"]},
    ]


def _made(cluster: Cluster, namespace: str) -> list[dict[str, str]]:
    path = f"{collection('Pod', namespace)}?dryRun=All"
    # The Pod Security Standard of Gatekeeper's namespace allows no image volumes.
    answer = cluster.client.request("POST", path, pod("mutated", _spec()))
    assert answer.code == 201, answer.message
    return _policies(answer.body["spec"])


@pytest.fixture
def old(cluster: Cluster) -> Iterator[str]:
    """Yield the path of a pod that says Always and is older than the mutation."""
    path = collection("Pod", "kube-system")
    assert cluster.client.request("POST", path, pod("old")).code == 201
    yield f"{path}/old"
    cluster.client.request("DELETE", f"{path}/old")


@pytest.fixture
def mutation(request: pytest.FixtureRequest, cluster: Cluster, checkout: Path) -> Iterator[None]:
    """Apply a folder of library/mutation, and wait until it is in force."""
    folder = checkout / "library/mutation" / request.param
    cluster.kubectl("apply", "-k", folder)
    changed = {"kubernetes": _BY_KUBERNETES, "gatekeeper": _BY_GATEKEEPER}[request.param]
    wait_until(lambda: _made(cluster, "kube-system") == [changed] * 3, timeout=60, what="mutation")
    yield
    cluster.kubectl("delete", "-k", folder)
    wait_until(lambda: _made(cluster, "kube-system") == [_STATED] * 3, timeout=60, what="mutation to end")


def _is_left_alone(cluster: Cluster, old: str) -> None:
    """Check that mutation only affects new pods in protected namespaces, and that old pods can be edited."""
    answer = cluster.client.request(
        "POST", f"{collection('Deployment', 'kube-system')}?dryRun=All", workload("Deployment", "new", _spec())
    )
    assert _policies(answer.body["spec"]["template"]["spec"]) == [_STATED] * 3
    edited = cluster.client.request("PATCH", old, {"metadata": {"labels": {"team": "x"}}}, content_type=_STRATEGIC)
    assert (edited.code, edited.body["metadata"]["labels"]) == (200, {"team": "x"})
    assert edited.body["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert _made(cluster, "default") == [_STATED] * 3


@pytest.mark.parametrize("mutation", ["kubernetes"], indirect=True)
@pytest.mark.usefixtures("old", "mutation")
def test_the_mutating_policy_changes_pinned_images_in_every_protected_namespace(cluster: Cluster, old: str) -> None:
    assert _made(cluster, "gatekeeper-system") == [_BY_KUBERNETES] * 3
    _is_left_alone(cluster, old)


@pytest.mark.parametrize("mutation", ["gatekeeper"], indirect=True)
@pytest.mark.usefixtures("old", "mutation")
def test_assign_changes_every_image_but_not_in_gatekeepers_namespace(cluster: Cluster, old: str) -> None:
    assert _made(cluster, "gatekeeper-system") == [_STATED] * 3
    _is_left_alone(cluster, old)


@pytest.fixture
def elsewhere(cluster: Cluster, checkout: Path) -> Iterator[None]:
    """Apply library/mutation/elsewhere, and wait until it is in force."""
    folder = checkout / "library/mutation/elsewhere"
    cluster.kubectl("apply", "-k", folder)
    wait_until(lambda: _made(cluster, "default") == [_ALWAYS] * 3, timeout=60, what="mutation")
    yield
    cluster.kubectl("delete", "-k", folder)
    wait_until(lambda: _made(cluster, "default") == [_STATED] * 3, timeout=60, what="mutation to end")


@pytest.mark.usefixtures("elsewhere")
def test_always_elsewhere_leaves_protected_namespaces_alone(cluster: Cluster) -> None:
    assert _made(cluster, "kube-system") == [_STATED] * 3
    assert _made(cluster, "gatekeeper-system") == [_STATED] * 3


def test_always_elsewhere_leaves_pods_alone_that_are_there(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    path = collection("Pod", "default")
    spec = pod_spec(container("c", IMAGE, "IfNotPresent"))
    assert cluster.client.request("POST", path, pod("before", spec)).code == 201
    try:
        request.getfixturevalue("elsewhere")
        labels = {"metadata": {"labels": {"team": "x"}}}
        edited = cluster.client.request("PATCH", f"{path}/before", labels, content_type=_STRATEGIC)
        assert (edited.code, edited.body["metadata"]["labels"]) == (200, {"team": "x"})
        assert edited.body["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    finally:
        cluster.client.request("DELETE", f"{path}/before")
