"""Installs the library in a cluster as its README says, waits until it is in force, and uninstalls it."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from local_cluster.api import Client, Kubectl
from local_cluster.servers import NotReadyError, wait_until

_FORCE = 60.0
_CONSTRAINTS = "/apis/constraints.gatekeeper.sh/v1beta1"


class Reachable(Protocol):
    """A cluster with an administrator's access."""

    @property
    def kubectl(self) -> Kubectl:
        """The administrator's kubectl."""

    @property
    def client(self) -> Client:
        """The administrator's connection."""


@contextlib.contextmanager
def installed(cluster: Reachable, library: Path, level: str) -> Iterator[None]:
    """Apply a library at a level, and uninstall it at the end.

    Args:
        cluster: The cluster.
        library: The generated folder.
        level: A folder in it: "audit", "warn", "deny", "policies", or a subfolder such as "deny/protected_pull_policy".
    """
    try:
        install(cluster, library, level)
        yield
    finally:
        uninstall(cluster, library)


def install(cluster: Reachable, library: Path, level: str) -> None:
    """Apply templates and constraints with the documented commands, and wait until the constraints are enforced."""
    cluster.kubectl("apply", "-k", library / "templates")
    cluster.kubectl("wait", "--for=jsonpath={.status.created}=true", "--timeout=60s", "constrainttemplate", "--all")
    apply(cluster, library / level)


def apply(cluster: Reachable, kustomization: Path) -> None:
    """Apply constraints, and wait until they are enforced."""
    cluster.kubectl("apply", "-k", kustomization)
    wait_until_enforced(cluster)


def wait_until_enforced(cluster: Reachable, *, pods: int = 1) -> None:
    """Wait until Gatekeeper has compiled all templates and enforces the constraints in their current generation.

    Args:
        cluster: The cluster.
        pods: The number of Gatekeeper's pods.
    """

    def pending() -> list[str]:
        compiled = Counter(
            (said.get("templateUID"), said.get("observedGeneration"))
            for said in _said(cluster, "constrainttemplatepodstatuses")
            if not said.get("errors")
        )
        enforced = Counter(
            (said.get("constraintUID"), said.get("observedGeneration"))
            for said in _said(cluster, "constraintpodstatuses")
            if said.get("enforced") and not said.get("errors")
        )
        return [
            *(_shown(found) for found in templates(cluster) if compiled[_version(found)] < pods),
            *(_shown(found) for found in constraints(cluster) if enforced[_version(found)] < pods),
        ]

    try:
        wait_until(lambda: not pending(), timeout=_FORCE, what="all templates and constraints to be in force")
    except NotReadyError as error:
        raise NotReadyError(f"{error}: {pending()}") from None


def _version(obj: dict[str, Any]) -> tuple[str, int]:
    return obj["metadata"]["uid"], obj["metadata"]["generation"]


def _shown(obj: dict[str, Any]) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}, generation {obj['metadata']['generation']}"


def uninstall(cluster: Reachable, library: Path) -> None:
    """Remove a library as its README says, and wait until nothing of it is left."""
    for folder in (
        "admission/policies",
        "mutation/kubernetes",
        "mutation/elsewhere",
        "mutation/gatekeeper",
        "templates",
    ):
        if (library / folder).exists():
            cluster.kubectl("delete", "--ignore-not-found", "-k", library / folder)
    wait_until(
        lambda: (
            not templates(cluster)
            and not _constraint_kinds(cluster)
            # Objects that are created later must not meet the status of deleted ones with the same name.
            and not _said(cluster, "constrainttemplatepodstatuses")
            and not _said(cluster, "constraintpodstatuses")
        ),
        timeout=_FORCE,
        what="templates and kinds of constraints to go",
    )


def templates(cluster: Reachable) -> list[dict[str, Any]]:
    """Return the templates of a cluster, sorted by name."""
    return _list(cluster, "/apis/templates.gatekeeper.sh/v1/constrainttemplates")


def constraints(cluster: Reachable) -> list[dict[str, Any]]:
    """Return the constraints of a cluster, sorted by kind and name."""
    return [obj for kind in _constraint_kinds(cluster) for obj in _list(cluster, f"{_CONSTRAINTS}/{kind}")]


def _constraint_kinds(cluster: Reachable) -> list[str]:
    """Return the plural names of the kinds of constraints, sorted."""
    names: list[str] = [
        crd["spec"]["names"]["plural"]
        for crd in _list(cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        if crd["spec"]["group"] == "constraints.gatekeeper.sh"
    ]
    return sorted(names)


def _said(cluster: Reachable, kind: str) -> list[dict[str, Any]]:
    """Return the status that Gatekeeper's pods report for objects."""
    status = "/apis/status.gatekeeper.sh/v1beta1/namespaces/gatekeeper-system"
    return [found.get("status", {}) for found in _list(cluster, f"{status}/{kind}")]


def _list(cluster: Reachable, path: str) -> list[dict[str, Any]]:
    answer = cluster.client.request("GET", path)
    if answer.code == 404:  # the kind is not served yet, or no longer
        return []
    assert answer.code == 200, answer
    items: list[dict[str, Any]] = answer.body["items"]
    return items
