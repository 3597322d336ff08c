"""`fix --pin` by what the real kubelet and containerd report: what it pins starts without the registry."""

import json
from pathlib import Path

import pytest

from incident.conftest import MOVING, Seen
from incident.pods import STARTED, Pod, settled
from incident.site import PROTECTED, Site, findings, pullguard
from local_cluster.api import JSON

#: By name: the image, and how it is pinned. The tag latest is one of two that the image has on the node.
_PODS = {
    "pinned-with-tag": (MOVING, "tag@digest"),
    "pinned-by-digest": (MOVING, "digest"),
    "pinned-latest": ("registry.example/cached", "tag@digest"),
}


def _pod(name: str, image: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": PROTECTED},
        "spec": {"containers": [{"name": "main", "image": image, "imagePullPolicy": "Always"}]},
    }


@pytest.fixture(scope="session")
def manifests(site: Site, before: Seen, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return manifests with the images that a dump of the cluster pins."""
    assert MOVING in before.images
    folder = tmp_path_factory.mktemp("pinned")
    snapshot = folder / "snapshot.json"
    snapshot.write_text(site.kubectl("get", "pods,nodes", "--all-namespaces", "--output=json").stdout)
    found = []
    for name, (image, form) in _PODS.items():
        found.append(folder / f"{name}.json")
        found[-1].write_text(json.dumps(_pod(name, image)))
        done = pullguard("fix", f"--library={checkout / 'library'}", "--pin", snapshot, f"--pin-as={form}", found[-1])
        assert done.returncode == 0, done.stdout
    return found


@pytest.fixture(scope="session")
def pinned(site: Site, manifests: list[Path], outage: Seen) -> list[Pod]:
    """Return the outcomes of these pods while the registry is cut off; that others stay down, the matrix shows."""
    assert MOVING in outage.images
    for manifest in manifests:
        site.kubectl("create", "--filename", manifest)
    return settled(site.kubectl, PROTECTED, list(_PODS))


def test_what_is_pinned_starts_without_the_registry(pinned: list[Pod]) -> None:
    assert {pod.name: pod.outcome for pod in pinned} == dict.fromkeys(_PODS, STARTED)


def test_check_finds_nothing_in_it(checkout: Path, manifests: list[Path]) -> None:
    assert findings(checkout / "library", *manifests) == []
