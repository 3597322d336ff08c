"""Random graphs of webhooks: what `pullguard outage` forecasts, the API server and the controllers do.

Nothing runs in a pod, so tests/local_cluster/stand_ins.py stands in for what would. Pods are replaced one by one, again
and again until nothing more falls.
"""

import json
import os
import random
import shlex
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_cluster.control_plane import make_certificate
from local_cluster.controllers import controllers
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from local_cluster.stand_ins import StandIns, webhooks
from webhook_graphs import GRAPH, NODES, Graph, graph

JSON = dict[str, Any]

_SEEDS = range(8)
_CONTROLLERS = ("deployment-controller", "replicaset-controller", "endpointslice-controller")
_TIMEOUT = 60.0
# A webhook may refuse endpoints, and then nothing says that they will not come.
_PATIENCE = 2.0
_POLL = 0.1


@dataclass(slots=True)
class _Field:
    """The cluster with the graphs in it."""

    cluster: Cluster
    graphs: Sequence[Graph]
    nodes: StandIns

    def settle(self) -> list[JSON]:
        """Let everything happen that can, and return the pods."""
        end, calm, before = time.monotonic() + _TIMEOUT, time.monotonic() + _PATIENCE, None
        while True:
            pods = self.nodes.step()
            now = (self._state(pods), self.nodes.up)
            if now != before:
                before, calm = now, time.monotonic() + _PATIENCE
            elif not self._failing(pods) and (time.monotonic() > calm or not self.nodes.unserved(pods)):
                return pods
            assert time.monotonic() < end, f"nothing settles: {self._failing(pods)}"
            time.sleep(_POLL)

    def _state(self, pods: Sequence[JSON]) -> list[tuple[str, bool, bool]]:
        return sorted((pod["metadata"]["uid"], self.nodes.is_running(pod), self.nodes.says_ready(pod)) for pod in pods)

    def _failing(self, pods: Sequence[JSON]) -> list[str]:
        """Return the ReplicaSets that lack pods and have not been refused any."""
        owners = [owner["uid"] for pod in pods for owner in pod["metadata"]["ownerReferences"]]
        return [
            obj["metadata"]["name"]
            for obj in self.nodes.labelled("/apis/apps/v1/replicasets")
            if owners.count(obj["metadata"]["uid"]) != obj["spec"]["replicas"]
            and not any(each["type"] == "ReplicaFailure" for each in obj["status"].get("conditions", ()))
        ]

    def running(self, pods: Sequence[JSON]) -> dict[str, tuple[int, int]]:
        """Return for each Deployment how many of its pods run, and how many are to run."""
        running = [
            (pod["metadata"]["namespace"], pod["metadata"]["labels"]["app"])
            for pod in pods
            if self.nodes.is_running(pod)
        ]
        return {
            _name(obj): (
                running.count((obj["metadata"]["namespace"], obj["metadata"]["name"])),
                obj["spec"]["replicas"],
            )
            for each in self.graphs
            for obj in each.objects
            if obj["kind"] == "Deployment"
        }

    def replace_all(self) -> list[JSON]:
        """Delete every pod, one of each graph at a time, until nothing more falls; return the pods that are left."""
        chance = random.Random(0)  # noqa: S311
        falling = {each.name for each in self.graphs}
        pods = self.settle()
        while falling:
            before = self._left(pods)
            queues = {name: [pod for pod in pods if pod["metadata"]["labels"][GRAPH] == name] for name in falling}
            for queue in queues.values():
                chance.shuffle(queue)
            while any(queues.values()):
                for queue in queues.values():
                    if queue:
                        self.nodes.delete(queue.pop())
                pods = self.settle()
            after = self._left(pods)
            falling = {name for name in falling if after[name] != before[name]}
        return pods

    def _left(self, pods: Sequence[JSON]) -> dict[str, object]:
        """Return for each graph what still runs and answers."""
        running = self.running(pods)
        return {
            each.name: (
                [running[_name(obj)] for obj in each.objects if obj["kind"] == "Deployment"],
                [
                    _name(obj).removeprefix("Service/") in self.nodes.up
                    for obj in each.objects
                    if obj["kind"] == "Service"
                ],
            )
            for each in self.graphs
        }

    def all_come_back(self) -> None:
        """Let images be pulled and every webhook answer, until all pods run and are served."""
        self.nodes.registry, self.nodes.proxied = True, False

        def healthy() -> bool:
            pods = self.nodes.step()
            self._hurry()
            return (
                all(running == wanted for running, wanted in self.running(pods).values())
                and all(self.nodes.says_ready(pod) for pod in pods)
                and not self.nodes.unserved(pods)
                and all(
                    obj["status"].get("observedGeneration") == obj["metadata"]["generation"]
                    and obj["status"].get("updatedReplicas") == obj["status"].get("replicas") == obj["spec"]["replicas"]
                    for obj in self.nodes.labelled("/apis/apps/v1/deployments")
                )
            )

        wait_until(healthy, timeout=_TIMEOUT, what="all pods to run")
        self.nodes.proxied = True
        self.settle()
        self.nodes.registry = False

    def _hurry(self) -> None:
        """Let controllers try now what they would only try again later and later."""
        touched = {"metadata": {"annotations": {"touched": str(time.monotonic_ns())}}}
        for path in ("/apis/apps/v1/{}replicasets", "/api/v1/{}services"):
            for obj in self.nodes.labelled(path.format("")):
                of = path.format(f"namespaces/{obj['metadata']['namespace']}/")
                self.cluster.client.request(
                    "PATCH", f"{of}/{obj['metadata']['name']}", touched, content_type="application/merge-patch+json"
                )

    def forecast(self) -> JSON:
        """Return what `pullguard outage` says of the cluster."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pullguard", "outage", "--event=replace", "--output=json"),
                f"--kubeconfig={self.cluster.kubectl.kubeconfig}",
            ],
            env={**os.environ, "PATH": f"{self.cluster.kubectl.program.parent}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stderr
        found: JSON = json.loads(done.stdout)
        assert (found["errors"], found["unreadable"]) == ([], {})
        return found


def _name(obj: JSON) -> str:
    return f"{obj['kind']}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"


@pytest.fixture(scope="module")
def field(cluster: Cluster, checkout: Path) -> Iterator[_Field]:
    """Yield the cluster with graphs in it, all of which runs and is protected."""
    folder = cluster.plane.folder / "graphs"
    folder.mkdir()
    graphs = [graph(seed) for seed in _SEEDS]
    objects = [obj for each in graphs for obj in each.objects]
    configurations = [obj for each in graphs for obj in each.webhooks]
    services = [obj["metadata"] for obj in objects if obj["kind"] == "Service"]
    spaces = [obj for obj in objects if obj["kind"] == "Namespace"]
    certificate = make_certificate(
        folder, [], [f"{service['name']}.{service['namespace']}.svc" for service in services]
    )
    authority = b64encode(certificate.certificate.read_bytes()).decode()
    for obj in configurations:
        obj["webhooks"][0]["clientConfig"]["caBundle"] = authority
    images = {node: [image for each in graphs for image in each.images[node]] for node in NODES}
    template = checkout / "library/templates/protected_pull_policy.yaml"
    with ExitStack() as stack:
        stack.enter_context(controllers(cluster.plane, folder, _CONTROLLERS))
        served = folder / "served"
        served.mkdir()
        stack.enter_context(webhooks(served, certificate))
        stack.callback(_remove, cluster, template)
        cluster.kubectl("apply", "-f", template)
        cluster.kubectl("wait", "--for=jsonpath={.status.created}=true", "--timeout=60s", "constrainttemplate", "--all")
        made = [*objects, *configurations, *map(_account, spaces), *(_node(name) for name in NODES)]
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=_listed([*made, _constraint()]))
        for name in NODES:
            _set_images(cluster, name, images[name])
        nodes = StandIns(cluster.client, served, GRAPH, NODES, images)
        made_field = _Field(cluster, graphs, nodes)
        made_field.all_come_back()
        yield made_field


def _remove(cluster: Cluster, template: Path) -> None:
    of_graphs = f"--selector={GRAPH}"
    kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations,nodes"
    cluster.kubectl("delete", kinds, of_graphs, "--wait=false")
    for kind in ("deployments,replicasets", "pods"):  # no kubelet ends pods
        now = ("--force", "--grace-period=0", "--wait=false")
        cluster.kubectl("delete", kind, of_graphs, "--all-namespaces", *now)
    cluster.kubectl("delete", "namespaces", of_graphs)
    cluster.kubectl("delete", "-f", template)


def _listed(objects: Sequence[JSON]) -> JSON:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def _account(namespace: JSON) -> JSON:
    """Return what a controller of service accounts would make."""
    metadata = {"name": "default", "namespace": namespace["metadata"]["name"]}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _node(name: str) -> JSON:
    metadata = {"name": name, "labels": {"kubernetes.io/os": "linux", GRAPH: "all"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def _set_images(cluster: Cluster, node: str, images: Sequence[str]) -> None:
    status = {
        "images": [{"names": [image]} for image in images],
        "nodeInfo": {"kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.3.0"},
    }
    path = f"/api/v1/nodes/{node}/status"
    cluster.client.request("PATCH", path, {"status": status}, content_type="application/merge-patch+json")


def _constraint() -> JSON:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": "graphs"},
        "spec": {
            "enforcementAction": "dryrun",
            "match": {"namespaceSelector": {"matchExpressions": [{"key": GRAPH, "operator": "Exists"}]}},
        },
    }


def _verdicts(report: JSON) -> dict[str, str]:
    """Return what the forecast says of the Deployments of graphs."""
    return {
        f"{each['kind']}/{each['namespace']}/{each['name']}": (
            each["fallen"]["replace"] if each["fallen"] else each["events"]["replace"]
        )["verdict"]
        for each in report["workloads"]
        if each["namespace"].startswith(f"{GRAPH}-")
    }


def _contradicted(field: _Field, report: JSON, pods: Sequence[JSON]) -> dict[str, str]:
    """Return what has happened in another way than the forecast says; where it says unknown, either is right."""
    happened = {
        name: "starts" if running == wanted else "stays down" if not running else "some start"
        for name, (running, wanted) in field.running(pods).items()
    }
    verdicts = _verdicts(report)
    assert verdicts.keys() == happened.keys()
    fallen = {each["name"]: each["verdict"] for each in report["cascades"]["replace"]["fallen"]}
    for obj in (obj for each in field.graphs for obj in each.webhooks):
        (webhook,) = obj["webhooks"]
        name, service = f"{obj['kind']}/{obj['metadata']['name']}/{webhook['name']}", webhook["clientConfig"]["service"]
        if webhook["failurePolicy"] == "Fail":
            up = f"{service['namespace']}/{service['name']}" in field.nodes.up
            happened[name], verdicts[name] = "starts" if up else "stays down", fallen.get(name, "starts")
    return {
        name: f"{verdict}, and it was: {happened[name]}"
        for name, verdict in verdicts.items()
        if verdict not in {"unknown", happened[name]}
    }


def _repair(field: _Field, edits: Sequence[JSON]) -> None:
    """Do what the commands of a repair say; what they do on nodes is done to the images that these have."""
    for edit in edits:
        program, *arguments = shlex.split(edit["command"], comments=True)
        if program == "kubectl":
            field.cluster.kubectl(*arguments)
        else:
            assert (program, arguments[0]) == ("crictl", "pull")
            for images in field.nodes.images.values():
                images.append(arguments[1])
    for name, images in field.nodes.images.items():
        _set_images(field.cluster, name, images)


def test_what_falls_and_the_repair(field: _Field) -> None:
    report = field.forecast()
    verdicts = Counter(_verdicts(report).values())
    assert min(verdicts[verdict] for verdict in ("starts", "stays down", "unknown")) >= 3
    assert _contradicted(field, report, field.replace_all()) == {}
    field.all_come_back()
    cascade = report["cascades"]["replace"]
    assert (cascade["proven"], cascade["left"]) == (True, [])
    _repair(field, cascade["repair"])
    field.all_come_back()
    repaired = field.forecast()
    assert set(_verdicts(repaired).values()) == {"starts"}
    # What keeps nobody down may itself be left down.
    assert {each["verdict"] for each in repaired["cascades"]["replace"]["fallen"]} <= {"unknown"}
    assert _contradicted(field, repaired, field.replace_all()) == {}
