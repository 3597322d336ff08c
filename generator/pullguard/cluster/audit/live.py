"""Audits from a live cluster: constraints with their status, templates, and who owns what violates."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pullguard.cluster.audit.gathered import Gathered
from pullguard.cluster.kubectl import Kubectl, RefusedError
from pullguard.errors import PullguardError
from pullguard.findings import ObjectRef
from pullguard.gatekeeper import CONSTRAINT_GROUP, TEMPLATE_GROUP

# Where the objects are that others belong to, by group and kind; their owners in turn are of the kinds after them.
_OWNED = {
    ("", "Pod"): "/api/v1/namespaces/{}/pods",
    ("apps", "ReplicaSet"): "/apis/apps/v1/namespaces/{}/replicasets",
    ("batch", "Job"): "/apis/batch/v1/namespaces/{}/jobs",
    ("", "ReplicationController"): "/api/v1/namespaces/{}/replicationcontrollers",
    ("apps", "Deployment"): "/apis/apps/v1/namespaces/{}/deployments",
    ("apps", "StatefulSet"): "/apis/apps/v1/namespaces/{}/statefulsets",
    ("batch", "CronJob"): "/apis/batch/v1/namespaces/{}/cronjobs",
}
_OWNERS_OF_PODS = (("apps", "ReplicaSet"), ("batch", "Job"), ("", "ReplicationController"))

# Of namespaces, as the API server takes them: no name from a log leads a request elsewhere.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def gather(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the constraints and templates of a cluster.

    Raises:
        PullguardError: It has no constraints, or cannot be read.
    """
    try:
        resources = constraint_resources(cluster)
    except RefusedError as error:
        if error.not_found:
            raise PullguardError(
                f"{cluster.source} has no constraints", remedy="install Gatekeeper, and apply the library"
            ) from error
        raise
    for path in resources:
        _take(cluster, path, gathered)
    templates = f"/apis/{TEMPLATE_GROUP}/v1/constrainttemplates"
    try:
        for page in cluster.pages(templates):
            for obj in page:
                gathered.take(obj, cluster.source)
    except RefusedError as error:
        if not error.forbidden:
            raise
        gathered.notes.append(
            "the templates of the cluster cannot be read (forbidden): rules and severities are those of pullguard's own"
        )


def constraint_resources(cluster: Kubectl) -> list[str]:
    """Return the paths of the lists of all kinds of constraints, sorted.

    Raises:
        RefusedError: There is no such group, or it cannot be read.
    """
    versions = cluster.value(f"/apis/{CONSTRAINT_GROUP}")
    version = versions["preferredVersion"]["groupVersion"]
    resources = cluster.value(f"/apis/{version}")["resources"]
    return sorted(f"/apis/{version}/{entry['name']}" for entry in resources if "/" not in entry["name"])


def read_owners(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the objects that tell who owns what violates, in the namespaces where something does.

    Kinds that cannot be read are among the errors.
    """
    objects = {violation.object for result in gathered.results for violation in result.violations}
    for path in _paths(ref for ref in objects if not gathered.owners.has_seen(ref)):
        _take(cluster, path, gathered)


def _paths(refs: Iterable[ObjectRef]) -> Iterator[str]:
    wanted: dict[str, set[tuple[str, str]]] = {}
    for ref in refs:
        kind = (ref.api_version.rpartition("/")[0], ref.kind)
        if kind in _OWNED and _NAMESPACE.fullmatch(ref.namespace):
            kinds = wanted.setdefault(ref.namespace, set())
            kinds.add(kind)
            if kind == ("", "Pod"):
                kinds.update(_OWNERS_OF_PODS)
    for namespace, kinds in sorted(wanted.items()):
        for kind, path in _OWNED.items():
            if kind in kinds:
                yield path.format(quote(namespace, safe=""))


def _take(cluster: Kubectl, path: str, gathered: Gathered) -> None:
    """Take in a list, page by page; one that may not be read is an error of the report."""
    try:
        for page in cluster.pages(path):
            for obj in page:
                take(obj, cluster.source, gathered)
    except RefusedError as error:
        if not error.forbidden:
            raise
        gathered.fail(cluster.source, _forbidden(path))


def take(obj: Mapping[str, Any], source: str, gathered: Gathered) -> None:
    """Take in one object; what is wrong with it is an error of the report."""
    try:
        gathered.take(obj, source)
    except PullguardError as error:
        gathered.fail(source, error)


def _forbidden(path: str) -> PullguardError:
    return PullguardError(
        f"{path} cannot be read (forbidden)", remedy="docs/audit.md has the ClusterRole that it takes"
    )
