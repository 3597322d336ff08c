"""Audits from a live cluster: constraints with their status, templates, and who owns what violates."""

import re
from collections.abc import Mapping
from typing import Any

from pullguard.audit.gathered import Gathered
from pullguard.cluster.kubectl import Kubectl, RefusedError, entries
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, EXPANSION_GROUP, TEMPLATE_GROUP, dig

# Where the objects are that others may own, that own pods, or that may be idle, by group and kind.
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
    _take_templates(cluster, gathered)
    _take_expansions(cluster, gathered)


def constraint_resources(cluster: Kubectl) -> list[str]:
    """Return the paths of the lists of all kinds of constraints, sorted.

    Raises:
        RefusedError: There is no such group, or it cannot be read.
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
    """Read the objects that tell who owns what violates, and their owners, in the namespaces where something does.

    Kinds that cannot be read are among the errors.
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
    """Return where the objects of a kind and a namespace are; "" where nobody need look."""
    if _kind(ref) not in _PATHS or not _NAMESPACE.fullmatch(ref.namespace):
        return ""
    return _PATHS[_kind(ref)].format(ref.namespace)


def _kind(ref: ObjectRef) -> tuple[str, str]:
    return ref.api_version.rpartition("/")[0], ref.kind


def _take_templates(cluster: Kubectl, gathered: Gathered) -> None:
    """Take in the templates; without them rules and severities are not those of the cluster, and no more than that."""
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
    """Take in the ExpansionTemplates, if Gatekeeper has any."""
    try:
        for page in cluster.pages(f"/apis/{_version(cluster, EXPANSION_GROUP)}/expansiontemplate"):
            for obj in page:
                gathered.take(obj, cluster.source)
    except RefusedError as error:
        if error.forbidden:
            gathered.notes.append("whether there are ExpansionTemplates cannot be read (forbidden)")
        elif not error.not_found:
            raise


def _take_template(obj: Mapping[str, Any], source: str, gathered: Gathered) -> None:
    try:
        gathered.take(obj, source)
    except PullguardError as error:
        gathered.notes.append(
            f"the template {dig(obj, 'metadata', 'name')} is none that pullguard reads: {error.message}"
        )


def _take(cluster: Kubectl, path: str, gathered: Gathered) -> None:
    """Take in a list, page by page; one that may not be read is an error of the report."""
    try:
        for page in cluster.pages(path):
            for obj in page:
                _take_object(obj, cluster.source, gathered)
    except RefusedError as error:
        # What has gone since the cluster named it has nothing to say.
        if error.forbidden:
            gathered.fail(cluster.source, _forbidden(path))
        elif not error.not_found:
            raise


def _take_object(obj: Mapping[str, Any], source: str, gathered: Gathered) -> None:
    """Take in one object; what is wrong with it is an error of the report."""
    try:
        gathered.take(obj, source)
    except PullguardError as error:
        gathered.fail(source, error)


def _forbidden(path: str) -> PullguardError:
    return PullguardError(
        f"{path} cannot be read (forbidden)", remedy="docs/audit.md has the ClusterRole that it takes"
    )
