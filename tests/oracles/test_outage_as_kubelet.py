"""The forecast says of random clusters what the kubelet's own image manager and pull manager say of each container."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kubelet_images import Case, Request, Secret, answers
from pullguard.cluster.snapshot import Snapshot, Stored
from pullguard.forecasting.forecast import Forecaster
from pullguard.forecasting.model import Event, Outcome
from pullguard.forecasting.nodes import Nodes
from pullguard.forecasting.pods import WORKLOAD_KINDS, Pods
from shared_engine import ENGINE

JSON = dict[str, Any]

_ONE, _TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
#: What registries have: IDs by the full names under which containerd keeps images.
_REGISTRY: Mapping[str, str] = {
    "docker.io/library/nginx:1": "nginx-1",
    f"docker.io/library/nginx@{_TWO}": "nginx-1",
    "docker.io/library/nginx:latest": "nginx-latest",
    "quay.io/a/app:1": "app-1",
    "quay.io/a/app:same": "app-1",
    "quay.io/a/app:2": "app-2",
    f"quay.io/a/app@{_ONE}": "app-1",
    "mirror.example/a/app:1": "app-1",
    **{f"r{number}.example/x:1": "x" for number in range(1, 8)},
}
#: Full names by what pods state; None for what cannot be parsed.
_STATED: Mapping[str, str | None] = {
    **{name: name for name in _REGISTRY},
    "nginx:1": "docker.io/library/nginx:1",
    "library/nginx:1": "docker.io/library/nginx:1",
    "docker.io/nginx:1": "docker.io/library/nginx:1",
    "index.docker.io/library/nginx:1": "docker.io/library/nginx:1",
    "nginx": "docker.io/library/nginx:latest",
    "docker.io/library/nginx": "docker.io/library/nginx:latest",
    f"nginx:1@{_TWO}": f"docker.io/library/nginx@{_TWO}",
    f"quay.io/a/app:9@{_ONE}": f"quay.io/a/app@{_ONE}",
    "Nginx:1": None,
    "nginx:": None,
}
_HOSTS = sorted({name.partition("/")[0] for name in _REGISTRY})
_EVENTS: tuple[Event, ...] = ("restart", "replace", "reboot")


@dataclass(frozen=True)
class Use:
    """A container of a pod."""

    name: str
    list: str
    image: str
    policy: str


@dataclass(frozen=True)
class Pod:
    """A pod: containers, credentials, and where it runs and may run."""

    name: str
    namespace: str
    uses: tuple[Use, ...]
    secrets: tuple[Secret, ...]
    node: str
    zone: str
    owner: str

    def request(self, use: Use) -> Request:
        return Request(self.namespace, use.image, use.policy, self.secrets)

    @property
    def object(self) -> JSON:
        owners = [{"apiVersion": "apps/v1", "kind": self.owner, "name": self.name, "uid": "o", "controller": True}]
        spec: JSON = {"imagePullSecrets": [{"name": secret.name} for secret in self.secrets]}
        for use in self.uses:
            container = {"name": use.name, "image": use.image, "imagePullPolicy": use.policy}
            spec.setdefault(use.list, []).append(container)
        if self.zone:
            spec["nodeSelector"] = {"zone": self.zone}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace, "uid": self.name, "ownerReferences": owners},
            "spec": {**spec, "nodeName": self.node},
            "status": {"phase": "Running"},
        }


@dataclass(frozen=True)
class Node:
    """A node: what it really has, what went before, and what it lists."""

    name: str
    zone: str
    case: Case
    listed: tuple[tuple[str, ...], ...]
    is_cut: bool

    @property
    def object(self) -> JSON:
        version = "v1.34.1" if self.case.old else "v1.36.3"
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "uid": self.name, "labels": {"zone": self.zone}},
            "status": {
                "nodeInfo": {"kubeletVersion": version, "containerRuntimeVersion": "containerd://2.1.4"},
                "images": [{"names": list(names)} for names in self.listed],
            },
        }

    def may_have(self, name: str) -> bool:
        """Return whether it may have an image that it does not list: under a name that it leaves out, or at all."""
        return self.is_cut or any(len(names) == 5 for names in self.listed if _ids(names) == {_REGISTRY[name]})

    @property
    def names(self) -> dict[str, str]:
        return {name: _REGISTRY[name] for names in self.listed for name in names if name in _REGISTRY}


def _ids(names: Sequence[str]) -> set[str]:
    return {_REGISTRY[name] for name in names if name in _REGISTRY}


def _pods(random: Random, nodes: Sequence[str]) -> Iterator[Pod]:
    secrets = {
        (namespace, name): Secret(name, tuple(random.sample(_HOSTS, 6)), random.choice("pq"))
        for namespace in "ab"
        for name in "st"
    }
    # Few images, so that pods share them.
    images = random.sample(sorted(_STATED), 7)
    for number in range(14):
        namespace = random.choice("ab")
        in_lists = [
            "containers",
            *(random.choice(["containers", "initContainers"]) for _ in range(random.randint(0, 1))),
        ]
        policies = ["IfNotPresent", "IfNotPresent", "Never", "Always"]
        yield Pod(
            name=f"pod-{number}",
            namespace=namespace,
            uses=tuple(
                Use(f"c{index}", each, random.choice(images), random.choice(policies))
                for index, each in enumerate(in_lists)
            ),
            secrets=tuple(secrets[namespace, name] for name in "st" if random.random() < 0.25),
            node=random.choice(nodes),
            zone=random.choice(["", "", "w", "x", "y", "z"]),
            owner=random.choice(["StatefulSet", "DaemonSet"]),
        )


def _before(random: Random, pods: Sequence[Pod], gone: Sequence[str]) -> Case:
    """Return what a node had, and what happened there; nothing that matters is asked yet."""
    requests = [pod.request(use) for pod in pods for use in pod.uses]
    return Case(
        images={name: _REGISTRY[name] for name in _REGISTRY if random.random() < 0.4},
        registry=_REGISTRY,
        asked=Request("a", "quay.io/a/app:1", "Never"),
        old=random.random() < 0.2,
        private=random.sample(_HOSTS, random.randint(0, 4)),
        history=[random.choice(requests) for _ in range(random.randint(0, 5))],
        gone=gone,
    )


def _listed(random: Random, images: Mapping[str, str], *, is_cut: bool) -> tuple[tuple[str, ...], ...]:
    """Return the names that the node lists: those of each image together, five at most, and fifty images at most."""
    by_id: dict[str, list[str]] = {}
    for name in random.sample(sorted(images), len(images)):
        by_id.setdefault(images[name], []).append(name)
    entries = [tuple(names[:5]) for names in by_id.values()]
    if is_cut:
        entries = [names for names in entries if random.random() < 0.5]
        entries += [(f"filler.example/{number}:1",) for number in range(50 - len(entries))]
    return tuple(entries)


def _forecasts(pods: Sequence[Pod], nodes: Sequence[Node], gone: Sequence[str]) -> dict[tuple[str, Event], Outcome]:
    objects = {"Pod": [pod.object for pod in pods], "Node": [node.object for node in nodes]}
    stored = {
        kind: tuple(Stored("test", obj) for obj in objects.get(kind, ())) for kind in (*WORKLOAD_KINDS, "Pod", "Node")
    }
    snapshot = Snapshot("test", live=False, stored=stored, unreadable={}, errors=(), notes=())
    forecaster = Forecaster(
        ENGINE,
        Pods(snapshot),
        Nodes(snapshot.objects("Node"), {}),
        accounts={},
        mutations={},
        registries=gone or ["none.example"],
        inside={"services": [], "stated": [], "nodes": []},
        has_pods=True,
        complete=True,
    )
    found = {}
    for workload, by_event in forecaster.forecasts(_EVENTS, None).items():
        for event, forecast in by_event.items():
            (found[workload.name, event],) = forecast.outcomes
    return found


class _Cluster:
    """A random cluster, and what the kubelet says of it."""

    def __init__(self, program: Path, random: Random) -> None:
        self.program = program
        self.gone = _HOSTS if random.random() < 0.7 else random.sample(_HOSTS, 4)
        names = ["n0", "n1", "n2"]
        self.pods = list(_pods(random, names))
        cases = [_before(random, self.pods, self.gone) for _ in names]
        self.nodes = {}
        for name, zone, case, answer in zip(names, "xyw", cases, answers(program, cases), strict=True):
            is_cut = random.random() < 0.3
            listed = _listed(random, answer["images"], is_cut=is_cut)
            self.nodes[name] = Node(name, zone, case, listed, is_cut)
        asked = [
            (replace(node.case, asked=pod.request(use)), (pod.name, use.name, node.name))
            for pod in self.pods
            for use in pod.uses
            for node in self.nodes.values()
        ]
        said = answers(program, [case for case, _ in asked])
        self.starts = {key: answer["starts"] for (_, key), answer in zip(asked, said, strict=True)}

    def eligible(self, pod: Pod, event: Event) -> list[Node]:
        if event != "replace" or pod.owner == "DaemonSet":
            return [self.nodes[pod.node]]
        return [node for node in self.nodes.values() if pod.zone in {"", node.zone}]

    def is_open(self, use: Use, node: Node) -> bool:
        """Return whether the registry wants no credentials: that it gets the right ones is taken for granted."""
        full = _STATED[use.image]
        return full is None or full.partition("/")[0] not in node.case.private

    def completions(self, pod: Pod, use: Use, node: Node) -> Iterator[Case]:
        """Yield nodes that list the same as one does, with what would go well and with what would not."""
        full = _STATED[use.image]
        assert full is not None
        names = node.names
        bare = replace(node.case, images=names, history=(), private=(), asked=pod.request(use))
        yield bare
        if node.may_have(full):
            yield replace(bare, images={**names, full: _REGISTRY[full]})
        for other in (puller.request(each) for puller in self.pods for each in puller.uses):
            theirs = _STATED[other.image]
            if theirs is None or _REGISTRY[theirs] != _REGISTRY[full]:
                continue
            before = {**names, full: _REGISTRY[full]} if full in names or node.may_have(full) else names
            before = {name: number for name, number in before.items() if name != theirs}
            # The kubelet remembers a pull as long as the image is there, under whatever names.
            removed = [] if theirs in names or node.may_have(theirs) else [theirs]
            for private in ((), _HOSTS):
                for known in (None, *(secret.name for secret in other.secrets)):
                    yield replace(
                        bare,
                        images=before,
                        history=(_with_secrets(other, other.namespace, known),),
                        private=private,
                        removed=removed,
                        asked=_with_secrets(bare.asked, other.namespace, known),
                    )


def _with_secrets(request: Request, namespace: str, known: str | None) -> Request:
    """Return a request whose secrets hold credentials for all registries, each its own: nobody has read them.

    Args:
        request: The request.
        namespace: Where one secret may be the only one that holds any.
        known: The name of this secret; None: all hold them.
    """
    secrets = (
        Secret(
            secret.name,
            tuple(_HOSTS) if known is None or (request.namespace, secret.name) == (namespace, known) else (),
            f"{request.namespace}/{secret.name}",
        )
        for secret in request.secrets
    )
    return replace(request, secrets=tuple(secrets))


def _check(cluster: _Cluster) -> dict[str, int]:
    """Check all that is forecast; return how often each reason was given."""
    forecasts = _forecasts(cluster.pods, list(cluster.nodes.values()), cluster.gone)
    reasons: dict[str, int] = {}
    open_questions = []
    for pod in cluster.pods:
        uses = {use.name: use for use in pod.uses}
        for event in _EVENTS:
            nodes = cluster.eligible(pod, event)
            found = forecasts[pod.name, event]
            for forecast in found.uses:
                use = uses[forecast.name]
                said = [cluster.starts[pod.name, use.name, node.name] for node in nodes]
                context = (pod, use, event, forecast, said)
                reasons[forecast.reason] = reasons.get(forecast.reason, 0) + 1
                if forecast.reason == "registry-reachable":
                    said = [said[index] for index, node in enumerate(nodes) if cluster.is_open(use, node)]
                if forecast.verdict == "starts":
                    assert all(said), context
                elif forecast.verdict == "stays down":
                    assert not any(said), context
                else:
                    cases = [case for node in nodes for case in cluster.completions(pod, use, node)]
                    open_questions.append((context, cases))
    answered = iter(answers(cluster.program, [case for _, cases in open_questions for case in cases]))
    for context, cases in open_questions:
        assert {next(answered)["starts"] for _ in cases} == {True, False}, context
    return reasons


@pytest.fixture(scope="module")
def kubelet_images(checkout: Path) -> Path:
    program = checkout / ".tools/bin/kubelet-images"
    assert program.exists(), "run `make tools`"
    return program


# An example is a whole cluster: it does not become clearer as it shrinks.
@settings(
    max_examples=10,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(random=st.randoms(use_true_random=False))
def test_random_clusters(kubelet_images: Path, random: Random) -> None:
    _check(_Cluster(kubelet_images, random))


def test_every_reason_is_tried(kubelet_images: Path) -> None:
    reasons: dict[str, int] = {}
    for seed in range(8):
        for reason, number in _check(_Cluster(kubelet_images, Random(seed))).items():  # noqa: S311 - a fixed sequence
            reasons[reason] = reasons.get(reason, 0) + number
    assert set(reasons) == {
        *("registry-reachable", "image-on-node", "image-on-every-node", "always", "image-not-on-node"),
        *("image-on-no-node", "never-without-image", "invalid-image", "image-on-some-nodes", "listing-cut"),
        *("credentials", "spelling", "no-node"),
    }
