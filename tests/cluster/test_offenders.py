"""Offenders that are older than the library: audit reports them; edits pass unless they make them worse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed_library import constraints, install, uninstall
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import IMAGE, MESSAGE, collection, container, cron_job, pod, workload

_STRATEGIC = "application/strategic-merge-patch+json"
_OLD = [
    ("kube-system", pod("old")),
    ("kube-system", workload("Deployment", "old")),
    ("kube-system", cron_job("old")),
    ("gatekeeper-system", pod("old")),
    ("gatekeeper-system", workload("Deployment", "old")),
]
_OF_GATEKEEPER = (
    'container "manager" image "openpolicyagent/gatekeeper:v3.23.1": imagePullPolicy is Always: '
    "cannot start without its registry; set imagePullPolicy: IfNotPresent"
)
_BY = {
    "kube-system": 'admission webhook "validation.gatekeeper.sh" denied the request: [protected-pull-policy-by-name] ',
    "gatekeeper-system": (
        "ValidatingAdmissionPolicy 'protected-pull-policy' with binding 'protected-pull-policy-gatekeeper-namespace' "
        "denied request: "
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _library(cluster: Cluster, checkout: Path) -> Iterator[None]:
    """Create offenders, and then apply the library at its strictest level."""
    library = checkout / "library"
    for namespace, obj in _OLD:
        assert cluster.client.request("POST", collection(obj["kind"], namespace), obj).code == 201
    install(cluster, library, "deny")
    cluster.kubectl("apply", "-k", library / "admission/deny")
    for namespace, said in _BY.items():
        wait_until(lambda: _rehearse(cluster, namespace) == said + MESSAGE, timeout=60, what="deny")  # noqa: B023
    yield
    uninstall(cluster, library)
    for namespace, obj in _OLD:
        cluster.client.request("DELETE", _path(obj["kind"], namespace))


def _path(kind: str, namespace: str) -> str:
    return f"{collection(kind, namespace)}/old"


def _rehearse(cluster: Cluster, namespace: str) -> str:
    """Return the message with which a new offender is refused, without its prefix."""
    answer = cluster.client.request("POST", f"{collection('Pod', namespace)}?dryRun=All", pod("new"))
    return answer.message.removeprefix('pods "new" is forbidden: ')


def _edit(cluster: Cluster, namespace: str, patch: Any, kind: str = "Deployment") -> str:
    """Return the message with which an edit is refused, without its prefix, or ""."""
    path = f"{_path(kind, namespace)}?dryRun=All"
    return cluster.client.request("PATCH", path, patch, content_type=_STRATEGIC).message.removeprefix(
        'deployments.apps "old" is forbidden: '
    )


def _template(*containers: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": metadata, "spec": {"containers": containers}}}}


def test_audit_names_them_all(cluster: Cluster) -> None:
    expected = {
        *((namespace, obj["kind"], "old", MESSAGE) for namespace, obj in _OLD),
        ("gatekeeper-system", "Deployment", "gatekeeper-audit", _OF_GATEKEEPER),
        ("gatekeeper-system", "Deployment", "gatekeeper-controller-manager", _OF_GATEKEEPER),
    }

    def violations() -> list[dict[str, Any]]:
        found = next(found for found in constraints(cluster) if found["kind"] == "K8sProtectedPullPolicy")
        return found["status"].get("violations") or []

    wait_until(lambda: len(violations()) == len(expected), timeout=60, what="the audit of seven offenders")
    found = violations()
    assert {(v["namespace"], v["kind"], v["name"], v["message"]) for v in found} == expected
    assert {v["enforcementAction"] for v in found} == {"deny"}


@pytest.mark.parametrize("namespace", ["kube-system", "gatekeeper-system"])
def test_what_does_not_make_them_worse_passes(cluster: Cluster, namespace: str) -> None:
    edits = [
        {"metadata": {"labels": {"team": "storage"}}},
        {"spec": {"replicas": 3}},
        _template(annotations={"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}),
        _template({"name": "app", "resources": {"limits": {"cpu": "1"}}}),
        _template({"name": "app", "imagePullPolicy": "IfNotPresent"}),
        _template(container("sidecar", policy="Never")),
    ]
    assert [_edit(cluster, namespace, edit) for edit in edits] == [""] * len(edits)
    assert _edit(cluster, namespace, {"metadata": {"labels": {"team": "storage"}}}, "Pod") == ""
    scale = f"{_path('Deployment', namespace)}/scale?dryRun=All"
    assert cluster.client.request("PATCH", scale, {"spec": {"replicas": 2}}, content_type=_STRATEGIC).code == 200


@pytest.mark.parametrize("namespace", ["kube-system", "gatekeeper-system"])
def test_what_makes_them_worse_is_denied(cluster: Cluster, namespace: str) -> None:
    said = _BY[namespace]
    newer = "registry.example.com/app:2"
    assert _edit(cluster, namespace, _template({"name": "app", "image": newer})) == said + MESSAGE.replace(IMAGE, newer)
    assert _edit(cluster, namespace, _template(container("sidecar"))) == said + MESSAGE.replace('"app"', '"sidecar"')


@pytest.mark.parametrize("namespace", ["kube-system", "gatekeeper-system"])
def test_debug_containers_are_judged(cluster: Cluster, namespace: str) -> None:
    def debug(name: str, *options: str) -> str:
        command = ("debug", f"--namespace={namespace}", "old", "--profile=restricted", "--quiet", f"--container={name}")
        return cluster.kubectl(*command, *options, check=False).stderr

    refused = debug("debugger", "--image=registry.example.com/tools:1", "--image-pull-policy=Always")
    assert refused.strip().endswith(
        _BY[namespace]
        + MESSAGE.replace('container "app"', 'ephemeral container "debugger"').replace(
            IMAGE, "registry.example.com/tools:1"
        )
    )
    assert debug("looker", "--image=registry.example.com/tools:1") == ""
    live = cluster.client.request("GET", _path("Pod", namespace)).body
    assert [found["name"] for found in live["spec"]["ephemeralContainers"]] == ["looker"]


def test_gatekeepers_own_manifest_can_be_applied_again(cluster: Cluster, checkout: Path) -> None:
    manifest = checkout / ".tools/manifests/gatekeeper.yaml"
    done = cluster.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", manifest)
    assert "deployment.apps/gatekeeper-controller-manager serverside-applied (server dry run)" in done.stdout
    answer = cluster.client.request(
        "POST", f"{collection('Deployment', 'gatekeeper-system')}?dryRun=All", _renamed(cluster, "gatekeeper-audit")
    )
    assert answer.message.endswith(_BY["gatekeeper-system"] + _OF_GATEKEEPER)


def _renamed(cluster: Cluster, name: str) -> dict[str, Any]:
    """Return one of Gatekeeper's Deployments under a new name."""
    live = cluster.client.request("GET", f"{collection('Deployment', 'gatekeeper-system')}/{name}").body
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "another"}, "spec": live["spec"]}
