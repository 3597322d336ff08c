"""Where IfNotPresent is not enough: an image that was pulled with credentials needs a pod that has them."""

import json
from pathlib import Path

import pytest

from incident import credentials
from incident.conftest import Seen
from incident.pods import STARTED, Pod, settled
from incident.site import PROTECTED, Site, findings


@pytest.fixture(scope="session")
def pods(site: Site, outage: Seen) -> dict[str, Pod]:
    """Return the outcomes of pods with and without the credentials while the registry is cut off."""
    assert credentials.IMAGE in outage.images
    objects = [credentials.pod(PROTECTED, name) for name in credentials.PODS]
    site.kubectl("create", "--filename=-", stdin=_as_list(credentials.secret(PROTECTED), *objects))
    return {pod.name: pod for pod in settled(site.kubectl, PROTECTED, list(credentials.PODS))}


def _as_list(*objects: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def test_only_the_pod_with_the_credentials_starts(pods: dict[str, Pod]) -> None:
    assert {name: pod.outcome for name, pod in pods.items()} == {
        "with-credentials": STARTED,
        "without-credentials": "ImagePullBackOff",
        "without-credentials-never": "ErrImageNeverPull",
    }


def test_manifests_do_not_show_the_problem(checkout: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "pods.json"
    manifest.write_text(json.dumps(_as_list(*(credentials.pod(PROTECTED, name) for name in credentials.PODS))), "utf-8")
    assert findings(checkout / "library", manifest) == []
