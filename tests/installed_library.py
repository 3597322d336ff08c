"""The library in a cluster: applied as its README says, in force, taken away again."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until

_FORCE = 60.0
_CONSTRAINTS = "constraints.gatekeeper.sh"
_TEMPLATES = "constrainttemplates.templates.gatekeeper.sh"


@contextlib.contextmanager
def installed(cluster: Cluster, library: Path, level: str) -> Iterator[None]:
    """Apply a library at a level, and uninstall it in the end.

    Args:
        cluster: The cluster.
        library: The generated folder.
        level: A folder in it: "audit", "warn", "deny" or "policies", or one of theirs: "deny/protected_pull_policy".
    """
    try:
        install(cluster, library, level)
        yield
    finally:
        uninstall(cluster, library)


def install(cluster: Cluster, library: Path, level: str) -> None:
    """Apply templates and constraints with the documented commands, and wait until the constraints are enforced."""
    cluster.kubectl("apply", "-k", library / "templates")
    cluster.kubectl("wait", "--for=jsonpath={.status.created}=true", "--timeout=60s", "constrainttemplate", "--all")
    apply(cluster, library / level)


def apply(cluster: Cluster, kustomization: Path) -> None:
    """Apply constraints, and wait until they are enforced."""
    cluster.kubectl("apply", "-k", kustomization)
    wait_until_enforced(cluster)


def wait_until_enforced(cluster: Cluster) -> None:
    """Wait until Gatekeeper has compiled all templates, and judges by the constraints as they are now."""
    wait_until(
        lambda: all(_is_compiled(template) for template in templates(cluster)),
        timeout=_FORCE,
        what="all templates to be compiled",
    )
    wait_until(
        lambda: all(_is_enforced(constraint) for constraint in constraints(cluster)),
        timeout=_FORCE,
        what="all constraints to be enforced",
    )


def uninstall(cluster: Cluster, library: Path) -> None:
    """Take a library away as its README says, and wait until nothing of it is left."""
    cluster.kubectl("delete", "--ignore-not-found", "-k", library / "templates")
    wait_until(
        lambda: not templates(cluster) and not _constraint_kinds(cluster) and not _statuses(cluster),
        timeout=_FORCE,
        what="templates and kinds of constraints to go",
    )


def templates(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the templates of a cluster, sorted by name."""
    items: list[dict[str, Any]] = cluster.kubectl.get(_TEMPLATES)["items"]
    return items


def constraints(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the constraints of a cluster, sorted by kind and name."""
    kinds = _constraint_kinds(cluster)
    items: list[dict[str, Any]] = cluster.kubectl.get(",".join(kinds))["items"] if kinds else []
    return sorted(items, key=lambda constraint: (constraint["kind"], constraint["metadata"]["name"]))


def _statuses(cluster: Cluster) -> list[Any]:
    """Return what Gatekeeper says of templates and constraints: what is made anew must not meet what is old."""
    kinds = "constrainttemplatepodstatuses,constraintpodstatuses"
    items: list[Any] = cluster.kubectl.get(kinds, "--namespace=gatekeeper-system")["items"]
    return items


def _constraint_kinds(cluster: Cluster) -> list[str]:
    names = [crd["metadata"]["name"] for crd in cluster.kubectl.get("crd")["items"]]
    return [name for name in names if name.endswith(f".{_CONSTRAINTS}")]


def _is_compiled(template: dict[str, Any]) -> bool:
    return template["status"].get("created") is True and _is_current(template)


def _is_enforced(constraint: dict[str, Any]) -> bool:
    return _is_current(constraint) and all(pod.get("enforced") is True for pod in constraint["status"]["byPod"])


def _is_current(obj: dict[str, Any]) -> bool:
    """Return whether all that Gatekeeper says of an object is about its latest generation, and no error."""
    pods = obj.get("status", {}).get("byPod") or []
    generation = obj["metadata"]["generation"]
    return bool(pods) and all(pod.get("observedGeneration") == generation and not pod.get("errors") for pod in pods)
