"""What prefetch finds and writes, through the real OPA: snapshots in, what pulls images out."""

import io
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.cli import main
from pullguard.core.errors import PullguardError
from pullguard.forecasting.model import REASONS, REMEDIES
from pullguard.outage.command import outage
from pullguard.prefetch.command import prefetch
from pullguard.prefetch.formats import REPORTERS
from pullguard.prefetch.model import PrefetchReport, Settings, settings

JSON = dict[str, Any]

_IMAGE = "example.org/app:1"
_DIGEST = f"sha256:{'a' * 64}"


def _node(
    name: str, *images: object, version: str = "v1.34.2", runtime: str = "containerd://2.1.5", **more: Any
) -> JSON:
    listed = [image if isinstance(image, dict) else {"names": [image]} for image in images]
    info = {"kubeletVersion": version, "operatingSystem": "linux", "containerRuntimeVersion": runtime}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": name, "labels": {"kubernetes.io/hostname": name, **more.pop("labels", {})}},
        "spec": more,
        "status": {"nodeInfo": info, "images": listed},
    }


def _container(image: str | None = _IMAGE, policy: str = "IfNotPresent", name: str = "app", **more: Any) -> JSON:
    return {"name": name, "image": image, "imagePullPolicy": policy, **more}


def _pod(
    name: str, *containers: JSON, node: str = "", owner: str = "", namespace: str = "kube-system", **spec: Any
) -> JSON:
    kind, _, owned = owner.partition("/")
    owners = [{"apiVersion": "apps/v1", "kind": kind, "name": owned, "uid": "o", "controller": True}] if owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": name, "ownerReferences": owners},
        "spec": {"containers": list(containers or [_container()]), **({"nodeName": node} if node else {}), **spec},
        "status": {"phase": "Running"},
    }


def _workload(kind: str, name: str, *containers: JSON, namespace: str = "kube-system", **spec: Any) -> JSON:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "uid": name},
        "spec": {"replicas": 1, "template": {"spec": {"containers": list(containers or [_container()]), **spec}}},
    }


def _account(namespace: str = "kube-system", *secrets: str) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": namespace, "uid": f"account-{namespace}"},
        "imagePullSecrets": [{"name": secret} for secret in secrets],
    }


def _prefetch(folder: Path, *objects: JSON, **options: Any) -> PrefetchReport:
    file = folder / "dump.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), "utf-8")
    return prefetch([str(file)], **options)


def _pulls(report: PrefetchReport) -> dict[str, list[str]]:
    """Return the images that nodes are to pull, in order, by node."""
    found: dict[str, list[str]] = {}
    for batch in report.batches:
        for node in batch.nodes:
            found.setdefault(node.name, []).extend(image.name for image in batch.images)
    return found


def _unsolved(report: PrefetchReport) -> list[tuple[str, str]]:
    return [(each.workload.name, each.reason) for each in report.unsolved]


def _written(report: PrefetchReport, output: str, how: Settings | None = None) -> str:
    stream = io.StringIO()
    REPORTERS[output](report, how or Settings(), stream)
    return stream.getvalue()


def _objects(report: PrefetchReport, output: str, how: Settings | None = None) -> list[JSON]:
    return [each for each in yaml.safe_load_all(_written(report, output, how)) if each is not None]


def _pod_spec(report: PrefetchReport, how: Settings | None = None) -> JSON:
    """Return the pod spec of the only DaemonSet."""
    (found,) = (each for each in _objects(report, "daemonset", how) if each["kind"] == "DaemonSet")
    spec: JSON = found["spec"]["template"]["spec"]
    return spec


# -- the documentation, and all formats of one cluster


@pytest.mark.parametrize("output", REPORTERS)
def test_a_cluster_in_every_format(output: str, checkout: Path) -> None:
    report = prefetch([str(checkout / "tests/data/prefetch/cluster.yaml")])
    # To write them anew: pullguard prefetch -o FORMAT tests/data/prefetch/cluster.yaml
    assert _written(report, output) == (checkout / f"tests/data/prefetch/cluster.{output}").read_text("utf-8")


def test_what_it_writes_is_clean(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = str(checkout / "tests/data/prefetch/cluster.yaml")
    for means in ("containers", "volumes"):
        file = tmp_path / f"{means}.yaml"
        capsys.readouterr()
        assert main(["prefetch", "-o", "daemonset", "--pull-as", means, dump]) == 1
        file.write_text(capsys.readouterr().out, "utf-8")
        assert main(["check", "--library", str(checkout / "library"), str(file)]) == 0, capsys.readouterr().out


def test_once_they_are_pulled_nothing_is_left(checkout: Path, tmp_path: Path) -> None:
    """With the pulled images in the lists of the nodes, and its DaemonSets there: the forecast is good."""
    items = yaml.safe_load((checkout / "tests/data/prefetch/cluster.yaml").read_text("utf-8"))["items"]
    (policy,) = (item for item in items if item["metadata"]["name"] == "policy")
    policy["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    report = _prefetch(tmp_path, *items)
    assert report.exit_code == 1
    own = _objects(report, "daemonset")
    for item in items:
        if item["kind"] == "Node":
            pulled = {
                image.full
                for each in report.batches
                for image in each.images
                if item["metadata"]["name"] in {node.name for node in each.nodes}
            }
            item["status"]["images"] += [{"names": [name]} for name in sorted(pulled)]
    after = _prefetch(tmp_path, *items, *own)
    assert (after.exit_code, after.batches, after.unsolved) == (0, (), ())
    forecast = outage([str(tmp_path / "dump.json")], events=["replace"])
    down = [str(each.ref) for each in forecast.protected if not each.comes_back("replace")]
    assert [name for name in down if "pullguard-prefetch" not in name] == []
    assert "no node is to pull an image" in _written(after, "text")
    for output in ("daemonset", "openkruise", "kube-fledged", "pinned-image-set"):
        assert _objects(after, output) == []


# -- which images, on which nodes

_NODES = (_node("a", _IMAGE), _node("b"))
_UNPROTECTED = _pod("other", namespace="shop", node="b")
#: By name: objects, what nodes are to pull, and what no pull solves.
_CASES: Mapping[str, tuple[Sequence[JSON], Mapping[str, list[str]], Sequence[tuple[str, str]]]] = {
    "on the nodes that it may come to": ([_pod("p", node="a")], {"b": [_IMAGE]}, []),
    "not where it cannot run": ([_pod("p", node="a", nodeSelector={"kubernetes.io/hostname": "a"})], {}, []),
    "not for others": ([_UNPROTECTED, _pod("p", _container("x:1"), node="a")], {"a": ["x:1"], "b": ["x:1"]}, []),
    "init containers": (
        [_pod("p", node="a", nodeSelector={"kubernetes.io/hostname": "a"}, initContainers=[_container("init:1")])],
        {"a": ["init:1"]},
        [],
    ),
    "never": ([_pod("p", _container(policy="Never"), node="a")], {"b": [_IMAGE]}, []),
    "always": ([_pod("p", _container(policy="Always"), node="a")], {"b": [_IMAGE]}, [("p", "always")]),
    "no reference": ([_pod("p", _container("No:"), node="a")], {}, [("p", "invalid-image")]),
    "no image": ([_pod("p", _container(None), node="a")], {}, [("p", "no-image")]),
    "no node": ([_workload("Deployment", "d", nodeSelector={"x": "y"})], {}, [("d", "no-node")]),
    "a node that is not there": (
        [_pod("p", node="gone", owner="DaemonSet/d", nodeSelector={"x": "y"})],
        {},
        [("d", "no-node"), ("d", "nodes-unknown")],
    ),
    "a static pod": ([_pod("p", node="b", owner="Node/b")], {"b": [_IMAGE]}, []),
    "a DaemonSet, also where it has no pod yet": (
        [_workload("DaemonSet", "d"), _pod("d-1", node="a", owner="DaemonSet/d")],
        {"b": [_IMAGE]},
        [],
    ),
    "what a webhook has added": (
        [
            _workload("StatefulSet", "s"),
            _pod("s-0", _container(), _container("mesh:1", name="mesh"), node="a", owner="StatefulSet/s"),
        ],
        {"a": ["mesh:1"], "b": [_IMAGE, "mesh:1"]},
        [],
    ),
    "what was pulled by another name": (
        [_pod("p", _container("nginx:1"), node="c"), _pod("q", _container("docker.io/library/nginx:1"), node="c")],
        {
            "a": ["docker.io/library/nginx:1", "nginx:1"],
            "b": ["docker.io/library/nginx:1", "nginx:1"],
            "c": ["docker.io/library/nginx:1", "nginx:1"],
        },
        [],
    ),
    "what this command has written": (
        [
            _workload("DaemonSet", "pullguard-prefetch-0123456789"),
            _pod("p", node="a", nodeSelector={"kubernetes.io/hostname": "a"}),
        ],
        {},
        [],
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_which_images_on_which_nodes(name: str, tmp_path: Path) -> None:
    objects, pulls, unsolved = _CASES[name]
    more = [_node("c", "docker.io/library/nginx:1", version="v1.36.3")] if "c" in pulls else []
    report = _prefetch(tmp_path, *_NODES, *more, *objects)
    assert (_pulls(report), _unsolved(report)) == (pulls, list(unsolved))


def test_a_list_that_is_cut(tmp_path: Path) -> None:
    cut = _node("b", *(f"example.org/other-{number}:1" for number in range(50)))
    report = _prefetch(tmp_path, _NODES[0], cut, _pod("p", node="a"))
    assert _pulls(report) == {"b": [_IMAGE]}
    assert report.notes[-1].startswith("1 node does not list all images; what is not listed is to be pulled there too")
    listed = tmp_path / "b.json"
    listed.write_text(json.dumps({"images": [{"repoTags": [_IMAGE], "size": "7"}]}), "utf-8")
    assert _prefetch(tmp_path, _NODES[0], cut, _pod("p", node="a"), node_images=[str(listed)]).exit_code == 0


def test_the_largest_first_and_unknown_sizes_last(tmp_path: Path) -> None:
    full = _node(
        "a",
        *({"names": [f"x:{size}"], "sizeBytes": size} for size in (5, 700, 31)),
        {"names": ["x:no"]},
        {"names": ["x:odd"], "sizeBytes": "9"},
    )
    listed = tmp_path / "c.json"
    images = [
        {"repoTags": ["docker.io/library/x:31"], "size": "1000"},
        {"repoTags": ["docker.io/library/x:no"], "size": "many"},
    ]
    listed.write_text(json.dumps({"images": images}), "utf-8")
    containers = [_container(f"x:{tag}", name=f"c{tag}") for tag in ("5", "no", "31", "odd", "700")]
    report = _prefetch(
        tmp_path, full, _node("b"), _node("c"), _pod("p", *containers, node="a"), node_images=[str(listed)]
    )
    (batch,) = (batch for batch in report.batches if batch.nodes[0].name == "b")
    assert [(image.name, image.size) for image in batch.images] == [
        ("x:31", 1000),
        ("x:700", 700),
        ("x:5", 5),
        ("x:no", None),
        ("x:odd", None),
    ]
    names = [each["image"] for each in _objects(report, "daemonset")[1]["spec"]["template"]["spec"]["containers"]]
    assert names == ["x:31", "x:700", "x:5", "x:no", "x:odd"]


def test_only_some_registries_nodes_and_zones(tmp_path: Path) -> None:
    zone = {"topology.kubernetes.io/zone": "z"}
    objects = [
        _NODES[0],
        _node("b"),
        _node("c", labels=zone),
        _pod("p", _container("quay.io/x:1"), _container(name="b"), node="a"),
    ]
    assert _pulls(_prefetch(tmp_path, *objects, registries=["quay.io"])) == {node: ["quay.io/x:1"] for node in "abc"}
    assert _pulls(_prefetch(tmp_path, *objects, nodes=["b"])) == {"b": [_IMAGE, "quay.io/x:1"]}
    assert _pulls(_prefetch(tmp_path, *objects, nodes=["a"], zones=["z"])) == {
        "a": ["quay.io/x:1"],
        "c": [_IMAGE, "quay.io/x:1"],
    }


def test_manifests_that_are_not_applied_yet(tmp_path: Path) -> None:
    manifest = tmp_path / "new.yaml"
    manifest.write_text(yaml.safe_dump(_workload("Deployment", "d", _container("new:1"))), "utf-8")
    assert _pulls(_prefetch(tmp_path, *_NODES, _pod("p", node="a"), overlays=[str(manifest)])) == {
        "a": ["new:1"],
        "b": [_IMAGE, "new:1"],
    }


@pytest.mark.parametrize(("status", "expected"), [("True", []), ("False", [("p", "registry-down")])])
def test_a_registry_in_the_cluster(status: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "r", "namespace": "infra", "uid": "r"},
        "spec": {"selector": {"app": "r"}},
    }
    serving = _pod("r-0", namespace="infra", node="a")
    serving["metadata"]["labels"] = {"app": "r"}
    serving["status"]["conditions"] = [{"type": "Ready", "status": status}]
    report = _prefetch(tmp_path, *_NODES, service, serving, _pod("p", _container("r.infra.svc:5000/x:1"), node="a"))
    assert (_pulls(report), _unsolved(report)) == (
        {"a": ["r.infra.svc:5000/x:1"], "b": ["r.infra.svc:5000/x:1"]},
        expected,
    )


def test_every_reason_has_its_remedy() -> None:
    assert {reason for reason in REASONS if reason not in REMEDIES} == {
        "registry-reachable",
        "image-on-node",
        "image-on-every-node",
    }


# -- with which credentials, and where


def _placed(report: PrefetchReport, how: Settings | None = None) -> list[tuple[str, str, list[str], list[str]]]:
    """Return namespace, ServiceAccount, pull secrets and images of the DaemonSets."""
    found = []
    for each in _objects(report, "daemonset", how):
        if each["kind"] == "DaemonSet":
            spec = each["spec"]["template"]["spec"]
            secrets = [secret["name"] for secret in spec.get("imagePullSecrets", ())]
            images = [container["image"] for container in spec["containers"]]
            found.append((each["metadata"]["namespace"], spec["serviceAccountName"], secrets, images))
    return found


def test_pull_secrets(tmp_path: Path) -> None:
    report = _prefetch(
        tmp_path,
        _node("a"),
        _account("kube-system", "of-account"),
        _account("gatekeeper-system"),
        _workload("Deployment", "own", _container("own:1"), imagePullSecrets=[{"name": "s"}, {"name": "t"}]),
        _workload("Deployment", "account", _container("account:1")),
        _workload("Deployment", "none", _container("none:1"), namespace="gatekeeper-system"),
        _workload("Deployment", "unknown", _container("unknown:1"), serviceAccountName="robot"),
    )
    assert _placed(report) == [
        ("kube-system", "pullguard-prefetch", [], ["none:1"]),
        ("kube-system", "robot", [], ["unknown:1"]),
        ("kube-system", "pullguard-prefetch", ["of-account"], ["account:1"]),
        ("kube-system", "pullguard-prefetch", ["s", "t"], ["own:1"]),
    ]
    how = settings(namespace="prefetch", means="auto", helper_image=None, pause_image=None)
    assert _placed(report, how)[0] == ("prefetch", "pullguard-prefetch", [], ["none:1"])
    accounts = [
        each["metadata"]["namespace"] for each in _objects(report, "daemonset", how) if each["kind"] == "ServiceAccount"
    ]
    assert accounts == ["kube-system", "prefetch"]
    job = _objects(report, "openkruise")[2]["spec"]
    assert (job["pullSecrets"], job["images"]) == (["of-account"], ["account:1"])
    text = "state the pull secrets of ServiceAccount kube-system/robot, which are not in the snapshot"
    assert all(f"# Left: {text}\n" in _written(report, output) for output in ("openkruise", "kube-fledged"))


def test_an_image_for_other_credentials_needs_the_kubelet(tmp_path: Path) -> None:
    report = _prefetch(
        tmp_path,
        _node("a", _IMAGE, version="v1.36.3"),
        _account(),
        _pod("p", node="a", imagePullSecrets=[{"name": "s"}]),
        _pod("q", node="a"),
    )
    assert [(batch.secrets, image.is_there) for batch in report.batches for image in batch.images] == [
        (("s",), True)
    ] or [(batch.secrets, image.is_there) for batch in report.batches for image in batch.images] == [((), True)]
    assert _objects(report, "openkruise") == _objects(report, "kube-fledged") == []
    assert "fetch " not in _written(report, "script").partition("case $node in")[2]
    assert "may not give it to the pods before its kubelet has pulled it" in _written(report, "script")


def test_tolerations(tmp_path: Path) -> None:
    taints = [
        {"key": "k", "value": "v", "effect": "NoSchedule"},
        {"key": "soft", "effect": "PreferNoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
    ]
    waits = {
        "key": "node.kubernetes.io/not-ready",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    tolerations = [
        {"key": "k", "operator": "Equal", "value": "v", "effect": ""},
        {"key": "x", "operator": "Exists", "tolerationSeconds": 5},
        waits,
    ]
    one, static = _workload("Deployment", "d", tolerations=tolerations), _pod("s", node="a", owner="Node/a")
    assert _prefetch(tmp_path, _node("a", taints=taints[1:2]), one).batches[0].tolerations == (
        {"key": "k", "operator": "Equal", "value": "v"},
        {"key": "x", "operator": "Exists"},
    )
    assert _prefetch(tmp_path, _node("a", taints=taints), static).batches[0].tolerations == (
        {"key": "k", "operator": "Exists", "effect": "NoSchedule"},
    )
    everything = _pod("s", node="a", owner="Node/a", tolerations=[{"operator": "Exists"}])
    assert _prefetch(tmp_path, _node("a", taints=taints), one, everything).batches[0].tolerations == (
        {"operator": "Exists"},
    )


def test_nodes_are_chosen_by_hostnames_that_tell_them_apart(tmp_path: Path) -> None:
    nodes = [
        _node("a"),
        _node("b", labels={"kubernetes.io/hostname": "same"}),
        _node("c", labels={"kubernetes.io/hostname": "same"}),
    ]
    report = _prefetch(tmp_path, *nodes, _workload("Deployment", "d"))
    affinity = _pod_spec(report)["affinity"]["nodeAffinity"]
    assert affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == [
        {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}]},
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]},
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["c"]}]},
    ]
    (cache,) = _objects(report, "kube-fledged")
    assert [entry["nodeSelector"] for entry in cache["spec"]["cacheSpec"]] == [{"kubernetes.io/hostname": "a"}]
    assert "does not tell b, c apart" in _written(report, "kube-fledged")


# -- how


_VOLUME = {"name": "v", "image": {"reference": "data:1", "pullPolicy": "IfNotPresent"}}


@pytest.mark.parametrize(
    ("means", "version", "mounted"),
    [
        ("auto", "v1.36.3", {"data:1", _IMAGE}),
        ("auto", "v1.34.2", {"data:1"}),
        ("containers", "v1.36.3", {"data:1"}),
        ("volumes", "v1.34.2", {"data:1", _IMAGE}),
    ],
)
def test_how_pods_use_images(means: Any, version: str, mounted: set[str], tmp_path: Path) -> None:
    mounts = [{"name": "v", "mountPath": "/v"}]
    report = _prefetch(
        tmp_path,
        _node("a", version=version),
        _workload("Deployment", "d", _container(volumeMounts=mounts), volumes=[_VOLUME]),
    )
    how = settings(namespace=None, means=means, helper_image="mirror/busybox:1", pause_image="mirror/pause:1")
    spec = _pod_spec(report, how)
    assert {volume["image"]["reference"] for volume in spec["volumes"] if "image" in volume} == mounted
    own = {container["image"] for container in spec["containers"]}
    assert own == ({"mirror/pause:1"} if len(mounted) == 2 else {"mirror/pause:1", _IMAGE})
    assert [each["image"] for each in spec.get("initContainers", ())] == (
        [] if len(mounted) == 2 else ["mirror/busybox:1"]
    )
    assert all(each["imagePullPolicy"] == "IfNotPresent" for each in spec["containers"])


def test_nodes_that_run_windows(tmp_path: Path) -> None:
    windows = _node("w", labels={"kubernetes.io/os": "windows"})
    report = _prefetch(tmp_path, windows, _account(), _workload("Deployment", "d"))
    assert _objects(report, "daemonset") == []
    assert f"# Left: these pods need Linux, and w (windows), lack {_IMAGE}\n" in _written(report, "daemonset")
    assert len(_objects(report, "openkruise")) == 1


def test_pinned_image_sets(tmp_path: Path) -> None:
    roles = {"a": ["master", "worker"], "b": ["worker"], "c": ["worker", "infra"], "d": []}
    nodes = [_node(name, labels={f"node-role.kubernetes.io/{role}": "" for role in own}) for name, own in roles.items()]
    images = [f"quay.io/x/i{number}@{_DIGEST}" for number in range(501)]
    containers = [_container(image, name=f"c{number}") for number, image in enumerate(images)]
    report = _prefetch(tmp_path, *nodes, _workload("Deployment", "d", *containers))
    sets = _objects(report, "pinned-image-set")
    assert [
        (
            each["metadata"]["name"],
            each["metadata"]["labels"]["machineconfiguration.openshift.io/role"],
            len(each["spec"]["pinnedImages"]),
        )
        for each in sets
    ] == [
        (f"pullguard-prefetch-{pool}{part}", pool, number)
        for pool in ("infra", "master", "worker")
        for part, number in (("", 500), ("-2", 1))
    ]


def test_a_job_takes_255_images(tmp_path: Path) -> None:
    containers = [_container(f"x:{number}", name=f"c{number}") for number in range(256)]
    nodes = [_node(f"n{number}") for number in range(11)]
    first, second = _objects(_prefetch(tmp_path, *nodes, _workload("Deployment", "d", *containers)), "openkruise")
    assert (len(first["spec"]["images"]), len(second["spec"]["images"]), first["spec"]["parallelism"]) == (255, 1, 10)
    assert second["metadata"]["name"] == f"{first['metadata']['name']}-2"


# -- the script


def _run_script(text: str, folder: Path, node: str, **programs: str) -> "subprocess.CompletedProcess[str]":
    """Run a script with stand-ins of programs, each a line of a shell that sees its arguments."""
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    for name, line in programs.items():
        file = binaries / name
        file.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        file.chmod(0o755)
    script = folder / "prefetch.sh"
    script.write_text(text, "utf-8")
    path = f"{binaries}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", str(script), node], env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_shellcheck_finds_nothing_in_the_script(checkout: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    text = (checkout / "tests/data/prefetch/cluster.script").read_text("utf-8")
    done = subprocess.run(
        ["shellcheck", "--shell", "sh", "-"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == ""


def test_the_script_for_cri_o(checkout: Path, tmp_path: Path) -> None:
    """CRI-O itself is not built for tests; the real containerd is tried in tests/incident."""
    text = (checkout / "tests/data/prefetch/cluster.script").read_text("utf-8").replace("/etc/crio", str(tmp_path))
    (tmp_path / "crio.conf.d").mkdir()
    log = tmp_path / "log"
    programs = {
        "crictl": f'echo "$@" >>{log}; test "$1" = pull && test "$2" != openpolicyagent/gatekeeper:v3.23.1',
        "systemctl": f'echo "$@" >>{log}',
    }
    for _ in range(2):  # once more does no harm
        done = _run_script(text, tmp_path, "worker-2", **programs)
        assert (done.returncode, done.stderr) == (1, "not pulled: openpolicyagent/gatekeeper:v3.23.1\n")
    agent, dns = "registry.example.com/infra/agent:2.1", "registry.k8s.io/coredns/coredns:v1.12.1"
    assert done.stdout == f"pulled and pinned: {agent}\npulled and pinned: {dns}\n"
    assert (tmp_path / "crio.conf.d/99-pullguard-prefetch.conf").read_text(
        "utf-8"
    ) == f'[crio.image]\npinned_images = [\n  "{agent}",\n  "{dns}",\n]\n'
    assert log.read_text("utf-8").splitlines()[-1] == "reload crio"
    (tmp_path / "crio.conf").write_text("  pinned_images = []\n", "utf-8")
    done = _run_script(text, tmp_path, "worker-2", **programs)
    assert f"pulled, but not pinned: {agent}: add it to pinned_images in {tmp_path}/crio.conf\n" in done.stderr


def test_the_script_on_other_nodes(checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "tests/data/prefetch/cluster.script").read_text("utf-8")
    done = _run_script(text, tmp_path, "elsewhere")
    assert (done.returncode, done.stdout) == (0, "elsewhere is not known to lack an image\n")
    done = _run_script(text, tmp_path, "control-1", ctr='echo refused >&2; test "$4" = list')
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "not pulled: registry.example.com/infra/agent:2.1")


# -- hostile and broken input

_EVIL = "x$(touch evil)`touch evil`'\"\n# ---\nkind: Evil\x1b[31m"


def test_a_node_with_the_name_of_a_keyword(tmp_path: Path) -> None:
    report = _prefetch(tmp_path, _node("esac", runtime="x://1"), _workload("Deployment", "d"))
    end = _run_script(_written(report, "script"), tmp_path, "esac")
    assert (end.stderr, end.returncode) == (f"not pulled, as the runtime is not known: {_IMAGE}\n", 1)


def test_names_are_never_commands(tmp_path: Path) -> None:
    nodes = [_node(_EVIL), _node("*")]
    workload = _workload(
        "Deployment",
        _EVIL,
        _container(_EVIL),
        _container(name=_EVIL),
        tolerations=[{"key": _EVIL, "operator": "Exists"}],
    )
    report = _prefetch(tmp_path, *nodes, workload)
    for output in REPORTERS:
        text = _written(report, output)
        assert "\x1b" not in text
        if output not in {"text", "json", "script"}:
            assert all(each["kind"] != "Evil" for each in yaml.safe_load_all(text) if each)
            assert all(line.startswith("#") for line in text.partition("---\n")[0].splitlines())
    done = _run_script(_written(report, "script"), tmp_path, "nothing", ctr="exit 1")
    assert (done.returncode, done.stdout) == (0, "nothing is not known to lack an image\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "dump.json", "prefetch.sh"]


def test_without_nodes(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match="there is no Node in the files"):
        _prefetch(tmp_path, _pod("p", node="a"))


def test_without_the_file(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match=r"no\.json: cannot be read: No such file"):
        prefetch([str(tmp_path / "no.json")])


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dump.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*_NODES, _pod("p", node="a")]}), "utf-8")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    for output in ("text", "daemonset"):
        assert main(["prefetch", "-o", output, str(tmp_path)]) == 2
        found = capsys.readouterr()
        assert "broken.json:1: error: " in (found.out if output == "text" else found.err)


@pytest.mark.parametrize(
    "options",
    [["--namespace", "No"], ["--helper-image", "a b"], ["--pause-image", ""], ["--node", "none"], ["--zone", "none"]],
)
def test_options_that_cannot_be_right(options: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prefetch", *options, str(checkout / "tests/data/prefetch/cluster.yaml")]) == 2
    assert capsys.readouterr().err.startswith("pullguard: ")


def test_odd_values_cost_only_what_they_are_about(tmp_path: Path) -> None:
    odd = _node("o", {"names": [_IMAGE], "sizeBytes": True}, {"names": 3, "sizeBytes": -4})
    odd["metadata"]["labels"] = {"kubernetes.io/os": ["linux"], "kubernetes.io/hostname": 3}
    odd["spec"] = {"taints": [3, {"key": ["k"], "effect": ["e"]}]}
    odd["status"]["nodeInfo"] = {"architecture": {}, "containerRuntimeVersion": 3, "kubeletVersion": []}
    report = _prefetch(
        tmp_path, odd, _workload("Deployment", "d", _container("y:1"), tolerations=[{"operator": "Exists"}, 3])
    )
    assert [image.name for batch in report.batches for image in batch.images] in ([], ["y:1"])
    for output in REPORTERS:
        _written(report, output)


@pytest.mark.parametrize("annotations", [1.5, "kubernetes.io/config.mirror", ["kubernetes.io/config.mirror"], []])
def test_annotations_of_pods_that_are_none(annotations: Any, tmp_path: Path) -> None:
    odd = _pod("p", node="a")
    odd["metadata"]["annotations"] = annotations
    assert _pulls(_prefetch(tmp_path, _node("a"), odd)) == {"a": [_IMAGE]}


def test_tolerations_with_odd_keys(tmp_path: Path) -> None:
    odd = [{"key": ["k"], "effect": ["e"]}, {"key": "x", "operator": "Exists", "effect": 1}]
    static = _pod("s", node="a", owner="Node/a", tolerations=odd)
    report = _prefetch(tmp_path, _node("a", taints=[{"key": "t", "effect": ["NoSchedule"]}]), static)
    assert report.batches[0].tolerations == ({"key": "x", "operator": "Exists"},)
