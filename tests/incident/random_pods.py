"""Random pods: what they ask for, of images that are on the node and of others."""

import random
from collections.abc import Iterator

from local_cluster.api import JSON

NUMBER = 12
_REGISTRY = "registry.example"
_POLICIES = ("Always", "IfNotPresent", "IfNotPresent", "Never", None)


def random_pods(namespace: str, digest: str) -> Iterator[JSON]:
    """Yield pods, always the same ones.

    Args:
        namespace: Their namespace.
        digest: The digest of the image of the repository `cached`, which is on the node.
    """
    chance = random.Random(1)  # noqa: S311
    names = ("cached:1", "cached:1", "cached:latest", "cached", f"cached@{digest}", "absent:1")
    for number in range(NUMBER):

        def use(reference: str, policy: str) -> JSON:
            stated = chance.choice(_POLICIES)
            return {reference: f"{_REGISTRY}/{chance.choice(names)}", **({} if stated is None else {policy: stated})}

        spec: JSON = {"containers": [{"name": "main", **use("image", "imagePullPolicy")}]}
        if chance.random() < 0.3:
            spec["containers"].append({"name": "other", **use("image", "imagePullPolicy")})
        if chance.random() < 0.3:
            spec["initContainers"] = [{"name": "first", "args": ["exit"], **use("image", "imagePullPolicy")}]
        if chance.random() < 0.3:
            spec["volumes"] = [{"name": "data", "image": use("reference", "pullPolicy")}]
            spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"random-{number}", "namespace": namespace},
            "spec": spec,
        }
