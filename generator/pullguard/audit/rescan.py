"""`audit --rescan`: the engine judges every object that the cluster's constraints may select, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullguard.audit.gathered import Gathered
from pullguard.audit.model import AuditedViolation, ConstraintKey, Result
from pullguard.cluster.discovery import Listed, listable
from pullguard.cluster.judged_pages import judged_pages
from pullguard.cluster.kubectl import Kubectl, PageFile, RefusedList
from pullguard.cluster.owners import Owners
from pullguard.core.errors import PullguardError
from pullguard.core.findings import reference
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate, dig, needs_cluster
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Failure
from pullguard.engine.files import FileEnd, JudgedObject
from pullguard.engine.groups import groups
from pullguard.engine.protocol import Engine
from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults

#: The source of results, for people.
SOURCE = "rescan"

_POINT = "audit.gatekeeper.sh"
_ANY = "*"


def rescan(cluster: Kubectl, gathered: Gathered, *, run: str, engine: Engine) -> None:
    """Judge the objects of a cluster by its own constraints, and record the results and errors.

    Templates without Rego, and those that need objects other than Namespaces, are left to Gatekeeper's audit.

    Args:
        cluster: The cluster.
        gathered: Holds the constraints and templates; receives the results.
        run: When the rescan begins, RFC 3339 in UTC.
        engine: The engine that judges; it must not be in use for anything else.

    Raises:
        PullguardError: The cluster cannot be read, or the engine fails.
    """
    templates, constraints = _rules(gathered)
    if not constraints:
        return
    groups_selected = {group for group, _ in _selectors(constraints)}
    resources = listable(cluster, lambda group: group in groups_selected or _ANY in groups_selected)
    for refused in resources.errors:
        gathered.fail(cluster.source, refused)
    kinds = wanted(constraints, resources.listed)
    loaded = [group.for_engine(enforcementPoint=_POINT) for group in groups(templates, constraints)]
    engine.setup(loaded, frugal=True)
    scan = _Scan(cluster, engine, gathered.owners, {template.name: template.kind for template in templates})
    scan.judge([listed.path for listed in kinds])
    for error in scan.errors:
        gathered.fail(cluster.source, error)
    judged_keys = {ConstraintKey(constraint.kind, constraint.name) for constraint in constraints}
    # A rescan replaces other results, whatever their time stamps say: they hold less.
    gathered.results = [result for result in gathered.results if result.constraint not in judged_keys]
    for key in sorted(judged_keys):
        violations = scan.violations(key)
        gathered.results.append(Result(key, run, SOURCE, len(violations), violations))
    gathered.notes.append(f"{scan.objects} objects of {len(kinds)} kinds were judged")


def wanted(constraints: Sequence[Constraint], resources: Sequence[Listed]) -> list[Listed]:
    """Return the resources that some constraint may select by kind, in the given order."""
    selectors = _selectors(constraints)
    return [
        listed
        for listed in resources
        if any(group in {_ANY, listed.group} and kind in {_ANY, listed.kind} for group, kind in selectors)
    ]


def _selectors(constraints: Sequence[Constraint]) -> set[tuple[str, str]]:
    """Return the groups and kinds that constraints select; "*" matches any."""
    found: set[tuple[str, str]] = set()
    for constraint in constraints:
        entries = dig(constraint.object, "spec", "match", "kinds") or [{}]
        for entry in entries:
            for group in entry.get("apiGroups") or [_ANY]:
                found.update((group, kind) for kind in entry.get("kinds") or [_ANY])
    return found


def _rules(gathered: Gathered) -> tuple[list[ConstraintTemplate], list[Constraint]]:
    """Return the templates and constraints that a rescan can judge."""
    templates = {}
    left: dict[str, str] = {}
    for kind in sorted({key.kind for key in gathered.constraints}):
        template = gathered.templates.get(kind)
        if template is None:
            left[kind] = "its template cannot be read"
        elif template.source is None:
            left[kind] = "its template has no Rego"
        elif needs_cluster(template):
            left[kind] = "it needs other objects of the cluster"
        else:
            templates[kind] = template
    gathered.notes += [f"{kind} was left to Gatekeeper's audit: {reason}" for kind, reason in left.items()]
    constraints = [
        Constraint(entry.file, entry.kind, entry.name, with_defaults(entry.object, templates[entry.kind]))
        for entry in gathered.constraints.values()
        if entry.kind in templates
    ]
    return list(templates.values()), constraints


@dataclass(slots=True)
class _List:
    """The results of a list so far.

    Attributes:
        begun: How many times the list has been started.
        objects: The number of objects that were judged.
        violations: Their violations.
        errors: What could not be judged.
    """

    begun: int = 1
    objects: int = 0
    violations: list[tuple[ConstraintKey, AuditedViolation]] = field(default_factory=list)
    errors: list[PullguardError] = field(default_factory=list)


class _Scan:
    """The pages that the engine is judging, and the results."""

    def __init__(self, cluster: Kubectl, engine: Engine, owners: Owners, kinds: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._engine = engine
        self._owners = owners
        self._kinds = kinds
        self._lists: dict[str, _List] = {}

    def judge(self, paths: Sequence[str]) -> None:
        """Judge the objects of some lists, a few pages at a time."""
        for each in judged_pages(self._cluster, self._engine, paths, self._labels()):
            if isinstance(each, RefusedList):
                if not each.error.forbidden and not each.error.not_found:
                    raise each.error
                self._lists.setdefault(each.path, _List()).errors.append(each.error)
                continue
            page, found = each
            listed = self._lists.setdefault(page.path, _List(page.begun))
            if page.begun > listed.begun:
                listed = self._lists[page.path] = _List(page.begun)
            if page.begun == listed.begun:
                self._take(listed, page, found)

    def violations(self, key: ConstraintKey) -> tuple[AuditedViolation, ...]:
        """Return the violations of a constraint."""
        return tuple(found for listed in self._lists.values() for own, found in listed.violations if own == key)

    @property
    def objects(self) -> int:
        """How many objects were judged."""
        return sum(listed.objects for listed in self._lists.values())

    @property
    def errors(self) -> list[PullguardError]:
        """What could not be judged."""
        return [error for listed in self._lists.values() for error in listed.errors]

    def _take(self, listed: _List, page: PageFile, found: JudgedObject | InputError | FileEnd) -> None:
        """Record the result for an object or for a whole page."""
        if isinstance(found, FileEnd):
            listed.objects += found.objects
            return
        if isinstance(found, InputError):
            listed.errors.append(
                PullguardError(f"the API server's answer to {page.path} cannot be read: {found.message}")
            )
            return
        if not found.item:
            return  # a list without items is an object itself
        ref = reference(found.object, str(dig(found.object, "metadata", "namespace") or ""))
        if isinstance(found.answer, Failure):
            shown = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
            listed.errors.append(PullguardError(f"{ref.kind} {shown} could not be judged: {found.answer.message}"))
            return
        self._owners.add([found.object])
        for response in found.answer.responses:
            key = ConstraintKey(self._kinds[response.policy], response.constraint)
            violation = AuditedViolation(response.action, ref, response.message, response.details)
            listed.violations.append((key, violation))

    def _labels(self) -> dict[str, Any]:
        pages = self._cluster.pages("/api/v1/namespaces")
        labels = {obj["metadata"]["name"]: obj["metadata"].get("labels") for page in pages for obj in page}
        return {name: own if isinstance(own, dict) else {} for name, own in labels.items()}
