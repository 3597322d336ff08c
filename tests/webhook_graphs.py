"""Random graphs: Deployments, the Services in front of them, and webhooks behind these that guard each other's pods."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

#: The label that namespaces, and all objects in them, have with the name of their graph.
GRAPH = "graph"
NODES = ("node-a", "node-b")

_NAME = "kubernetes.io/metadata.name"
# What a webhook catches, and how often it does: the group, the resource, and the operations.
_RULES = (
    (10, ("", "pods", ("CREATE",))),
    (3, ("", "pods/binding", ("CREATE",))),
    (3, ("", "serviceaccounts/token", ("CREATE",))),
    (2, ("", "pods/status", ("UPDATE",))),
    (2, ("discovery.k8s.io", "endpointslices", ("CREATE", "UPDATE"))),
    (1, ("", "configmaps", ("CREATE",))),
)
# Not too many pods may be down for their images: others are to show what falls with them.
_POLICIES = ("Always", *["IfNotPresent"] * 7)
_PLACES = (*[NODES] * 8, NODES[:1], ())


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph.

    Attributes:
        name: Its name, and the value of the label GRAPH.
        objects: Its namespaces, then Services and Deployments.
        webhooks: Its webhook configurations, which catch nothing beyond it.
        images: By node, the images that the node has.
    """

    name: str
    objects: tuple[JSON, ...]
    webhooks: tuple[JSON, ...]
    images: dict[str, list[str]]


def graph(seed: int) -> Graph:
    """Return the graph of a seed: three to five Deployments, each with a Service and maybe a webhook."""
    chance = random.Random(seed)  # noqa: S311
    name = f"graph-{seed}"
    letters = "abcde"[: chance.randint(3, 5)]
    spaces = [f"{name}-{letter}" for letter in letters[: chance.randint(2, len(letters))]]
    homes = {letter: spaces[number % len(spaces)] for number, letter in enumerate(letters)}
    images: dict[str, list[str]] = {node: [] for node in NODES}
    objects = [
        _object("v1", "Namespace", space, labels={GRAPH: name, "tier": chance.choice(("front", "back"))})
        for space in spaces
    ]
    webhooks = []
    for number, letter in enumerate(letters):
        image = f"registry.example.com/{name}/{letter}:1"
        for node in chance.choice(_PLACES) if number else NODES:
            images[node].append(image)
        policy = chance.choice(_POLICIES) if number else "Always"
        objects.append(_deployment(name, letter, homes[letter], image, policy, replicas=chance.choice((1, 1, 2))))
        selector = {"all": "yes"} if chance.random() < 0.2 else {"app": letter}
        objects.append(
            {
                **_object("v1", "Service", letter, homes[letter], {GRAPH: name}),
                "spec": {"selector": selector, "ports": [{"port": 443, "targetPort": 8443}]},
            }
        )
        if not number or chance.random() < 0.8:
            webhook = _webhook(chance, name, letter, homes)
            kind = chance.choice(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"))
            made = _object("admissionregistration.k8s.io/v1", kind, f"{name}-{letter}", labels={GRAPH: name})
            webhooks.append({**made, "webhooks": [webhook]})
    return Graph(name, tuple(objects), tuple(webhooks), images)


def _object(version: str, kind: str, name: str, namespace: str = "", labels: JSON | None = None) -> JSON:
    metadata: JSON = {"name": name, "labels": labels or {}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _deployment(name: str, letter: str, namespace: str, image: str, policy: str, *, replicas: int) -> JSON:
    labels = {GRAPH: name, "app": letter, "all": "yes"}
    container = {"name": "app", "image": image, "imagePullPolicy": policy}
    return {
        **_object("apps/v1", "Deployment", letter, namespace, {GRAPH: name}),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": letter}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _webhook(chance: random.Random, name: str, letter: str, homes: Mapping[str, str]) -> JSON:
    """Return a webhook of the Service of a letter."""
    group, resource, operations = chance.choices([rule for _, rule in _RULES], [weight for weight, _ in _RULES])[0]
    namespace = homes[letter]
    webhook: JSON = {
        "name": f"{letter}.{name}.example.com",
        "failurePolicy": "Ignore" if chance.random() < 0.1 else "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
        "clientConfig": {"service": {"namespace": namespace, "name": letter}},
        "rules": [
            {"apiGroups": [group], "apiVersions": ["v1"], "operations": list(operations), "resources": [resource]}
        ],
        "namespaceSelector": {
            "matchLabels": {GRAPH: name},
            "matchExpressions": _namespaces(chance, namespace, sorted({*homes.values()})),
        },
    }
    selector = _pods(chance, sorted(homes))
    if selector:
        webhook["objectSelector"] = {"matchExpressions": [selector]}
    if chance.random() < 0.1:
        webhook["matchConditions"] = [{"name": "some", "expression": chance.choice(("true", "false"))}]
    return webhook


def _namespaces(chance: random.Random, own: str, spaces: Sequence[str]) -> list[JSON]:
    """Return what a namespaceSelector demands besides the graph."""
    others = [space for space in spaces if space != own]
    demands: tuple[list[JSON], ...] = (
        [],
        [{"key": _NAME, "operator": "NotIn", "values": [own]}],
        [{"key": _NAME, "operator": "In", "values": [chance.choice(others)]}],
        [{"key": "tier", "operator": "In", "values": ["front"]}],
        [{"key": "tier", "operator": "NotIn", "values": ["front"]}],
    )
    return chance.choice(demands)


def _pods(chance: random.Random, letters: Sequence[str]) -> JSON | None:
    """Return what an objectSelector demands, or None for no selector."""
    some = chance.sample(letters, 2)
    demands: tuple[JSON | None, ...] = (
        *[None] * 4,
        {"key": "app", "operator": "In", "values": some},
        {"key": "app", "operator": "NotIn", "values": some},
        {"key": "nobody-has-it", "operator": "Exists"},
        {"key": "nobody-has-it", "operator": "DoesNotExist"},
    )
    return chance.choice(demands)
