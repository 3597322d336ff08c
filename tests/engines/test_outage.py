"""What outage says, through the real OPA: snapshots in, forecasts out."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.cli import main
from pullguard.core.errors import PullguardError
from pullguard.core.resources import packaged_library
from pullguard.forecasting.model import Event
from pullguard.forecasting.situation import kinds
from pullguard.library.store import load
from pullguard.outage.command import find, outage
from pullguard.outage.formats import REPORTERS, write_errors
from pullguard.outage.model import OutageReport
from read_only_cluster import ReadOnlyCluster
from shared_engine import ENGINE

JSON = dict[str, Any]

_IMAGE = "example.org/app:1"
_ZONE = "topology.kubernetes.io/zone"
_DOWN, _UNKNOWN, _STARTS = "stays down", "unknown", "starts"


def _node(
    name: str, *images: str, version: str = "v1.36.3", status: Mapping[str, Any] | None = None, **spec: Any
) -> JSON:
    listed = {"images": [{"names": [image]} for image in images]} if status is None else status
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {"zone": name, "topology.kubernetes.io/zone": f"zone-{name}"},
        },
        "spec": spec,
        "status": {"nodeInfo": {"kubeletVersion": version, "operatingSystem": "linux"}, **listed},
    }


def _container(image: str | None = _IMAGE, policy: str | None = "IfNotPresent", name: str = "app", **more: Any) -> JSON:
    made = {"name": name, "image": image, "imagePullPolicy": policy, **more}
    return {field: value for field, value in made.items() if value is not None}


def _spec(*containers: JSON, **more: Any) -> JSON:
    return {"containers": list(containers or [_container()]), **more}


def _pod(name: str, spec: JSON, node: str = "", owner: str = "", **metadata: Any) -> JSON:
    kind, _, owned = owner.partition("/")
    owners = [{"apiVersion": "v1", "kind": kind, "name": owned, "uid": "o", "controller": True}] if owner else []
    if kind in {"ReplicaSet", "DaemonSet", "StatefulSet"}:
        owners[0]["apiVersion"] = "apps/v1"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "uid": name, "ownerReferences": owners, **metadata},
        "spec": {**spec, **({"nodeName": node} if node else {})},
        "status": {"phase": "Running" if node else "Pending"},
    }


def _workload(kind: str, name: str, template: JSON, *, replicas: int = 1, stored: bool = True) -> JSON:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "kube-system", **({"uid": name} if stored else {})},
        "spec": {"replicas": replicas, "template": {"spec": template}},
    }


def _files(folder: Path, *objects: JSON, name: str = "dump.json") -> str:
    file = folder / name
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), "utf-8")
    return str(file)


def _forecast(report: OutageReport, event: Event, name: str) -> list[tuple[str, int, list[str]]]:
    """Return the outcomes of a workload: verdict, pods, and the reasons of its containers."""
    (workload,) = (workload for workload in report.workloads if workload.ref.name == name)
    if event not in workload.forecasts:
        return []
    return [
        (outcome.verdict, outcome.pods, [use.reason for use in outcome.uses])
        for outcome in workload.forecasts[event].outcomes
    ]


_CLUSTER = (_node("a", _IMAGE), _node("b"))


_INIT = [_container(policy="Always", name="i")]
_MIRROR = {"kubernetes.io/config.mirror": "x"}
_ON_NODE, _ON_SOME = (_STARTS, 1, ["image-on-node"]), (_UNKNOWN, 1, ["image-on-some-nodes"])
#: Pods by name; what becomes of each by event.
_PODS: Mapping[str, tuple[JSON, Mapping[Event, object]]] = {
    "image": (_pod("image", _spec(), "a"), {"restart": [_ON_NODE], "reboot": [_ON_NODE], "replace": [_ON_SOME]}),
    "no-image": (_pod("no-image", _spec(), "b"), {"restart": [(_DOWN, 1, ["image-not-on-node"])]}),
    "no-node": (_pod("no-node", _spec(), "gone"), {"restart": [(_UNKNOWN, 1, ["nodes-unknown"])]}),
    "selects-a": (
        _pod("selects-a", _spec(nodeSelector={"zone": "a"}), "a"),
        {"replace": [(_STARTS, 1, ["image-on-every-node"])]},
    ),
    "selects-b": (
        _pod("selects-b", _spec(nodeSelector={"zone": "b"}), "b"),
        {"replace": [(_DOWN, 1, ["image-on-no-node"])]},
    ),
    "selects-c": (_pod("selects-c", _spec(nodeSelector={"zone": "c"}), "b"), {"replace": [(_DOWN, 1, ["no-node"])]}),
    "daemon": (_pod("daemon-1", _spec(), "a", "DaemonSet/daemon"), {"replace": [_ON_NODE]}),
    "static": (_pod("static", _spec(), "a", "Node/a"), {"replace": [_ON_NODE]}),
    "mirror": (_pod("mirror", _spec(), "a", annotations=_MIRROR), {"replace": [_ON_NODE]}),
    "pending": (
        _pod("pending", _spec(initContainers=_INIT)),
        {"restart": [(_DOWN, 1, ["image-on-some-nodes", "always"])]},
    ),
    "never": (_pod("never", _spec(restartPolicy="Never"), "a"), {"restart": [], "reboot": [], "replace": [_ON_SOME]}),
    "init": (
        _pod("init", _spec(initContainers=_INIT), "a"),
        {"restart": [_ON_NODE], "reboot": [(_DOWN, 1, ["image-on-node", "always"])]},
    ),
}


def test_pods_that_differ_in_the_name_of_their_token_are_alike(tmp_path: Path) -> None:
    def pod(number: int) -> JSON:
        token = {"name": f"kube-api-access-{number}", "projected": {"sources": []}}
        mounts = [{"name": token["name"], "mountPath": "/token"}, {"name": "files", "mountPath": "/files"}]
        files = {"name": "files", "image": {"reference": _IMAGE, "pullPolicy": "IfNotPresent"}}
        container = {**_container(), "volumeMounts": mounts}
        return _pod(f"daemon-{number}", _spec(container, volumes=[token, files]), "a", "DaemonSet/daemon")

    report = outage([_files(tmp_path, *_CLUSTER, pod(1), pod(2))], events=["restart"])
    assert _forecast(report, "restart", "daemon") == [("starts", 2, ["image-on-node", "image-on-node"])]


def test_pods(tmp_path: Path) -> None:
    dump = _files(tmp_path, *_CLUSTER, *(pod for pod, _ in _PODS.values()))
    report = outage([dump], events=["restart", "replace", "reboot"])
    assert {
        name: {event: _forecast(report, event, name) for event in by_event} for name, (_, by_event) in _PODS.items()
    } == {name: by_event for name, (_, by_event) in _PODS.items()}


def test_finished_pods_and_idle_workloads_are_left_out(tmp_path: Path) -> None:
    done = {**_pod("done", _spec(), "a"), "status": {"phase": "Succeeded"}}
    leaving = _pod("leaving", _spec(), "a", deletionTimestamp="2026-01-01T00:00:00Z")
    idle = _workload("Deployment", "idle", _spec(), replicas=0)
    waiting = _workload("Deployment", "waiting", _spec(_container("example.org/other:1")), replicas=3)
    report = outage([_files(tmp_path, *_CLUSTER, done, leaving, idle, waiting)])
    assert [workload.ref.name for workload in report.workloads] == ["waiting"]
    assert _forecast(report, "replace", "waiting") == [(_DOWN, 3, ["image-on-no-node"])]
    assert _forecast(report, "restart", "waiting") == []


def test_a_daemonset_without_pods_has_one_on_every_node(tmp_path: Path) -> None:
    report = outage([_files(tmp_path, *_CLUSTER, _workload("DaemonSet", "d", _spec()))])
    assert _forecast(report, "replace", "d") == [
        (_DOWN, 1, ["image-not-on-node"]),
        (_STARTS, 1, ["image-on-node"]),
    ]


def test_the_template_counts_for_the_next_pod(tmp_path: Path) -> None:
    pods = [_pod(f"p-{node}", _spec(nodeSelector={"zone": "a"}), node, "ReplicaSet/web-1") for node in ("a", "b")]
    replica_set = _workload("ReplicaSet", "web-1", _spec(_container(policy="Never"), nodeSelector={"zone": "b"}))
    replica_set["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "o", "controller": True}
    ]
    report = outage([_files(tmp_path, *_CLUSTER, *pods, replica_set)])
    assert _forecast(report, "restart", "web") == [(_DOWN, 1, ["image-not-on-node"]), (_STARTS, 1, ["image-on-node"])]
    assert _forecast(report, "replace", "web") == [(_DOWN, 2, ["never-without-image"])]


def test_lost_nodes(tmp_path: Path) -> None:
    objects = [
        _node("a", _IMAGE),
        _node("b", _IMAGE),
        _node("c"),
        _pod("bare", _spec(), "a"),
        _pod("daemon", _spec(), "a", "DaemonSet/d"),
        _pod("static", _spec(), "a", "Node/a"),
        _pod("set-0", _spec(nodeSelector={"zone": "b"}), "a", "StatefulSet/set"),
        _pod("away", _spec(), "b", "StatefulSet/away"),
    ]
    report = outage([_files(tmp_path, *objects)], events=["lose"], zones=["zone-a"])
    assert report.nodes == ("a",)
    assert {workload.ref.name: _forecast(report, "lose", workload.ref.name) for workload in report.workloads} == {
        "bare": [(_DOWN, 1, ["no-controller"])],
        "set": [(_STARTS, 1, ["image-on-every-node"])],
    }
    report = outage([_files(tmp_path, *objects)], events=["lose"], nodes=["a", "b"])
    assert _forecast(report, "lose", "set") == [(_DOWN, 1, ["no-node"])]
    assert _forecast(report, "lose", "away") == [(_DOWN, 1, ["image-on-no-node"])]


def test_registries(tmp_path: Path) -> None:
    pods = [
        _pod("hub", _spec(_container("nginx", "Always")), "a"),
        _pod("other", _spec(_container("quay.io/x:1", "Always")), "a"),
    ]
    report = outage([_files(tmp_path, *_CLUSTER, *pods)], registries=["index.docker.io"])
    assert _forecast(report, "restart", "hub") == [(_DOWN, 1, ["always"])]
    assert _forecast(report, "restart", "other") == [(_STARTS, 1, ["registry-reachable"])]


def test_a_list_that_is_cut_and_the_whole_of_it(tmp_path: Path) -> None:
    full = _node("a", *(f"example.org/filler-{number}:1" for number in range(50)))
    dump = _files(tmp_path, full, _node("b", status={}), _pod("p", _spec(), "a"), _pod("q", _spec(), "b"))
    report = outage([dump])
    assert _forecast(report, "restart", "p") == [(_UNKNOWN, 1, ["listing-cut"])]
    assert _forecast(report, "restart", "q") == [(_UNKNOWN, 1, ["listing-cut"])]
    listed = {"images": [{"id": "sha256:1", "repoTags": [_IMAGE], "repoDigests": [], "pinned": False}]}
    (tmp_path / "a.json").write_text(json.dumps(listed), "utf-8")
    (tmp_path / "b.txt").write_text(json.dumps({"images": []}), "utf-8")
    report = outage(
        [dump], node_images=[str(tmp_path / "a.json"), f"b={tmp_path / 'b.txt'}", f"c={tmp_path / 'b.txt'}"]
    )
    assert _forecast(report, "restart", "p") == [(_STARTS, 1, ["image-on-node"])]
    assert _forecast(report, "restart", "q") == [(_DOWN, 1, ["image-not-on-node"])]
    assert "there is no node c for a list of images" in report.notes


def test_images_that_may_be_removed(tmp_path: Path) -> None:
    """On the node of its pod an image is in use, and on another one only a pin keeps it."""
    pod = _pod("set-0", _spec(), "a", "StatefulSet/set")
    objects = [_node("a", _IMAGE), _node("b", _IMAGE), _node("c"), pod, _workload("StatefulSet", "set", _spec())]
    dump = _files(tmp_path, *objects[:2], *objects[3:])

    def found(report: OutageReport) -> tuple[int, list[str]]:
        (workload,) = report.workloads
        ((use,),) = [outcome.uses for outcome in workload.forecasts["replace"].outcomes]
        return use.removable, [note for note in report.notes if "may remove" in note]

    note = (
        "the kubelet may remove images of protected workloads from nodes on which nothing runs from them, unless they "
        f"are pinned there, which --node-images tells: {_IMAGE} (1 node)"
    )
    assert found(outage([dump])) == (1, [note])
    for pinned, expected in ((True, (0, [])), (False, (1, [note]))):
        listed = {"images": [{"repoTags": [_IMAGE], "repoDigests": [], "pinned": pinned}]}
        (tmp_path / "b.json").write_text(json.dumps(listed), "utf-8")
        assert found(outage([dump], node_images=[str(tmp_path / "b.json")])) == expected
    # Where it does not start anyway, nobody is told.
    assert found(outage([_files(tmp_path, *objects)])) == (1, [])


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ([_spec(imagePullSecrets=[{"name": "s"}])], "credentials"),
        ([_spec(_container("example.org/app:1", "Never"), imagePullSecrets=[{"name": "s"}])], "image-on-node"),
        ([_spec(_container("example.org/app@sha256:" + "0" * 64), imagePullSecrets=[{"name": "s"}])], "image-on-node"),
        ([_spec()], "image-on-node"),
    ],
)
def test_credentials(tmp_path: Path, pods: Sequence[JSON], reason: str) -> None:
    others = [_pod(f"other-{number}", spec, "b") for number, spec in enumerate(pods)]
    report = outage([_files(tmp_path, *_CLUSTER, _pod("p", _spec(), "a"), *others)])
    assert _forecast(report, "restart", "p")[0][2] == [reason]
    old = _node("a", _IMAGE, version="v1.34.2")
    report = outage([_files(tmp_path, old, _pod("p", _spec(), "a"), *others)])
    assert _forecast(report, "restart", "p")[0][2] == ["image-on-node"]


def test_the_secrets_of_a_service_account_are_those_of_its_pods(tmp_path: Path) -> None:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "kube-system", "uid": "s"},
        "imagePullSecrets": [{"name": "s"}],
    }
    pod = _pod("set-0", _spec(imagePullSecrets=[{"name": "s"}]), "a", "StatefulSet/set")
    objects = [_node("a", _IMAGE), pod, _workload("StatefulSet", "set", _spec())]
    assert _forecast(outage([_files(tmp_path, *objects, account)]), "replace", "set")[0][0] == _STARTS
    assert _forecast(outage([_files(tmp_path, *objects)]), "replace", "set")[0][0] == _STARTS
    new = _workload("StatefulSet", "new", _spec())
    assert _forecast(outage([_files(tmp_path, *objects, new)]), "replace", "new") == [(_UNKNOWN, 1, ["credentials"])]


def test_images_that_are_written_in_two_ways(tmp_path: Path) -> None:
    pods = [
        _pod("short", _spec(_container("nginx:1")), "a"),
        _pod("long", _spec(_container("docker.io/library/nginx:1")), "a"),
    ]
    report = outage([_files(tmp_path, _node("a", "docker.io/library/nginx:1"), *pods)])
    assert _forecast(report, "restart", "short") == [(_UNKNOWN, 1, ["spelling"])]
    (workload,) = (workload for workload in report.workloads if workload.ref.name == "short")
    assert workload.forecasts["restart"].outcomes[0].uses[0].others == ("docker.io/library/nginx",)


def test_always_pull_images_reaches_the_next_pod(tmp_path: Path) -> None:
    server = _container(
        "example.org/app:1", name="kube-apiserver", command=["--enable-admission-plugins=AlwaysPullImages"]
    )
    objects = [
        _node("a", _IMAGE),
        _pod("api", _spec(server), "a", "Node/a"),
        _pod("set-0", _spec(), "a", "StatefulSet/set"),
    ]
    objects.append(_workload("StatefulSet", "set", _spec()))
    report = outage([_files(tmp_path, *objects)])
    assert _forecast(report, "restart", "set") == [(_STARTS, 1, ["image-on-node"])]
    assert _forecast(report, "replace", "set") == [(_DOWN, 1, ["always"])]
    assert _forecast(report, "replace", "api") == [(_STARTS, 1, ["image-on-node"])]


def test_always_elsewhere_reaches_the_next_pod_in_no_protected_namespace(tmp_path: Path, checkout: Path) -> None:
    folder = checkout / "library/mutation/elsewhere/protected_pull_policy"
    policies = list(yaml.safe_load_all((folder / "objects.yaml").read_text("utf-8")))
    objects = [_node("a", _IMAGE), *policies]
    for name in ("kube-system", "shop"):
        pod, workload = _pod(f"{name}-0", _spec(), "a", f"StatefulSet/{name}"), _workload("StatefulSet", name, _spec())
        pod["metadata"]["namespace"] = workload["metadata"]["namespace"] = name
        objects += [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {}}}, pod, workload]
    report = outage([_files(tmp_path, *objects)])
    assert _forecast(report, "restart", "shop") == [(_STARTS, 1, ["image-on-node"])]
    assert _forecast(report, "replace", "shop") == [(_DOWN, 1, ["always"])]
    assert _forecast(report, "replace", "kube-system") == [(_STARTS, 1, ["image-on-every-node"])]
    # What somebody has edited may do anything.
    policies[0]["spec"]["variables"][0]["expression"] = "true"
    report = outage([_files(tmp_path, *objects)])
    for name in ("kube-system", "shop"):
        assert _forecast(report, "replace", name) == [(_UNKNOWN, 1, ["may-be-changed"])]


def test_what_was_changed_on_its_way_in_may_be_changed_again(tmp_path: Path) -> None:
    sidecar = _container("example.org/app:1", "Always", name="proxy")
    pod = _pod("set-0", _spec(_container(policy="Always"), sidecar), "a", "StatefulSet/set")
    report = outage([_files(tmp_path, _node("a", _IMAGE), pod, _workload("StatefulSet", "set", _spec()))])
    assert _forecast(report, "replace", "set") == [(_UNKNOWN, 1, ["may-be-changed", "injected"])]


def test_manifests_laid_over_a_dump(tmp_path: Path) -> None:
    always = _spec(_container(policy="Always"), _container(policy="Always", name="other"))
    dump = _files(
        tmp_path,
        _node("a", _IMAGE),
        _pod("set-0", always, "a", "StatefulSet/set"),
        _workload("StatefulSet", "set", always),
    )
    manifest = _workload("StatefulSet", "set", _spec(_container(), _container(policy=None, name="other")), stored=False)
    over = _files(tmp_path, manifest, name="over.json")
    report = outage([dump], overlays=[over])
    # What the manifest does not state stays as it is stored.
    assert _forecast(report, "restart", "set") == [(_DOWN, 1, ["image-on-node", "always"])]
    manifest = _workload("StatefulSet", "set", _spec(_container(), _container(name="other")), stored=False)
    report = outage([dump], overlays=[_files(tmp_path, manifest, name="over.json")])
    assert _forecast(report, "restart", "set") == [(_STARTS, 1, ["image-on-node", "image-on-node"])]
    assert report.exit_code == 0


def test_a_dump_that_is_cut_short_is_never_sure(tmp_path: Path) -> None:
    whole = Path(
        _files(
            tmp_path, _node("a", _IMAGE), _pod("p", _spec(), "a"), _pod("q", _spec(_container(policy="Always")), "a")
        )
    )
    (tmp_path / "cut.json").write_bytes(whole.read_bytes()[:-40])
    report = outage([str(whole), str(tmp_path / "cut.json")])
    assert report.exit_code == 2
    assert [error.file for error in report.errors] == [str(tmp_path / "cut.json")]
    assert _forecast(report, "restart", "p") == [(_UNKNOWN, 1, ["snapshot-incomplete"])]
    assert _forecast(report, "restart", "q") == [(_DOWN, 1, ["always"])]


@pytest.mark.parametrize(
    ("forbidden", "event", "expected"),
    [
        ("Node", "restart", [(_UNKNOWN, 1, ["nodes-unknown"])]),
        ("StatefulSet", "replace", [(_UNKNOWN, 1, ["template-unknown"])]),
        ("StatefulSet", "restart", [(_STARTS, 1, ["image-on-node"])]),
        ("Pod", "restart", [(_UNKNOWN, 1, ["nodes-unknown"])]),
        ("MutatingAdmissionPolicy", "replace", [(_UNKNOWN, 1, ["may-be-changed"])]),
        ("ServiceAccount", "replace", [(_UNKNOWN, 1, ["credentials"])]),
        ("", "replace", [(_STARTS, 1, ["image-on-every-node"])]),
    ],
)
def test_kinds_that_may_not_be_read(
    tmp_path: Path, kubectl: str, forbidden: str, event: Event, expected: object
) -> None:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "kube-system"},
        "imagePullSecrets": [{"name": "s"}],
    }
    objects = {
        "Node": [_node("a", _IMAGE)],
        "ServiceAccount": [account],
        "Pod": [_pod("set-0", _spec(imagePullSecrets=[{"name": "s"}]), "a", "StatefulSet/set")],
        "StatefulSet": [_workload("StatefulSet", "set", _spec())],
    }
    cluster = ReadOnlyCluster(kinds(load(ENGINE, packaged_library())), objects, forbidden=[forbidden])
    try:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        report = outage(kubeconfig=str(kubeconfig), kubectl=kubectl)
    finally:
        cluster.stop()
    assert report.exit_code == (2 if forbidden else 0)
    assert dict(report.unreadable) == ({forbidden: "forbidden"} if forbidden else {})
    assert _forecast(report, event, "set") == expected


@pytest.mark.parametrize("odd", [{}, {"repository": "x", "tag": "y"}, [], ["x"], 5, True])
@pytest.mark.parametrize(
    ("field", "reason"),
    [("image", "invalid-image"), ("imagePullPolicy", "invalid-policy"), ("volume", "invalid-image")],
)
def test_values_that_the_api_server_refuses(tmp_path: Path, field: str, reason: str, odd: object) -> None:
    """One of them, as in a manifest that nobody has tried, costs nothing else its forecast."""
    container = _container()
    spec = _spec(container)
    if field == "volume":
        spec["volumes"] = [{"name": "v", "image": {"reference": odd}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    else:
        container[field] = odd
    others = [
        _pod("over", _spec(), "a", status={"phase": odd}),
        _workload("Deployment", "many", _spec()) | {"spec": {"replicas": 10**30, "template": {"spec": _spec()}}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd", "uid": "o", "labels": odd}},
    ]
    report = outage([_files(tmp_path, *_CLUSTER, _pod("p", spec, "a"), *others)], zones=[])
    (outcome,) = next(w for w in report.workloads if w.ref.name == "p").forecasts["restart"].outcomes
    assert {use.reason for use in outcome.uses if use.verdict == "stays down"} == {reason}


def test_a_registry_that_nothing_comes_from(tmp_path: Path) -> None:
    dump = _files(tmp_path, *_CLUSTER, _pod("p", _spec(), "a"))
    assert "no image in the snapshot comes from quya.io or x.io" in outage([dump], registries=["quya.io", "x.io"]).notes
    assert not any("comes from" in note for note in outage([dump], registries=["quya.io", "example.*"]).notes)
    assert not any("comes from" in note for note in outage([dump]).notes)


def test_protection_and_exit_codes(tmp_path: Path) -> None:
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": "c", "uid": "c"},
        "spec": {"match": {"namespaces": ["other"]}},
    }
    pod = _pod("p", _spec(_container(policy="Always")), "a")
    report = outage([_files(tmp_path, *_CLUSTER, pod)])
    assert ([workload.protected for workload in report.workloads], report.exit_code) == ([True], 1)
    report = outage([_files(tmp_path, *_CLUSTER, pod, constraint)])
    assert ([workload.protected for workload in report.workloads], report.exit_code) == ([False], 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": ["lose"]}, "which nodes are lost is not said"),
        ({"nodes": ["x"]}, "there is no node x in the snapshot"),
        ({"zones": ["x"]}, "there is no node in the zone x in the snapshot"),
        ({"context": "x"}, "files and a live cluster cannot be read at once"),
        ({"node_images": ["LIST"]}, "is not a list of images"),
    ],
)
def test_errors(tmp_path: Path, arguments: Any, message: str) -> None:
    (tmp_path / "list.json").write_text('{"images": {}}', "utf-8")
    arguments = {key: [str(tmp_path / "list.json")] if value == ["LIST"] else value for key, value in arguments.items()}
    with pytest.raises(PullguardError, match=message):
        outage([_files(tmp_path, *_CLUSTER, _pod("p", _spec(), "a"))], **arguments)
    with pytest.raises(PullguardError, match="there are no pods in the files"):
        outage([_files(tmp_path, *_CLUSTER)])


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = _files(tmp_path, *_CLUSTER, _pod("set-0", _spec(), "a", "StatefulSet/set"))
    assert main(["outage", dump, "--explain", "statefulset/kube-system/set"]) == 1
    assert capsys.readouterr().out == (
        """\
StatefulSet/kube-system/set (protected), if all registries were gone
restart: a container restarts in its pod
  1 pod: starts (set-0 on a)
    container app (example.org/app:1, IfNotPresent): starts
      image-on-node: the image is on its node
      of 1 node that it may come to: 1 have the image, 0 do not, 0 are not known
replace: a pod is replaced, and may come to another node
  1 pod: unknown (set-0 on a)
    container app (example.org/app:1, IfNotPresent): unknown
      image-on-some-nodes: the image is on some of the nodes that it can run on, and not on others (1 of 2 nodes)
      of 2 nodes that it may come to: 1 have the image, 1 do not, 0 are not known
"""
    )
    with pytest.raises(PullguardError, match="x is not a workload of the forecast"):
        find(outage([dump]), "x")


def _written(report: OutageReport, output: str) -> str:
    stream = io.StringIO()
    REPORTERS[output](report, stream)
    return stream.getvalue()


def test_formats(checkout: Path) -> None:
    report = outage([str(checkout / "tests/data/outage/cluster.yaml")])
    for output in ("json", "markdown", "metrics"):
        expected = checkout / f"tests/data/outage/cluster.{output}"
        assert _written(report, output) == expected.read_text("utf-8"), output


def test_the_page_says_what_the_text_says(checkout: Path) -> None:
    report = outage([str(checkout / "tests/data/outage/cluster.yaml")])
    page = " ".join(re.sub("<[^>]*>", "", unescape(_written(report, "html"))).split())
    first = _written(report, "text").partition("Protected workloads that")[0]
    said = [re.sub(r"^(\d+\.|restart|replace)", "", line.strip()).strip() for line in first.splitlines()]
    for line in filter(None, said):
        assert line.partition(" (a ")[0].removesuffix(":") in page


def test_the_metrics_are_those_of_the_forecast(checkout: Path) -> None:
    report = outage([str(checkout / "tests/data/outage/cluster.yaml")])
    value = json.loads(_written(report, "json"))
    text = _written(report, "metrics")
    for event, summary in value["summary"].items():
        ratio = summary["protectedComeBack"] / summary["protected"]
        labels = f'event="{event}",namespace="kube-system"'
        assert f"pullguard_outage_protected_workloads_surviving_ratio{{{labels}}} {ratio}\n" in text


def test_what_has_no_place_for_errors_says_them_on_stderr(checkout: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [\n")
    report = outage([str(checkout / "tests/data/outage/cluster.yaml"), str(broken)])
    stream = io.StringIO()
    write_errors(replace(report, unreadable={"Node": "forbidden"}), stream)
    (error,) = report.errors
    assert stream.getvalue().splitlines() == [
        f"pullguard: {broken}:{error.line}: error: {error.message}",
        "pullguard: error: Node could not be read: forbidden",
        *(f"pullguard: {note}" for note in report.notes),
    ]
    assert "pullguard_outage_errors 1\n" in _written(report, "metrics")


def test_the_documented_cluster_is_as_kubectl_dumps_it(checkout: Path) -> None:
    items = yaml.safe_load((checkout / "tests/data/outage/cluster.yaml").read_text("utf-8"))["items"]
    assert all(item["metadata"]["uid"] for item in items)
