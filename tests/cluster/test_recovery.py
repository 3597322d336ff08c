"""What deny refuses and admits while something is recovered: the statements of docs/operate.md, one by one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from installed_library import installed
from local_cluster.controllers import WORKLOADS, controllers
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import IMAGE, MESSAGE, collection, container, pod, pod_spec, workload
from pullguard.fix.command import fix

_HERE = "--namespace=kube-system"
_REPAIRED = pod_spec(container(policy="IfNotPresent"))


@pytest.fixture(scope="module")
def recovering(cluster: Cluster, checkout: Path) -> Iterator[Cluster]:
    """Yield the cluster with the library at deny, the controllers of workloads, and offenders that are older."""
    folder = cluster.plane.folder / "recovery"
    folder.mkdir()
    # `rolled-back` said Always in its first revision. The others still say Always.
    made = [
        workload("Deployment", "rolled-back"),
        workload("Deployment", "replaced"),
        _stateful_set("orphaned"),
        workload("Deployment", "managed"),
    ]
    with controllers(cluster.plane, folder, WORKLOADS):
        for obj in made:
            cluster.kubectl("apply", "--server-side", "--field-manager=addons", "-f", "-", _HERE, stdin=obj)
        cluster.kubectl("create", "-f", "-", _HERE, stdin=pod("debugged", pod_spec(container(policy="Never"))))
        wait_until(lambda: _revisions(cluster) == 1, timeout=60, what="the first revision")
        repaired = workload("Deployment", "rolled-back", _REPAIRED)
        cluster.kubectl("apply", "--server-side", "--field-manager=addons", "-f", "-", _HERE, stdin=repaired)
        wait_until(lambda: _revisions(cluster) == 2, timeout=60, what="the second revision")
        with installed(cluster, checkout / "library", "deny/protected_pull_policy"):
            wait_until(
                lambda: MESSAGE in _apply(cluster, workload("Deployment", "other"), "--dry-run=server"),
                timeout=60,
                what="deny",
            )
            yield cluster
        cluster.kubectl("delete", "deployments,statefulsets,pods", "--all", _HERE, "--cascade=foreground")
    cluster.kubectl(
        "delete", "replicasets,pods", "--selector=gatekeeper.sh/system=yes", "--namespace=gatekeeper-system"
    )


def _stateful_set(name: str) -> dict[str, Any]:
    made = workload("Deployment", name)
    return {**made, "kind": "StatefulSet", "spec": {**made["spec"], "serviceName": name}}


def _revisions(cluster: Cluster) -> int:
    path = f"{collection('ReplicaSet', 'kube-system')}?labelSelector=app%3Drolled-back"
    return len(cluster.client.request("GET", path).body["items"])


def _apply(cluster: Cluster, obj: dict[str, Any], *options: str) -> str:
    """Apply an object as an add-on manager does, and return kubectl's errors."""
    return cluster.kubectl(
        "apply", "--server-side", "--field-manager=addons", "-f", "-", _HERE, *options, stdin=obj, check=False
    ).stderr


def test_a_rollback_to_a_revision_that_says_always(recovering: Cluster) -> None:
    undo = recovering.kubectl("rollout", "undo", "deployment/rolled-back", _HERE, check=False)
    assert (undo.returncode, MESSAGE in undo.stderr) == (1, True)


def test_replace_by_force_deletes_and_cannot_create(recovering: Cluster) -> None:
    again = workload("Deployment", "replaced")
    done = recovering.kubectl("replace", "--force", "-f", "-", _HERE, stdin=again, check=False)
    assert (done.returncode, MESSAGE in done.stderr) == (1, True)
    assert "NotFound" in recovering.kubectl("get", "deployment/replaced", _HERE, check=False).stderr


def test_a_restore_from_a_backup(recovering: Cluster) -> None:
    for obj in (workload("Deployment", "restored"), pod("restored")):
        done = recovering.kubectl("create", "-f", "-", _HERE, stdin=obj, check=False)
        assert (done.returncode, MESSAGE in done.stderr) == (1, True)


def test_a_stateful_set_without_its_pods(recovering: Cluster) -> None:
    """A StatefulSet is deleted without its pods in order to change an immutable field."""
    recovering.kubectl("delete", "statefulset/orphaned", "--cascade=orphan", _HERE)
    assert MESSAGE in _apply(recovering, _stateful_set("orphaned"))
    repaired = _stateful_set("orphaned")
    repaired["spec"]["template"]["spec"] = _REPAIRED
    assert _apply(recovering, repaired) == ""


def test_an_add_on_that_keeps_always(recovering: Cluster) -> None:
    """Its manager can apply the same version again, but not the next one."""
    assert _apply(recovering, workload("Deployment", "managed")) == ""
    upgraded = workload("Deployment", "managed", pod_spec(container(image=f"{IMAGE}.1")))
    assert MESSAGE.replace(IMAGE, f"{IMAGE}.1") in _apply(recovering, upgraded)


def test_a_debug_container_without_a_tag(recovering: Cluster) -> None:
    debug = ("debug", "debugged", _HERE, "--attach=false", "--profile=restricted")
    done = recovering.kubectl(*debug, "--image=busybox", "--container=a", check=False)
    said = (
        'ephemeral container "a" image "busybox": imagePullPolicy is Always: cannot start without its registry; pin it'
    )
    assert (done.returncode, said in done.stderr) == (1, True)
    recovering.kubectl(*debug, "--image=busybox:1.37", "--container=b")


def test_what_deny_admits(recovering: Cluster) -> None:
    """Edits of existing objects and all actions of controllers, as long as the image does not change."""
    recovering.kubectl("scale", "deployment/managed", "--replicas=2", _HERE)
    recovering.kubectl("rollout", "restart", "deployment/managed", _HERE)
    recovering.kubectl("delete", "pods", "--selector=app=managed", _HERE, "--wait=false")
    path = f"{collection('Pod', 'kube-system')}?labelSelector=app%3Dmanaged"
    wait_until(
        lambda: bool(recovering.client.request("GET", path).body["items"]), timeout=60, what="pods of the controller"
    )


def test_breaking_the_glass_ends_with_the_repaired_manifest(cluster: Cluster, checkout: Path, tmp_path: Path) -> None:
    """The stock manifest says Always; the manifest that is applied at the end does not."""
    stock = checkout / ".tools/manifests/gatekeeper.yaml"
    repaired = tmp_path / "gatekeeper.yaml"
    shutil.copy(stock, repaired)
    fix([str(repaired)])
    assert _applied_policies(cluster, stock) == {"Always"}
    assert _applied_policies(cluster, repaired) == {"IfNotPresent"}
    assert _applied_policies(cluster, stock) == {"Always"}


def _applied_policies(cluster: Cluster, manifest: Path) -> set[str]:
    """Apply the Deployments of a manifest, and return their pull policies in the cluster."""
    objects = [obj for obj in yaml.load_all(manifest.read_text("utf-8"), yaml.CSafeLoader) if obj]
    listed = {"apiVersion": "v1", "kind": "List", "items": [obj for obj in objects if obj["kind"] == "Deployment"]}
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=listed)
    live = cluster.kubectl.get("deployments", "--namespace=gatekeeper-system")
    specs = [obj["spec"]["template"]["spec"] for obj in live["items"]]
    return {found["imagePullPolicy"] for spec in specs for found in spec["containers"]}
