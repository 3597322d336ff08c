"""A rescan through the real kubectl and the real engine, of as much of an API server as it asks for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.audit.command import audit
from pullguard.audit.model import AuditReport
from pullguard.cluster.kubectl import PageFile, RefusedList, connected
from pullguard.cluster.snapshot import Kind
from pullguard.core.errors import PullguardError
from read_only_cluster import ReadOnlyCluster

_KIND = "K8sProtectedPullPolicy"
_KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("", "Pod", "pods", namespaced=True),
    Kind("apps", "DaemonSet", "daemonsets", namespaced=True),
    Kind("apps", "Deployment", "deployments", namespaced=True),
    Kind("constraints.gatekeeper.sh", _KIND, _KIND.lower()),
    Kind("templates.gatekeeper.sh", "ConstraintTemplate", "constrainttemplates"),
    Kind("expansion.gatekeeper.sh", "ExpansionTemplate", "expansiontemplate"),
)

Start = Callable[..., ReadOnlyCluster]


@pytest.fixture
def start(checkout: Path) -> Iterator[Start]:
    template = yaml.safe_load((checkout / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8"))
    clusters = []

    def start_cluster(match: dict[str, Any], objects: dict[str, Any], **options: Any) -> ReadOnlyCluster:
        constraint = {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": _KIND,
            "metadata": {"name": "c"},
            "spec": {"enforcementAction": "dryrun", "match": match},
        }
        stored = {"ConstraintTemplate": [template], _KIND: [constraint], **objects}
        clusters.append(ReadOnlyCluster(_KINDS, stored, **options))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.stop()


def _pods(*names: str, policy: str = "Always", namespace: str = "a") -> list[dict[str, Any]]:
    """Return pods as lists have them: without kind and apiVersion."""
    spec = {"containers": [{"name": "c", "image": "q.io/x:1", "imagePullPolicy": policy}]}
    return [{"metadata": {"name": name, "namespace": namespace}, "spec": spec} for name in names]


def _namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def _rescan(cluster: ReadOnlyCluster, folder: Path, kubectl: str) -> AuditReport:
    kubeconfig = cluster.write_kubeconfig(folder / "kubeconfig")
    return audit(scan=True, kubeconfig=str(kubeconfig), kubectl=kubectl)


def _names(report: AuditReport) -> list[str]:
    (constraint,) = report.constraints
    return [violation.object.name for violation in constraint.violations]


_PODS = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}


def test_every_page_is_judged(start: Start, tmp_path: Path, kubectl: str) -> None:
    pods = [*_pods("a", "b", "c", "d"), *_pods("e", policy="IfNotPresent"), *_pods("f")]
    report = _rescan(start(_PODS, {"Pod": pods}), tmp_path, kubectl)
    assert (_names(report), report.errors, report.complete) == (["a", "b", "c", "d", "f"], (), True)
    assert "6 objects of 1 kinds were judged" in report.notes
    assert {violation.object.api_version for violation in report.constraints[0].violations} == {"v1"}
    assert [found.workload.kind for found in report.findings] == ["Pod"] * 5


def test_a_list_that_is_forgotten_begins_again_and_nothing_counts_twice(
    start: Start, tmp_path: Path, kubectl: str
) -> None:
    report = _rescan(start(_PODS, {"Pod": _pods(*"abcdefgh")}, expired=[2, 6, 4]), tmp_path, kubectl)
    assert (_names(report), report.errors) == (list("abcdefgh"), ())
    assert "8 objects of 1 kinds were judged" in report.notes


def test_a_list_that_is_always_forgotten_ends_it(start: Start, tmp_path: Path, kubectl: str) -> None:
    with pytest.raises(PullguardError, match="Expired"):
        _rescan(start(_PODS, {"Pod": _pods(*"abc")}, expired=[2] * 5), tmp_path, kubectl)


def test_namespaces_are_known_by_their_labels(start: Start, tmp_path: Path, kubectl: str) -> None:
    match = {**_PODS, "namespaceSelector": {"matchLabels": {"critical": "yes"}}}
    pods = [*_pods("in", namespace="a"), *_pods("out", namespace="b"), *_pods("none", namespace="c")]
    namespaces = [_namespace("a", critical="yes"), _namespace("b"), {"metadata": {"name": "c"}}]
    report = _rescan(start(match, {"Pod": pods, "Namespace": namespaces}), tmp_path, kubectl)
    assert (_names(report), report.errors) == (["in"], ())


def test_what_may_not_be_read_is_an_error_and_the_rest_is_judged(start: Start, tmp_path: Path, kubectl: str) -> None:
    match = {"kinds": [{"apiGroups": ["", "apps"], "kinds": ["Pod", "Deployment", "DaemonSet"]}]}
    report = _rescan(start(match, {"Pod": _pods("a")}, forbidden=["Deployment"]), tmp_path, kubectl)
    assert (_names(report), report.exit_code("deny")) == (["a"], 2)
    (error,) = report.errors
    assert error.message.startswith("kubectl could not read /apis/apps/v1/deployments")


def test_owners_are_told_by_what_violates(start: Start, tmp_path: Path, kubectl: str) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}
    (pod,) = _pods("agent-1")
    pod["metadata"]["ownerReferences"] = [owner]
    agent = {"metadata": {"name": "agent", "namespace": "a"}, "spec": {"template": {"spec": {"containers": []}}}}
    report = _rescan(start(_PODS, {"Pod": [pod], "DaemonSet": [agent]}), tmp_path, kubectl)
    assert [(found.workload.kind, found.workload.name) for found in report.findings] == [("DaemonSet", "agent")]


def test_lists_are_read_beside_each_other(start: Start, tmp_path: Path, kubectl: str) -> None:
    agents = [{"metadata": {"name": name, "namespace": "a"}} for name in "xyz"]
    cluster = start(_PODS, {"Pod": _pods(*"abc"), "DaemonSet": agents}, forbidden=["Deployment"])
    kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
    paths = ["/api/v1/pods", "/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets"]
    names: dict[str, list[str]] = {}
    refused = []
    with connected(kubeconfig=str(kubeconfig), program=kubectl) as reader:
        for page in reader.page_files(paths):
            if isinstance(page, RefusedList):
                refused.append((page.path, page.error.forbidden))
                continue
            assert isinstance(page, PageFile)
            items = json.loads(page.file.read_bytes())["items"]
            names.setdefault(page.path, []).extend(item["metadata"]["name"] for item in items)
    assert names == {paths[0]: list("abc"), paths[2]: list("xyz")}
    assert refused == [(paths[1], True)]


def test_expansion_templates_of_the_cluster_are_named_or_said_to_be_forbidden(
    start: Start, tmp_path: Path, kubectl: str
) -> None:
    expansion = {
        "metadata": {"name": "expand"},
        "spec": {
            "applyTo": [{"groups": ["apps"], "kinds": ["Deployment"], "versions": ["v1"]}],
            "enforcementAction": "deny",
            "generatedGVK": {"group": "", "kind": "Pod", "version": "v1"},
        },
    }
    objects = {"ExpansionTemplate": [expansion]}
    named = (
        "the ExpansionTemplate expand makes Gatekeeper judge the pods of Deployment as if they had no controller, by "
        "c: its enforcementAction deny replaces that of the constraints; set match.source: Original in the constraints"
    )
    forbidden = "the ExpansionTemplates of the cluster cannot be read (forbidden)"
    for options, expected in [({}, named), ({"forbidden": ["ExpansionTemplate"]}, forbidden)]:
        report = _rescan(start(_PODS, objects, **options), tmp_path, kubectl)
        assert [note for note in report.notes if "ExpansionTemplate" in note] == [expected]
        assert report.errors == ()
