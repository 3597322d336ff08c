"""Audits from a live cluster: constraints with their status, templates, and the owners of objects that violate."""

import re
from collections.abc import Mapping
from typing import Any

from pullguard.audit.gathered import Gathered
from pullguard.cluster.kubectl import Kubectl, RefusedError, entries
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, EXPANSION_GROUP, TEMPLATE_GROUP, dig

# The paths of objects that own others, that are owned, or that may be idle, by group and kind.
_PATHS = {
    ("", "Pod"): "/api/v1/namespaces/{}/pods",
    ("", "ReplicationController"): "/api/v1/namespaces/{}/replicationcontrollers",
    ("apps", "DaemonSet"): "/apis/apps/v1/namespaces/{}/daemonsets",
    ("apps", "Deployment"): "/apis/apps/v1/namespaces/{}/deployments",
    ("apps", "ReplicaSet"): "/apis/apps/v1/namespaces/{}/replicasets",
    ("apps", "StatefulSet"): "/apis/apps/v1/namespaces/{}/statefulsets",
    ("batch", "CronJob"): "/apis/batch/v1/namespaces/{}/cronjobs",
    ("batch", "Job"): "/apis/batch/v1/namespaces/{}/jobs",
}

# A valid namespace name, so that no name from a log can lead a request elsewhere.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def gather(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the constraints and templates of a cluster.

    Raises:
        PullguardError: The cluster has no constraints, or cannot be read.
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
    _take_templates(cluster, gathered)
    _take_expansions(cluster, gathered)


def constraint_resources(cluster: Kubectl) -> list[str]:
    """Return the list paths of all kinds of constraints, sorted.

    Raises:
        RefusedError: The API group of constraints does not exist, or cannot be read.
    """
    version = _version(cluster, CONSTRAINT_GROUP)
    return cluster.parsed(
        f"/apis/{version}",
        lambda value: sorted(
            f"/apis/{version}/{entry['name']}" for entry in entries(value, "resources") if "/" not in entry["name"]
        ),
    )


def _version(cluster: Kubectl, group: str) -> str:
    return cluster.parsed(f"/apis/{group}", lambda value: str(value["preferredVersion"]["groupVersion"]))


def read_owners(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the objects that violate, and their owners, in the namespaces that have violations.

    Kinds that cannot be read are recorded as errors.
    """
    objects = {violation.object for result in gathered.results for violation in result.violations}
    read: set[str] = set()
    while True:
        owners = {gathered.owners.workload(ref) for ref in objects}
        unseen = [ref for ref in objects | owners if not gathered.owners.has_seen(ref)]
        paths = sorted({path for ref in unseen if (path := _path(ref))} - read)
        if not paths:
            return
        for path in paths:
            _take(cluster, path, gathered)
        read.update(paths)


def _path(ref: ObjectRef) -> str:
    """Return the list path for an object's kind and namespace, or "" if there is nothing to read."""
    if _kind(ref) not in _PATHS or not _NAMESPACE.fullmatch(ref.namespace):
        return ""
    return _PATHS[_kind(ref)].format(ref.namespace)


def _kind(ref: ObjectRef) -> tuple[str, str]:
    return ref.api_version.rpartition("/")[0], ref.kind


def _take_templates(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the templates. Without them, rules and severities are those of pullguard's own library."""
    try:
        for page in cluster.pages(f"/apis/{TEMPLATE_GROUP}/v1/constrainttemplates"):
            for obj in page:
                _take_template(obj, cluster.source, gathered)
    except RefusedError as error:
        if not error.forbidden:
            raise
        gathered.notes.append(
            "the templates of the cluster cannot be read (forbidden): rules and severities are those of pullguard's own"
        )


def _take_expansions(cluster: Kubectl, gathered: Gathered) -> None:
    """Read the ExpansionTemplates, if the cluster has any."""
    try:
        for page in cluster.pages(f"/apis/{_version(cluster, EXPANSION_GROUP)}/expansiontemplate"):
            for obj in page:
                gathered.take(obj, cluster.source)
    except RefusedError as error:
        if error.forbidden:
            gathered.notes.append("the ExpansionTemplates of the cluster cannot be read (forbidden)")
        elif not error.not_found:
            raise


def _take_template(obj: Mapping[str, Any], source: str, gathered: Gathered) -> None:
    try:
        gathered.take(obj, source)
    except PullguardError as error:
        gathered.notes.append(f"pullguard cannot read the template {dig(obj, 'metadata', 'name')}: {error.message}")


def _take(cluster: Kubectl, path: str, gathered: Gathered) -> None:
    """Read a list page by page. A list that the user may not read is recorded as an error."""
    try:
        for page in cluster.pages(path):
            for obj in page:
                _take_object(obj, cluster.source, gathered)
    except RefusedError as error:
        # A kind that was removed after the cluster listed it has no objects.
        if error.forbidden:
            gathered.fail(cluster.source, _forbidden(path))
        elif not error.not_found:
            raise


def _take_object(obj: Mapping[str, Any], source: str, gathered: Gathered) -> None:
    """Record an object. A problem with it is recorded as an error."""
    try:
        gathered.take(obj, source)
    except PullguardError as error:
        gathered.fail(source, error)


def _forbidden(path: str) -> PullguardError:
    return PullguardError(
        f"{path} cannot be read (forbidden)", remedy="docs/audit.md has a ClusterRole with the rights that audit needs"
    )
