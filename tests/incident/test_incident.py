"""The outage with Gatekeeper's own manifest: what happens, what predicted it, and what ends it."""

import difflib
import signal
from pathlib import Path

from incident.conftest import Crashed, Seen
from incident.pods import STARTED
from incident.site import Site, findings
from local_cluster.api import JSON
from local_cluster.gatekeeper import NAMESPACE
from local_cluster.registry import ADDRESS

_IMAGE = "docker.io/openpolicyagent/gatekeeper:v3.23.1"
_DENIED = (
    'admission webhook "validation.gatekeeper.sh" denied the request: [protected-pull-policy-by-name] container "c" '
    'image "registry.example/web:1": imagePullPolicy is Always: cannot start without its registry; '
    "set imagePullPolicy: IfNotPresent"
)
_REFUSED = f"dial tcp {ADDRESS}: connect: connection refused"
_WORKLOADS = {
    ("Deployment", NAMESPACE, "gatekeeper-audit"),
    ("Deployment", NAMESPACE, "gatekeeper-controller-manager"),
}


def _workload(site: Site, obj: JSON) -> tuple[str, str, str]:
    """Return the workload that a pod belongs to."""
    namespace = obj["metadata"]["namespace"]
    while owners := obj["metadata"].get("ownerReferences"):
        obj = site.kubectl.get(owners[0]["kind"], owners[0]["name"], f"--namespace={namespace}")
    return obj["kind"], namespace, obj["metadata"]["name"]


def test_with_a_registry_the_manifest_works(before: Seen) -> None:
    assert [pod.outcome for pod in before.pods] == [STARTED] * 4
    assert before.gatekeeper.always == _DENIED
    assert before.gatekeeper.namespace == ""


def test_without_the_registry_a_crashed_container_does_not_restart(crashed: Crashed) -> None:
    assert crashed.message.endswith(_REFUSED)
    assert crashed.after["metadata"]["uid"] == crashed.before["metadata"]["uid"]
    (status,) = crashed.after["status"]["containerStatuses"]
    assert not status["ready"]
    assert status["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGKILL


def test_without_the_registry_running_pods_keep_running(crashed: Crashed) -> None:
    assert [pod.outcome for pod in crashed.others] == [STARTED] * 3


def test_without_the_registry_no_gatekeeper_pod_starts_although_its_image_is_on_the_node(outage: Seen) -> None:
    assert _IMAGE in outage.images
    assert [pod.outcome for pod in outage.pods] == ["ImagePullBackOff"] * 4
    for pod in outage.pods:
        assert pod.message.endswith(_REFUSED), pod.message


def test_meanwhile_gatekeeper_denies_nothing_and_no_namespace_can_be_created(outage: Seen) -> None:
    assert outage.gatekeeper.always == ""
    assert 'failed calling webhook "check-ignore-label.gatekeeper.sh"' in outage.gatekeeper.namespace


def test_check_predicts_exactly_these_workloads(site: Site, outage: Seen, manifest: Path, checkout: Path) -> None:
    failed = {_workload(site, pod.object) for pod in outage.pods if pod.outcome != STARTED}
    found = {
        tuple(finding["object"][key] for key in ("kind", "namespace", "name"))
        for finding in findings(checkout / "library", manifest)
    }
    assert found == failed == _WORKLOADS


def test_the_remedy_changes_two_lines(manifest: Path, remedy: Path, checkout: Path) -> None:
    lines = difflib.ndiff(manifest.read_text("utf-8").splitlines(), remedy.read_text("utf-8").splitlines())
    changed = [line for line in lines if line[0] in "+-"]
    assert changed == ["-         imagePullPolicy: Always", "+         imagePullPolicy: IfNotPresent"] * 2
    assert findings(checkout / "library", remedy) == []


def test_with_the_remedy_gatekeeper_is_back_and_the_registry_is_not(site: Site, before: Seen, after: Seen) -> None:
    assert site.registry.server.process.poll() is not None
    assert [pod.outcome for pod in after.pods] == [STARTED] * 4
    assert after.gatekeeper == before.gatekeeper
