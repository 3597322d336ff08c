"""An ExpansionTemplate next to the library: deny refuses no existing object, and no violation is reported twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed_library import apply, constraints, install, uninstall
from local_cluster.api import Answer
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import MESSAGE, collection, pod, pod_spec, workload
from pullguard.audit.command import audit
from pullguard.scope.command import scope

# From Gatekeeper's documentation, with an enforcementAction that overrides that of the constraints.
_EXPANSION = {
    "apiVersion": "expansion.gatekeeper.sh/v1beta1",
    "kind": "ExpansionTemplate",
    "metadata": {"name": "expand-workloads"},
    "spec": {
        "applyTo": [
            {"groups": ["apps"], "kinds": ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], "versions": ["v1"]},
            {"groups": [""], "kinds": ["ReplicationController"], "versions": ["v1"]},
            {"groups": ["batch"], "kinds": ["Job"], "versions": ["v1"]},
        ],
        "templateSource": "spec.template",
        "enforcementAction": "deny",
        "generatedGVK": {"group": "", "kind": "Pod", "version": "v1"},
    },
}
_NAME = "protected-pull-policy-by-name"
_KIND = "k8sprotectedpullpolicy"
_DEPLOYMENTS = collection("Deployment", "kube-system")
_SETS = collection("ReplicaSet", "kube-system")
_JOBS = "/apis/batch/v1/namespaces/kube-system/jobs"
_IMPLIED = f"[Implied by expand-workloads] {MESSAGE}"
_PATCH = "application/merge-patch+json"


@pytest.fixture(scope="module")
def old(cluster: Cluster) -> Iterator[str]:
    """Yield the path of a Deployment that says Always and has a ReplicaSet; it is older than the library."""
    made = cluster.client.request("POST", _DEPLOYMENTS, workload("Deployment", "old"))
    assert made.code == 201, made
    owned = _owned("ReplicaSet", "old-1", "Deployment", made.body["metadata"]["uid"])
    assert cluster.client.request("POST", _SETS, owned).code == 201
    yield f"{_DEPLOYMENTS}/old"
    cluster.kubectl("delete", "deployment/old", "--namespace=kube-system", "--cascade=foreground")


@pytest.fixture(scope="module")
def library(cluster: Cluster, checkout: Path, old: str) -> Iterator[Path]:
    """Yield the library; the ExpansionTemplate for workloads is in force."""
    cluster.kubectl("apply", "-f", "-", stdin=_EXPANSION)
    install(cluster, checkout / "library", "deny/protected_pull_policy")
    # With a constraint for all sources, the edit is refused as soon as the constraint and the expansion are in force.
    _set_source(cluster, "All")
    wait_until(lambda: _IMPLIED in _edit(cluster, old, "1").message, timeout=60, what="the expansion")
    yield checkout / "library"
    uninstall(cluster, checkout / "library")
    cluster.kubectl("delete", "expansiontemplate", "expand-workloads")


def _set_source(cluster: Cluster, source: str) -> None:
    change = json.dumps({"spec": {"match": {"source": source}}})
    cluster.kubectl("patch", _KIND, _NAME, "--type=merge", f"--patch={change}")


def _edit(cluster: Cluster, path: str, value: str) -> Answer:
    change = {"metadata": {"annotations": {"edited": value}}}
    return cluster.client.request("PATCH", f"{path}?dryRun=All", change, content_type=_PATCH)


def _scale(cluster: Cluster, path: str) -> Answer:
    return cluster.client.request("PATCH", f"{path}?dryRun=All", {"spec": {"replicas": 3}}, content_type=_PATCH)


def _create(cluster: Cluster, path: str, obj: dict[str, Any]) -> Answer:
    return cluster.client.request("POST", f"{path}?dryRun=All", obj)


def _wait_for_code(cluster: Cluster, code: int) -> None:
    """Wait until the API server answers a new Deployment that says Always with this code."""
    wait_until(
        lambda: _create(cluster, _DEPLOYMENTS, workload("Deployment", "new")).code == code,
        timeout=60,
        what=f"the answer {code}",
    )


def _owned(kind: str, name: str, owner: str, uid: str = "u") -> dict[str, Any]:
    """Return an object as the controller of its owner would make it."""
    if kind == "Job":
        template = {"spec": pod_spec(restartPolicy="Never")}
        obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template}}
    else:
        obj = workload(kind, name)
    version = {"CronJob": "batch/v1", "Deployment": "apps/v1"}[owner]
    reference = {"apiVersion": version, "kind": owner, "name": "old", "uid": uid, "controller": True}
    return {**obj, "metadata": {"name": name, "ownerReferences": [reference]}}


def test_deny_refuses_no_change_of_existing_objects(cluster: Cluster, library: Path, old: str) -> None:
    apply(cluster, library / "deny/protected_pull_policy")
    wait_until(lambda: _edit(cluster, old, "2").code == 200, timeout=60, what="the constraint as it is generated")
    assert _scale(cluster, old).code == 200
    assert _scale(cluster, f"{_SETS}/old-1").code == 200
    assert _create(cluster, _SETS, _owned("ReplicaSet", "old-2", "Deployment")).code == 201
    assert _create(cluster, _JOBS, _owned("Job", "old", "CronJob")).code == 201
    # Objects without a controller are still judged, and only once.
    for kind in ("Deployment", "ReplicaSet"):
        refused = _create(cluster, collection(kind, "kube-system"), workload(kind, "new"))
        assert (refused.code, refused.message.count(MESSAGE)) == (403, 1)
        assert "Implied" not in refused.message
    assert MESSAGE in _create(cluster, collection("Pod", "kube-system"), pod("new")).message


def test_dryrun_denies_nothing_whatever_the_expansion_says(cluster: Cluster, library: Path, old: str) -> None:
    apply(cluster, library / "audit/protected_pull_policy")
    _wait_for_code(cluster, 201)
    assert _edit(cluster, old, "3").code == 200


def test_audit_counts_a_container_once(cluster: Cluster, library: Path) -> None:
    apply(cluster, library / "audit/protected_pull_policy")
    _set_source(cluster, "All")

    def messages() -> list[str]:
        (found,) = constraints(cluster)
        seen = found["status"].get("violations", [])
        return sorted(entry["message"] for entry in seen if entry["name"] == "old")

    wait_until(lambda: messages() == [_IMPLIED, MESSAGE], timeout=60, what="an audit of both")
    report = audit(kubeconfig=str(cluster.kubectl.kubeconfig), kubectl=str(cluster.kubectl.program))
    found = [one for one in report.findings if one.workload.name == "old"]
    assert [(one.workload.kind, one.message) for one in found] == [("Deployment", MESSAGE)]
    concerns = f"as if they had no controller, by {_NAME}: its enforcementAction deny replaces that of the constraints"
    assert any("ExpansionTemplate expand-workloads" in note and concerns in note for note in report.notes)


def test_scope_says_what_the_expansion_denies(cluster: Cluster, library: Path) -> None:
    """With a dryrun constraint, for each source: scope's prediction, and the webhook's answer for such a Deployment."""
    apply(cluster, library / "audit/protected_pull_policy")
    for source, code, outcome in [("All", 403, "denied-by-webhook"), ("Original", 201, "audited")]:
        _set_source(cluster, source)
        _wait_for_code(cluster, code)
        report = scope(kubeconfig=str(cluster.kubectl.kubeconfig), kubectl=str(cluster.kubectl.program))
        found = next(namespace for namespace in report.namespaces if namespace.name == "kube-system")
        assert (found.pod.outcome, found.deployment.outcome) == ("audited", outcome)
        assert found.deny.state == ("unsafe" if source == "All" else "safe")
