"""What falls with pods, the way back, and repairs that `--with` confirms: snapshots in, forecasts out."""

import io
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.cli import main
from pullguard.core.errors import PullguardError
from pullguard.forecasting.situation import KINDS
from pullguard.outage.command import outage
from pullguard.outage.formats import REPORTERS
from pullguard.outage.model import Cascade, Link, OutageReport
from pullguard.outage.written import write_repair

JSON = dict[str, Any]

_ADMISSION = "admissionregistration.k8s.io/v1"
# Each namespace has its own: who shares an image shares doubts about who may use it.
_IMAGES = {name: f"example.org/{name}:1" for name in ("a", "b", "c", "other")}


def _node(*images: str) -> JSON:
    status = {"images": [{"names": [image]} for image in images], "nodeInfo": {"kubeletVersion": "v1.36.3"}}
    labels = {"kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "a", "uid": "a", "labels": labels},
        "status": status,
    }


def _protecting(*namespaces: str) -> JSON:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": "protected", "uid": "p"},
        "spec": {"match": {"namespaces": list(namespaces)}},
    }


def _deployment(namespace: str, name: str = "app", *, policy: str = "IfNotPresent") -> JSON:
    labels = {"app": namespace}
    image = _IMAGES[namespace if name == "app" else name]
    container = {"name": "app", "image": image, "imagePullPolicy": policy}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _running(namespace: str, policy: str = "IfNotPresent") -> JSON:
    """Return a pod on the node that nothing controls."""
    labels = {"app": namespace}
    container = {"name": "app", "image": _IMAGES[namespace], "imagePullPolicy": policy}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": namespace, "uid": f"pod-{namespace}", "labels": labels},
        "spec": {"nodeName": "a", "containers": [container]},
    }


def _service(namespace: str, **selector: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hook", "namespace": namespace, "uid": f"s-{namespace}"},
        "spec": {"selector": selector or {"app": namespace}},
    }


def _guard(namespace: str, *guarded: str, resources: Iterable[str] = ("pods",), **change: Any) -> JSON:
    """Return a webhook of a Service in a namespace that catches what is made in others."""
    name = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(guarded)}
    webhook = {
        "name": "pods.example.com",
        "failurePolicy": "Fail",
        "clientConfig": {"service": {"namespace": namespace, "name": "hook"}},
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": list(resources)}],
        "namespaceSelector": {"matchExpressions": [name]},
        **change,
    }
    metadata = {"name": f"guard-{namespace}", "uid": f"w-{namespace}"}
    return {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": [webhook],
    }


def _file(folder: Path, *objects: Mapping[str, Any], name: str = "dump.yaml") -> str:
    file = folder / name
    file.write_text(yaml.safe_dump_all(objects), "utf-8")
    return str(file)


def _replaced(*paths: str, overlays: Iterable[str] = ()) -> tuple[OutageReport, Cascade]:
    report = outage(paths, events=["replace"], overlays=list(overlays))
    return report, report.cascades["replace"]


def _states(report: OutageReport) -> dict[str, str]:
    return {
        str(workload.ref): workload.fallen["replace"].verdict
        if "replace" in workload.fallen
        else workload.forecasts["replace"].verdict
        for workload in report.workloads
    }


def _written(report: OutageReport, folder: Path, *paths: str) -> list[str]:
    assert write_repair(report, folder, KINDS, paths) == []
    return sorted(path.name for path in folder.iterdir())


def test_gatekeeper_as_it_comes(checkout: Path, tmp_path: Path) -> None:
    manifest = str(checkout / ".tools/manifests/gatekeeper.yaml")
    nodes = _file(tmp_path, _node("docker.io/openpolicyagent/gatekeeper:v3.23.1"))
    report, cascade = _replaced(manifest, nodes)
    assert sum(workload.forecasts["replace"].pods("stays down") for workload in report.protected) == 4
    assert [fallen.name for fallen in cascade.fallen] == [
        "ValidatingWebhookConfiguration/gatekeeper-validating-webhook-configuration/check-ignore-label.gatekeeper.sh"
    ]
    assert (cascade.cost, cascade.proven, cascade.left) == (2, True, ())
    files = _written(report, tmp_path / "repair", manifest, nodes)
    assert files == [f"deployment-gatekeeper-system-gatekeeper-{name}.yaml" for name in ("audit", "controller-manager")]
    report, cascade = _replaced(manifest, nodes, overlays=[str(tmp_path / "repair")])
    assert [workload.forecasts["replace"].pods("stays down") for workload in report.protected] == [0, 0]
    assert (report.exit_code, cascade.fallen, cascade.repair) == (0, (), ())


def test_what_starts_anew_in_manifests(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There are no pods in them whose containers could restart."""
    assert main(["outage", str(checkout / ".tools/manifests/gatekeeper.yaml")]) == 1
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "  restart  nothing of the protected workloads starts anew (a container restarts in its pod)",
        "  replace  0 of 2 protected workloads come back (a pod is replaced, and may come to another node)",
    ]


def test_a_repair_without_nodes_asks_for_the_same_images_afterwards(checkout: Path, tmp_path: Path) -> None:
    manifest = str(checkout / ".tools/manifests/gatekeeper.yaml")
    report, cascade = _replaced(manifest)
    images = "pull the image openpolicyagent/gatekeeper:v3.23.1 onto every node that may run it, and pin it there"
    assert [edit.text for edit in cascade.repair] == [
        images,
        *(
            f"Deployment/gatekeeper-system/gatekeeper-{name}: set imagePullPolicy IfNotPresent"
            for name in ("audit", "controller-manager")
        ),
    ]
    _written(report, tmp_path / "repair", manifest)
    _, cascade = _replaced(manifest, overlays=[str(tmp_path / "repair")])
    assert ([edit.text for edit in cascade.repair], cascade.left) == ([images], ())


def test_what_only_falls_is_done_first_if_there_is_nothing_else(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outage", "--registry", "quay.io", str(checkout / "tests/data/outage/cluster.yaml")]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("Do first:")
    first = (
        "  1. keep up what they fall with, or leave their namespaces out of it: see the repair: 3 workloads "
        "(DaemonSet/kube-system/kube-proxy, Deployment/kube-system/coredns, StatefulSet/kube-system/policy)"
    )
    assert lines[place + 1 : place + 3] == [first, ""]


def test_webhooks_that_guard_each_other(tmp_path: Path) -> None:
    dump = _file(
        tmp_path,
        _node(*_IMAGES.values()),
        _protecting("a", "b", "c"),
        _deployment("a", policy="Always"),
        _deployment("b"),
        _deployment("c"),
        *(_service(name) for name in "ab"),
        _guard("a", "b"),
        _guard("b", "a", "c"),
    )
    report, cascade = _replaced(dump)
    assert _states(report) == {f"Deployment/{name}/app": "stays down" for name in "abc"}
    assert cascade.knots == (("Deployment/a/app", "Deployment/b/app"),)
    assert cascade.order == (("Deployment/c/app",),)
    guards = [f"ValidatingWebhookConfiguration/guard-{name}/pods.example.com" for name in "ab"]
    assert cascade.links == (
        *(Link(0, f"Deployment/{name}/app", f"Service/{name}/hook", certain=True) for name in "ab"),
        *(Link(1, f"Service/{name}/hook", guard, certain=True) for name, guard in zip("ab", guards, strict=True)),
        Link(2, guards[0], "pods of b", certain=True),
        Link(2, guards[1], "pods of a", certain=True),
        Link(2, guards[1], "pods of c", certain=True),
        *(Link(3, f"pods of {name}", f"Deployment/{name}/app", certain=True) for name in "abc"),
    )
    assert [(fallen.name, fallen.verdict) for fallen in cascade.fallen] == [(name, "stays down") for name in guards]
    (b,) = (workload for workload in report.workloads if workload.ref.namespace == "b")
    assert b.fallen["replace"].because == (guards[0], "Service/a/hook", "Deployment/a/app")
    assert [(edit.text, edit.cost) for edit in cascade.repair] == [
        ("Deployment/a/app: set imagePullPolicy IfNotPresent", 1)
    ]
    _written(report, tmp_path / "repair", dump)
    report, _ = _replaced(dump, overlays=[str(tmp_path / "repair")])
    assert set(_states(report).values()) == {"starts"}
    assert report.exit_code == 0


def test_one_that_runs_keeps_a_service_up(tmp_path: Path) -> None:
    other = _deployment("a", "other", policy="Always")
    dump = _file(
        tmp_path,
        *(
            _node(*_IMAGES.values()),
            _deployment("a"),
            other,
            _deployment("b"),
            _service("a"),
            _guard("a", "b"),
            _protecting("b"),
        ),
    )
    report, cascade = _replaced(dump)
    assert _states(report) == {
        "Deployment/a/app": "starts",
        "Deployment/a/other": "stays down",
        "Deployment/b/app": "starts",
    }
    assert cascade.fallen == ()
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "stays down"),
        ({"failurePolicy": "Ignore"}, "starts"),
        ({"matchConditions": [{"name": "x", "expression": "true"}]}, "unknown"),
        ({"namespaceSelector": {"matchLabels": {"x": "y"}}}, "unknown"),
        ({"objectSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["b"]}]}}, "starts"),
        ({"objectSelector": {"matchLabels": {"app": "b"}}}, "stays down"),
        ({"objectSelector": {"matchLabels": {"track": "b"}}}, "unknown"),
        ({"resources": ["pods/binding"]}, "stays down"),
        ({"resources": ["serviceaccounts/token"]}, "unknown"),
        ({"resources": ["nodes"]}, "unknown"),
        ({"resources": ["services"]}, "starts"),
        ({"clientConfig": {"url": "https://hook.a.svc/x"}}, "stays down"),
        ({"clientConfig": {"url": "https://example.com"}}, "starts"),
        ({"clientConfig": {"service": {"namespace": "a", "name": "lost"}}}, "unknown"),
    ],
)
def test_what_a_webhook_catches(tmp_path: Path, change: JSON, state: str) -> None:
    guard = _guard("a", "b", **change)
    dump = _file(
        tmp_path,
        *(
            _node(*_IMAGES.values()),
            _deployment("a", policy="Always"),
            _deployment("b"),
            _service("a"),
            guard,
            _protecting("b"),
        ),
    )
    report, _ = _replaced(dump)
    assert _states(report)["Deployment/b/app"] == state
    assert report.exit_code == (0 if state == "starts" else 1)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"resources": ["pods", "pods/binding"]}, "starts"),
        ({"resources": ["pods"], "objectSelector": {"matchLabels": {"app": "b"}}}, "starts"),
        ({"resources": ["serviceaccounts/token"]}, "unknown"),
        ({"resources": ["serviceaccounts/*"], "failurePolicy": "Ignore"}, "starts"),
        ({"resources": ["nodes/status"]}, "unknown"),
    ],
)
def test_what_a_webhook_keeps_from_a_node_that_reboots(tmp_path: Path, change: JSON, state: str) -> None:
    """Pods are there already; on their node they still need tokens, and the node its status and its lease."""
    dump = _file(
        tmp_path,
        *(_node(*_IMAGES.values()), _running("a", "Always"), _running("b"), _service("a"), _protecting("b")),
        _guard("a", "b", **change),
    )
    report = outage([dump], events=["reboot", "restart"])
    states = {}
    for workload in report.workloads:
        fallen = workload.fallen.get("reboot")
        verdict = workload.forecasts["reboot"].verdict if fallen is None else fallen.verdict
        states[str(workload.ref)] = verdict
    assert states == {"Pod/a/app": "stays down", "Pod/b/app": state}
    assert all(not workload.fallen.get("restart") for workload in report.workloads)


@pytest.mark.parametrize(
    ("replicas", "change", "state"),
    [
        (1, {}, "unknown"),
        (1, {"objectSelector": {"matchLabels": {"app": "a"}}}, "unknown"),
        (1, {"objectSelector": {"matchLabels": {"app": "b"}}}, "starts"),
        (1, {"resources": ["pods/status"]}, "starts"),
        (1, {"failurePolicy": "Ignore"}, "starts"),
        (2, {}, "starts"),
    ],
)
def test_the_only_pod_of_a_webhook_that_catches_it(tmp_path: Path, replicas: int, change: JSON, state: str) -> None:
    app = _deployment("a")
    app["spec"]["replicas"] = replicas
    dump = _file(tmp_path, _node(*_IMAGES.values()), app, _service("a"), _guard("a", "a", **change), _protecting("a"))
    report, cascade = _replaced(dump)
    assert _states(report) == {"Deployment/a/app": state}
    (workload,) = report.workloads
    name = "ValidatingWebhookConfiguration/guard-a/pods.example.com"
    assert [fallen.because for fallen in workload.fallen.values()] == (
        [(f"{name} without Deployment/a/app",)] if state == "unknown" else []
    )
    around = ("Deployment/a/app", "Service/a/hook", name, "pods of a", "Deployment/a/app")
    steps = tuple(Link(layer, *step, certain=False) for layer, step in enumerate(pairwise(around)))
    if state == "unknown":
        assert cascade.links == steps
    assert any(link.target == around[-1] for link in cascade.links) == (state == "unknown")
    edit = (
        "ValidatingWebhookConfiguration/guard-a: leave namespace a out of namespaceSelector of webhook pods.example.com"
    )
    assert [each.text for each in cascade.repair] == ([edit] if state == "unknown" else [])
    if edit in [each.text for each in cascade.repair]:
        _written(report, tmp_path / "repair", dump)
        report, _ = _replaced(dump, overlays=[str(tmp_path / "repair")])
        assert _states(report) == {"Deployment/a/app": "starts"}


def test_the_only_pod_of_a_webhook_that_is_never_ready(tmp_path: Path) -> None:
    """The pod starts, and nobody may say so: nothing answers, and other pods are refused."""
    guard = _guard("a", "a", "b", resources=["pods", "pods/status"])
    guard["webhooks"][0]["objectSelector"] = {"matchLabels": {"app": "b"}}
    status = _guard("a", "a", resources=["pods/status"])
    guard["webhooks"] += status["webhooks"]
    dump = _file(
        tmp_path,
        *(_node(*_IMAGES.values()), _deployment("a"), _deployment("b"), _service("a"), guard, _protecting("a", "b")),
    )
    report, cascade = _replaced(dump)
    assert _states(report) == {"Deployment/a/app": "starts", "Deployment/b/app": "unknown"}
    assert [(fallen.name, fallen.verdict) for fallen in cascade.fallen] == [
        ("ValidatingWebhookConfiguration/guard-a/pods.example.com", "unknown")
    ]


def _registry(image: str, *, policy: str = "IfNotPresent", replicas: int = 1) -> tuple[JSON, JSON]:
    """Return a registry in the namespace `a`: the Deployment and the Service."""
    app = _deployment("a")
    app["spec"]["replicas"] = replicas
    container = app["spec"]["template"]["spec"]["containers"][0]
    container["image"], container["imagePullPolicy"] = image, policy
    service = _service("a")
    service["spec"] |= {"clusterIP": "10.0.0.9", "ports": [{"port": 5000, "nodePort": 30500}]}
    return app, service


def _pulling(image: str, policy: str = "Always") -> JSON:
    app = _deployment("b")
    app["spec"]["template"]["spec"]["containers"][0] |= {"image": image, "imagePullPolicy": policy}
    return app


@pytest.mark.parametrize(
    ("host", "policy", "state"),
    [
        ("hook.a.svc", "Always", "stays down"),
        ("10.0.0.9:5000", "Always", "stays down"),
        ("localhost:30500", "Always", "stays down"),
        ("hook.a.svc.cluster.local:5000", "IfNotPresent", "starts"),
    ],
)
def test_a_registry_in_the_cluster(tmp_path: Path, host: str, policy: str, state: str) -> None:
    """What pulls from it stays down with it, whether or not the registry that it comes from itself is named."""
    image = "quay.io/registry:1"
    objects = [_node(image), *_registry(image, policy=policy), _pulling(f"{host}/b:1"), _protecting("a", "b")]
    dump = _file(tmp_path, *objects)
    for registries in ([], ["quay.io"]):
        report = outage([dump], events=["restart", "replace"], registries=registries)
        assert _states(report) == {"Deployment/a/app": state, "Deployment/b/app": state}
        assert report.exit_code == (state != "starts")
        cascade = report.cascades["replace"]
        chain = ("Service/a/hook", "Deployment/a/app")
        assert [(fallen.name, fallen.because) for fallen in cascade.fallen] == (
            [("registry a/hook", chain)] if state == "stays down" else []
        )
        (b,) = (workload for workload in report.workloads if workload.ref.namespace == "b")
        assert {event: fallen.because for event, fallen in b.fallen.items()} == (
            {"replace": ("registry a/hook", *chain)} if state == "stays down" else {}
        )
        assert [edit.text for edit in cascade.repair] == (
            ["Deployment/a/app: set imagePullPolicy IfNotPresent"] if state == "stays down" else []
        )


@pytest.mark.parametrize(
    ("image", "policy", "on_node", "state"),
    [
        ("hook.a.svc/b:1", "Always", True, "stays down"),
        ("hook.a.svc/b:1", "IfNotPresent", False, "stays down"),
        ("hook.a.svc/b:1", "IfNotPresent", True, "starts"),
        ("elsewhere.a.svc/b:1", "Always", True, "stays down"),
        ("quay.io/b:1", "Always", True, "starts"),
    ],
)
def test_what_a_registry_that_is_down_keeps_down(
    tmp_path: Path, image: str, policy: str, on_node: bool, state: str
) -> None:
    registry = _registry("docker.io/registry:1", policy="Always")
    dump = _file(tmp_path, _node(*[image] * on_node), *registry, _pulling(image, policy), _protecting("b"))
    report = outage([dump], events=["replace"], registries=["docker.io", "elsewhere.a.svc"])
    assert _states(report)["Deployment/b/app"] == state


def test_a_registry_that_is_named(tmp_path: Path) -> None:
    """It is gone, though its pods run; and what is said of a host goes before what its name says."""
    dump = _file(
        tmp_path, _node("quay.io/r:1"), *_registry("quay.io/r:1"), _pulling("hook.a.svc/b:1"), _protecting("b")
    )
    report = outage([dump], events=["replace"], registries=["hook.a.svc"])
    assert _states(report)["Deployment/b/app"] == "stays down"
    assert report.workloads[0].fallen == {}
    with pytest.raises(PullguardError, match="there is no Service a/other in the snapshot"):
        outage([dump], registry_services=["a/other=quay.io"])
    for wrong in ("a/hook", "hook=quay.io", "a/hook=", "a/hook=quay.io/b"):
        with pytest.raises(PullguardError, match="is not the registry of a Service"):
            outage([dump], registry_services=[wrong])


def test_a_registry_that_is_stated(tmp_path: Path) -> None:
    objects = [_node("quay.io/r:1"), *_registry("quay.io/r:1"), _pulling("mirror.example/b:1"), _protecting("b")]
    dump = _file(tmp_path, *objects)
    states = [
        _states(outage([dump], events=["replace"], registry_services=stated))["Deployment/b/app"]
        for stated in ([], ["a/hook=mirror.example"])
    ]
    assert states == ["stays down", "starts"]


def test_a_registry_that_may_be_down(tmp_path: Path) -> None:
    """Its image is on one of two nodes: all that pulls from it may stay down."""
    other = {**_node(), "metadata": {**_node()["metadata"], "name": "b", "uid": "b"}}
    registry = _registry("quay.io/r:1")
    dump = _file(tmp_path, _node("quay.io/r:1"), other, *registry, _pulling("hook.a.svc/b:1"), _protecting("b"))
    report, cascade = _replaced(dump)
    assert _states(report) == {"Deployment/a/app": "unknown", "Deployment/b/app": "unknown"}
    assert [(fallen.name, fallen.verdict) for fallen in cascade.fallen] == [("registry a/hook", "unknown")]


@pytest.mark.parametrize(("replicas", "state"), [(1, "unknown"), (2, "starts")])
def test_a_registry_that_pulls_from_itself(tmp_path: Path, replicas: int, state: str) -> None:
    registry = _registry("hook.a.svc/registry:1", policy="Always", replicas=replicas)
    dump = _file(tmp_path, _node("hook.a.svc/registry:1"), *registry, _pulling("hook.a.svc/b:1"), _protecting("a", "b"))
    report, cascade = _replaced(dump)
    assert _states(report) == {"Deployment/a/app": state, "Deployment/b/app": state}
    assert [edit.text for edit in cascade.repair] == (
        ["Deployment/a/app: set imagePullPolicy IfNotPresent"] if state == "unknown" else []
    )


def test_the_last_one_behind_a_webhook(tmp_path: Path) -> None:
    """Another workload behind the Service is down: the only pod that is left is refused by its own webhook."""
    other = _deployment("a", "other", policy="Always")
    objects = [_node(*_IMAGES.values()), _deployment("a"), other, _service("a"), _guard("a", "a"), _protecting("a")]
    report, _ = _replaced(_file(tmp_path, *objects))
    assert _states(report) == {"Deployment/a/app": "unknown", "Deployment/a/other": "stays down"}


def test_what_nothing_can_pull_is_left_out_of_the_webhook(tmp_path: Path) -> None:
    """Nobody can change the pull policy of a bare pod, and nothing starts it if its image cannot be parsed."""
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "namespace": "a", "uid": "x", "labels": {"app": "a"}},
        "spec": {"containers": [{"name": "app", "image": "Not/An:Image:", "imagePullPolicy": "IfNotPresent"}]},
    }
    objects = [_node(*_IMAGES.values()), bare, _deployment("b"), _service("a"), _guard("a", "b"), _protecting("b")]
    dump = _file(tmp_path, *objects)
    report, cascade = _replaced(dump)
    (edit,) = cascade.repair
    name = "ValidatingWebhookConfiguration/guard-a"
    assert edit.text == f"{name}: leave namespace b out of namespaceSelector of webhook pods.example.com"
    expression = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["b"]}
    patch = json.loads(edit.command.partition("--type=json -p '")[2].removesuffix("'"))
    selecting = objects[4]["webhooks"][0]["namespaceSelector"]["matchExpressions"]
    assert patch == [
        {
            "op": "replace",
            "path": "/webhooks/0/namespaceSelector/matchExpressions",
            "value": [*selecting, expression],
        }
    ]
    assert _written(report, tmp_path / "repair", dump) == ["validatingwebhookconfiguration-guard-a.yaml"]
    report, cascade = _replaced(dump, overlays=[str(tmp_path / "repair")])
    assert (_states(report)["Deployment/b/app"], report.exit_code, cascade.repair) == ("starts", 0, ())


def test_images_that_no_node_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = _file(tmp_path, _node(), _deployment("a", policy="Always"), _protecting("a"))
    assert main(["outage", "--write", str(tmp_path / "repair"), dump]) == 1
    said = "Smallest repair (replace, cost 3):\n  1. pull the image example.org/a:1 onto every node that may run it"
    assert said in capsys.readouterr().out
    assert (tmp_path / "repair/images.txt").read_text("utf-8") == f"{_IMAGES['a']}\n"
    written = yaml.safe_load((tmp_path / "repair/deployment-a-app.yaml").read_text("utf-8"))
    expected = _deployment("a")
    del expected["metadata"]["uid"]
    assert written == expected


def test_apis_and_conversions_fall(tmp_path: Path) -> None:
    where = {"namespace": "a", "name": "hook"}
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.metrics.k8s.io", "uid": "i"},
        "spec": {"service": where},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "limits.example.com", "uid": "d"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Limit"},
            "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"service": where}}},
        },
    }
    policy = {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "limits", "uid": "v"},
        "spec": {
            "paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
            "matchConstraints": _guard("a", "b")["webhooks"][0]
            | {"resourceRules": _guard("a")["webhooks"][0]["rules"]},
        },
    }
    binding = {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "limits", "uid": "w"},
        "spec": {"policyName": "limits", "validationActions": ["Deny"], "paramRef": {"name": "x"}},
    }
    objects = [_node(), _deployment("a"), _deployment("b"), _service("a"), api, definition, policy, binding]
    _, cascade = _replaced(_file(tmp_path, *objects, _protecting("a", "b")))
    chain = ("Service/a/hook", "Deployment/a/app")
    assert [(fallen.name, fallen.because) for fallen in cascade.fallen] == [
        ("APIService/v1.metrics.k8s.io", chain),
        ("CustomResourceDefinition/limits.example.com", chain),
        ("ValidatingAdmissionPolicy/limits", chain),
    ]
    assert [edit.text for edit in cascade.repair] == [
        f"pull the image {_IMAGES[name]} onto every node that may run it, and pin it there" for name in "ab"
    ]


def test_the_steps_by_which_things_may_fall(tmp_path: Path) -> None:
    """Nodes and endpoints of Services only may be lost; of pods by label the namespace is told."""
    guard = _guard("a", "b", resources=["nodes", "endpoints"])
    guard["webhooks"] += _guard("a", "b", name="labels", objectSelector={"matchLabels": {"app": "b"}})["webhooks"]
    objects = [_node(*_IMAGES.values()), _deployment("a", policy="Always"), _deployment("b"), _service("a")]
    _, cascade = _replaced(_file(tmp_path, *objects, _service("b"), guard, _guard("b", "c"), _protecting("a", "b")))
    hooks = [
        f"ValidatingWebhookConfiguration/guard-{name}"
        for name in ("a/labels", "a/pods.example.com", "b/pods.example.com")
    ]
    apps, services = (
        [f"{kind}/{name}/{of}" for name in "ab"] for kind, of in (("Deployment", "app"), ("Service", "hook"))
    )
    assert cascade.links == (
        *(Link(0, app, service, certain=True) for app, service in zip(apps, services, strict=True)),
        *(Link(1, services[0], hook, certain=True) for hook in hooks[:2]),
        Link(1, services[1], hooks[2], certain=True),
        Link(2, hooks[0], "pods of b", certain=True),
        Link(2, hooks[1], "endpoints of b", certain=False),
        Link(2, hooks[1], "nodes and leases", certain=True),
        Link(3, "endpoints of b", services[1], certain=False),
        *(Link(3, "nodes and leases", app, certain=False) for app in apps),
        Link(3, "pods of b", apps[1], certain=True),
    )


def test_json(tmp_path: Path) -> None:
    objects = [
        _node(*_IMAGES.values()),
        _deployment("a", policy="Always"),
        _deployment("b"),
        _service("a"),
        _guard("a", "b"),
    ]
    report, _ = _replaced(_file(tmp_path, *objects, _protecting("a", "b")))
    stream = io.StringIO()
    REPORTERS["json"](report, stream)
    found = json.loads(stream.getvalue())
    name = "ValidatingWebhookConfiguration/guard-a/pods.example.com"
    assert found["cascades"]["replace"] == {
        "fallen": [{"name": name, "verdict": "stays down", "because": ["Service/a/hook", "Deployment/a/app"]}],
        "knots": [],
        "order": [["Deployment/a/app"], ["Deployment/b/app"]],
        "repair": [
            {
                "text": "Deployment/a/app: set imagePullPolicy IfNotPresent",
                "cost": 1,
                "command": "kubectl patch --namespace a deployment app --type=strategic -p "
                """'{"spec": {"template": {"spec": {"containers": """
                """[{"name": "app", "imagePullPolicy": "IfNotPresent"}]}}}}'""",
            }
        ],
        "cost": 1,
        "proven": True,
        "left": [],
    }
    assert [workload["fallen"] for workload in found["workloads"]] == [
        {},
        {
            "replace": {
                "name": "Deployment/b/app",
                "verdict": "stays down",
                "because": [name, "Service/a/hook", "Deployment/a/app"],
            }
        },
    ]


def test_stdin_cannot_be_written_from(tmp_path: Path) -> None:
    report, _ = _replaced(_file(tmp_path, _node(), _deployment("a")))
    with pytest.raises(PullguardError, match="what came from stdin cannot be read again"):
        write_repair(report, tmp_path, KINDS, ["-"])
