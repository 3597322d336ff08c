"""What a live cluster has lists of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pullguard.cluster.kubectl import Kubectl, RefusedError, entries


@dataclass(frozen=True, slots=True)
class Listed:
    """A kind of objects that a cluster can list.

    Attributes:
        group: The API group.
        kind: The kind.
        path: The path of the list in the API.
    """

    group: str
    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """The kinds that a cluster can list, each in its preferred version.

    Attributes:
        listed: The kinds, in the cluster's order.
        errors: The versions of groups that cannot be read, such as those of an aggregated API that is down.
    """

    listed: tuple[Listed, ...]
    errors: tuple[RefusedError, ...]


def listable(cluster: Kubectl, is_wanted: Callable[[str], bool] = lambda _group: True) -> Discovered:
    """Return the kinds of a cluster.

    Args:
        cluster: The cluster.
        is_wanted: Tells which API groups are looked at.

    Raises:
        RefusedError: The groups cannot be read.
        PullguardError: The API server's answer has an unexpected form.
    """
    versions = {"": ["v1"], **cluster.parsed("/apis", _versions)}
    found: dict[tuple[str, str], Listed] = {}
    errors = []
    for group, names in versions.items():
        for name in names if is_wanted(group) else ():
            root = f"/apis/{name}" if group else f"/api/{name}"
            try:
                resources = cluster.parsed(root, _listable)
            except RefusedError as error:
                errors.append(error)
                continue
            for kind, resource in resources:
                found.setdefault((group, kind), Listed(group, kind, f"{root}/{resource}"))
    return Discovered(tuple(found.values()), tuple(errors))


def _versions(value: Any) -> dict[str, list[str]]:
    """Return the versions of each group, the preferred one first."""
    return {
        str(entry["name"]): list(
            dict.fromkeys(str(version["groupVersion"]) for version in (entry["preferredVersion"], *entry["versions"]))
        )
        for entry in entries(value, "groups")
    }


def _listable(value: Any) -> list[tuple[str, str]]:
    """Return the kinds of a version that can be listed, each with its resource name."""
    return [
        (str(entry["kind"]), str(entry["name"]))
        for entry in entries(value, "resources")
        if "/" not in entry["name"] and "list" in entry["verbs"]
    ]
