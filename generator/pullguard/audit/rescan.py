"""`audit --rescan`: every object of a cluster that its constraints may select, page by page, through the engine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullguard.audit.gathered import Gathered
from pullguard.audit.model import ConstraintKey, Result, Violation
from pullguard.cluster.kubectl import JSON, Kubectl, RefusedError
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate, dig, needs_cluster
from pullguard.engine.batches import Answer, Batch, EngineJudge, Failure, judged
from pullguard.engine.groups import groups
from pullguard.engine.protocol import Engine
from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults

#: The source of results, for people.
SOURCE = "rescan"

_POINT = "audit.gatekeeper.sh"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Listed:
    """A kind of objects that a cluster can list.

    Attributes:
        group: The API group.
        kind: The kind.
        path: Of the list in the API.
    """

    group: str
    kind: str
    path: str


def rescan(cluster: Kubectl, gathered: Gathered, *, run: str, engine: Engine) -> None:
    """Judge the objects of a cluster by its own constraints; results, and what could not be judged, are gathered.

    Constraints of templates without Rego, or that ask for more than Namespaces, are left to Gatekeeper's audit.

    Args:
        cluster: The cluster.
        gathered: Its constraints and templates; takes the results.
        run: When this begins, RFC 3339 in UTC.
        engine: What judges; nothing else may be judged by it.

    Raises:
        PullguardError: The cluster cannot be read, or the engine fails.
    """
    templates, constraints = _rules(gathered)
    if not constraints:
        return
    scan = _Scan(cluster, gathered, {template.name: template.kind for template in templates})
    kinds = wanted(constraints, _resources(cluster, gathered, {group for group, _ in _selectors(constraints)}))
    engine.setup([group.for_engine(enforcementPoint=_POINT) for group in groups(templates, constraints)])
    for items, answers in judged([EngineJudge(engine)], scan.batches(kinds)):
        for item, answer in zip(items, answers, strict=True):
            scan.take(item, answer)
    engine.finish()
    judged_keys = {ConstraintKey(constraint.kind, constraint.name) for constraint in constraints}
    # What was found before says less, whatever the clocks say.
    gathered.results = [result for result in gathered.results if result.constraint not in judged_keys]
    for key in sorted(judged_keys):
        violations = tuple(scan.violations.get(key, ()))
        gathered.results.append(Result(key, run, SOURCE, len(violations), violations))
    gathered.notes.append(f"{scan.objects} objects of {len(kinds)} kinds were judged")


def wanted(constraints: Sequence[Constraint], resources: Sequence[Listed]) -> list[Listed]:
    """Return the resources that some constraint may select by kind, in the order in which they are given."""
    selectors = _selectors(constraints)
    return [
        listed
        for listed in resources
        if any(group in {_ANY, listed.group} and kind in {_ANY, listed.kind} for group, kind in selectors)
    ]


def _selectors(constraints: Sequence[Constraint]) -> set[tuple[str, str]]:
    """Return the groups and kinds that constraints select; "*" is any."""
    found: set[tuple[str, str]] = set()
    for constraint in constraints:
        entries = dig(constraint.object, "spec", "match", "kinds") or [{}]
        for entry in entries:
            for group in entry.get("apiGroups") or [_ANY]:
                found.update((group, kind) for kind in entry.get("kinds") or [_ANY])
    return found


def _rules(gathered: Gathered) -> tuple[list[ConstraintTemplate], list[Constraint]]:
    """Return the templates and constraints that can be judged here."""
    templates = {}
    left: dict[str, str] = {}
    for kind in sorted({key.kind for key in gathered.constraints}):
        template = gathered.templates.get(kind)
        if template is None:
            left[kind] = "its template cannot be read"
        elif template.source is None:
            left[kind] = "its template has no Rego"
        elif needs_cluster(template):
            left[kind] = "it asks for other objects of the cluster"
        else:
            templates[kind] = template
    gathered.notes += [f"{kind} was left to Gatekeeper's audit: {reason}" for kind, reason in left.items()]
    constraints = [
        Constraint(entry.file, entry.kind, entry.name, with_defaults(entry.object, templates[entry.kind]))
        for entry in gathered.constraints.values()
        if entry.kind in templates
    ]
    return list(templates.values()), constraints


def _resources(cluster: Kubectl, gathered: Gathered, wanted_groups: set[str]) -> list[Listed]:
    """Return what the cluster can list in some groups, each kind in the version that it prefers."""
    versions: dict[str, list[str]] = {"": ["v1"]}
    for entry in cluster.value("/apis")["groups"]:
        preferred = entry["preferredVersion"]["groupVersion"]
        others = [version["groupVersion"] for version in entry["versions"]]
        versions[entry["name"]] = list(dict.fromkeys([preferred, *others]))
    found: dict[tuple[str, str], Listed] = {}
    for group, names in versions.items():
        if group not in wanted_groups and _ANY not in wanted_groups:
            continue
        for name in names:
            root = f"/apis/{name}" if group else f"/api/{name}"
            try:
                resources = cluster.value(root)["resources"]
            except RefusedError as error:
                # An aggregated API that is down: what it holds is not judged, and the report says so.
                gathered.fail(cluster.source, error)
                continue
            for resource in resources:
                if "/" not in resource["name"] and "list" in resource["verbs"]:
                    key = (group, resource["kind"])
                    found.setdefault(key, Listed(*key, f"{root}/{resource['name']}"))
    return list(found.values())


class _Scan:
    """Objects on their way through the engines, and what comes of them."""

    def __init__(self, cluster: Kubectl, gathered: Gathered, kinds: Mapping[str, str]) -> None:
        self.objects = 0
        self.violations: dict[ConstraintKey, list[Violation]] = {}
        self._cluster = cluster
        self._gathered = gathered
        self._kinds = kinds
        self._namespaces = self._read_namespaces()

    def batches(self, kinds: Sequence[Listed]) -> Iterator[tuple[list[JSON], Batch]]:
        """Yield the objects page by page."""
        for listed in kinds:
            yield from self._batches(listed.path)

    def _batches(self, path: str) -> Iterator[tuple[list[JSON], Batch]]:
        try:
            for page in self._cluster.pages(path):
                if page:
                    yield page, self._batch(page)
        except RefusedError as error:
            if not error.forbidden and not error.not_found:
                raise
            self._gathered.fail(self._cluster.source, error)

    def take(self, obj: JSON, answer: Answer | Failure) -> None:
        """Note what is said of an object."""
        self.objects += 1
        ref = _ref(obj)
        if isinstance(answer, Failure):
            shown = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
            error = PullguardError(f"{ref.kind} {shown} could not be judged: {answer.message}")
            self._gathered.fail(self._cluster.source, error)
            return
        if answer.responses:
            self._gathered.owners.add([obj])
        for response in answer.responses:
            key = ConstraintKey(self._kinds[response.policy], response.constraint)
            violation = Violation(response.action, ref, response.message, response.details)
            self.violations.setdefault(key, []).append(violation)

    def _batch(self, page: list[JSON]) -> Batch:
        names = {dig(obj, "metadata", "namespace") for obj in page}
        texts = [json.dumps(obj, separators=(",", ":")) for obj in page]
        return Batch(texts, {name: self._namespaces[name] for name in names & self._namespaces.keys()})

    def _read_namespaces(self) -> dict[str, JSON]:
        found = {}
        for page in self._cluster.pages("/api/v1/namespaces"):
            for obj in page:
                metadata = {"name": obj["metadata"]["name"], "labels": obj["metadata"].get("labels") or {}}
                found[metadata["name"]] = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        return found


def _ref(obj: Mapping[str, Any]) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"])
