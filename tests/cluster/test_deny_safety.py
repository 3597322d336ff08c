"""Whether a workload can replace its pods under deny: the behaviour of real controllers, and scope's prediction."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed_library import apply, install, uninstall
from local_cluster.controllers import WORKLOADS, controllers
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import MESSAGE, collection, pod, workload
from pullguard.generate.command import generate
from pullguard.scope.command import Blocked, DenySafety, scope

_CONFIGURATION = """\
protectedNamespaces: {{names: [kube-system]}}
enforcement: deny
policies: {{protected_pull_policy: {{parameters: {{controlledPods: {controlled}, trustedUsers: [{user}]}}}}}}
"""
_TRUSTED = "system:serviceaccount:argo-rollouts:argo-rollouts"
_PODS = collection("Pod", "kube-system")
_SETS = collection("ReplicaSet", "kube-system")


@pytest.fixture(scope="module")
def _controllers(cluster: Cluster) -> Iterator[None]:
    """Run the controllers that make ReplicaSets and pods. Delete what they made for Gatekeeper's own Deployments."""
    folder = cluster.plane.folder / "workloads"
    folder.mkdir()
    with controllers(cluster.plane, folder, WORKLOADS, as_themselves=True):
        yield
    cluster.kubectl(
        "delete", "replicasets,pods", "--selector=gatekeeper.sh/system=yes", "--namespace=gatekeeper-system"
    )


@pytest.fixture(scope="module")
def offender(cluster: Cluster, _controllers: None) -> Iterator[str]:
    """Yield the name of a ReplicaSet with a pod; its Deployment says Always, and is older than the library."""
    assert (
        cluster.client.request("POST", collection("Deployment", "kube-system"), workload("Deployment", "old")).code
        == 201
    )
    wait_until(lambda: len(_pods(cluster)) == 1, timeout=60, what="a pod")
    yield cluster.client.request("GET", _SETS).body["items"][0]["metadata"]["name"]
    cluster.kubectl("delete", "deployment", "old", "--namespace=kube-system", "--cascade=foreground")


@pytest.fixture(scope="module")
def libraries(cluster: Cluster, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Yield libraries at deny, by the value of controlledPods."""
    made = {}
    for controlled in ("audit", "trusted", "deny"):
        folder = tmp_path_factory.mktemp(controlled)
        (folder / "pullguard.yaml").write_text(_CONFIGURATION.format(controlled=controlled, user=_TRUSTED), "utf-8")
        generate(folder / "pullguard.yaml", folder / "library", rego=checkout / "rego")
        made[controlled] = folder / "library"
    yield made
    uninstall(cluster, made["audit"])


def _pods(cluster: Cluster) -> set[str]:
    """Return the UIDs of the offender's pods."""
    return {
        found["metadata"]["uid"] for found in cluster.client.request("GET", f"{_PODS}?labelSelector=app").body["items"]
    }


def _delete_pods(cluster: Cluster) -> None:
    cluster.client.request("DELETE", f"{_PODS}?labelSelector=app", {"gracePeriodSeconds": 0})


def _safety(cluster: Cluster) -> DenySafety:
    kubectl = cluster.kubectl
    report = scope(kubeconfig=str(kubectl.kubeconfig), kubectl=str(kubectl.program))
    return next(found.deny for found in report.namespaces if found.name == "kube-system")


def test_pods_are_replaced_if_controlled_pods_are_audited(
    cluster: Cluster, offender: str, libraries: dict[str, Path]
) -> None:
    install(cluster, libraries["audit"], "deny/protected_pull_policy")
    another = workload("Deployment", "another")
    wait_until(
        lambda: (
            MESSAGE
            in cluster.client.request("POST", f"{collection('Deployment', 'kube-system')}?dryRun=All", another).message
        ),
        timeout=60,
        what="deny",
    )
    assert _safety(cluster).state == "safe"
    before = _pods(cluster)
    _delete_pods(cluster)
    wait_until(lambda: len(_pods(cluster) - before) == 1, timeout=60, what="the ReplicaSet to replace its pod")
    cluster.kubectl("rollout", "restart", "deployment/old", "--namespace=kube-system")
    wait_until(lambda: len(_sets(cluster)) == 2, timeout=60, what="a ReplicaSet of the next rollout")
    cluster.kubectl("rollout", "undo", "deployment/old", "--namespace=kube-system")
    wait_until(lambda: _sets(cluster)[offender]["spec"]["replicas"] == 1, timeout=60, what="the first ReplicaSet again")


def test_trusted_controllers_replace_pods_and_users_who_name_them_do_not(
    cluster: Cluster, offender: str, libraries: dict[str, Path]
) -> None:
    """A pod that names a ReplicaSet as its owner has the real UID, so that the garbage collector would keep it."""
    install(cluster, libraries["audit"], "deny/protected_pull_policy")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": offender, "controller": True}
    owner["uid"] = _sets(cluster)[offender]["metadata"]["uid"]
    spoofed = pod("spoofed")
    spoofed["metadata"]["ownerReferences"] = [owner]
    path = f"{_PODS}?dryRun=All"
    assert cluster.client.request("POST", path, spoofed).code == 201
    apply(cluster, libraries["trusted"] / "deny/protected_pull_policy")
    wait_until(lambda: MESSAGE in cluster.client.request("POST", path, spoofed).message, timeout=60, what="trusted")
    before = _pods(cluster)
    _delete_pods(cluster)
    wait_until(
        lambda: len(_pods(cluster) - before) == len(before), timeout=60, what="the ReplicaSets to replace their pods"
    )
    assert _safety(cluster).state == "safe"
    # Only the names of the users matter here, so both are in a group that may do everything.
    for user, code in [(_TRUSTED, 0), (f"{_TRUSTED}-2", 1)]:
        who = (f"--as={user}", "--as-group=system:masters")
        made = cluster.kubectl(
            "create", "-f", "-", "--namespace=kube-system", "--dry-run=server", *who, stdin=spoofed, check=False
        )
        assert (made.returncode, MESSAGE in made.stderr) == (code, code == 1)


def test_pods_are_not_replaced_if_controlled_pods_are_denied(
    cluster: Cluster, offender: str, libraries: dict[str, Path]
) -> None:
    install(cluster, libraries["audit"], "deny/protected_pull_policy")
    apply(cluster, libraries["deny"] / "deny/protected_pull_policy")
    safety = _safety(cluster)
    assert safety.state == "unsafe"
    constraint = ("protected-pull-policy-by-name",)
    assert Blocked("ReplicaSet", offender, "Deployment old", False, True, constraint, MESSAGE) in safety.blocked
    _delete_pods(cluster)
    wait_until(
        lambda: MESSAGE in _failure(_sets(cluster)[offender]), timeout=60, what="the ReplicaSet to be refused its pod"
    )
    assert _pods(cluster) == set()


def _sets(cluster: Cluster) -> dict[str, Any]:
    return {found["metadata"]["name"]: found for found in cluster.client.request("GET", _SETS).body["items"]}


def _failure(replica_set: dict[str, Any]) -> str:
    """Return why a ReplicaSet cannot create its pods, or ""."""
    conditions = replica_set["status"].get("conditions", [])
    return "".join(found["message"] for found in conditions if found["type"] == "ReplicaFailure")
