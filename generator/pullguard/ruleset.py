"""Which library manifests are judged by, and what of it can be run outside a cluster."""

import hashlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pullguard.errors import PullguardError
from pullguard.evaluate.acceptance.constraint_schema import with_defaults
from pullguard.findings import RuleInfo, rule_of
from pullguard.gatekeeper import Constraint, ConstraintTemplate, dig, needs_cluster
from pullguard.library import MANIFEST, Library, load
from pullguard.resources import packaged_library

_DEFAULT_LIBRARY = "library"
_NAMESPACE_MATCHES = ("namespaces", "excludedNamespaces", "namespaceSelector")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What manifests are judged by.

    Attributes:
        templates: Each with Rego and at least one constraint.
        constraints: Each of one of the templates, with the defaults of its parameters.
        library: Where they come from, as people name it.
        notes: What of the library is not used, and why.
        rules: What reports say of its rules, sorted by policy.
    """

    templates: tuple[ConstraintTemplate, ...]
    constraints: tuple[Constraint, ...]
    library: str
    notes: tuple[str, ...]
    rules: tuple[RuleInfo, ...]


def choose(stated: str | None, *, everywhere: bool) -> Ruleset:
    """Return what manifests are judged by.

    Args:
        stated: The folder of the library. None: ./library if there is one, else the one in pullguard.
        everywhere: Whether to drop what the constraints say of namespaces.

    Raises:
        PullguardError: The library cannot be read, Gatekeeper would refuse a constraint in it, or there is nothing in
            it that can be run.
    """
    directory, shown, notes = library_directory(stated)
    library = load(directory)
    kinds = {constraint.kind for constraint in library.constraints}
    for template in library.templates:
        if template.kind not in kinds:
            notes.append(f"{template.kind} has no constraint in the library, so nothing was judged by it")
        elif template.source is None:
            notes.append(f"{template.kind} has no Rego, so nothing was judged by it")
        elif needs_cluster(template):
            notes.append(f"{template.kind} asks what is in a cluster, so nothing was judged by it")
    used = {
        template.kind: template
        for template in library.templates
        if template.kind in kinds and template.source is not None and not needs_cluster(template)
    }
    if not used:
        raise PullguardError(
            "holds no constraint whose template has Rego, so nothing can be judged by it",
            file=shown,
            remedy="name another library with --library",
        )
    _require_accepted(library, used)
    return Ruleset(
        templates=tuple(used.values()),
        constraints=tuple(
            _prepared(constraint, used[constraint.kind], everywhere=everywhere)
            for constraint in library.constraints
            if constraint.kind in used
        ),
        library=shown,
        notes=tuple(notes),
        rules=tuple(sorted(_rules(used.values(), directory, stated), key=lambda rule: (rule.policy, rule.id))),
    )


def policy_page(directory: Path, policy: str) -> Path:
    """Return the file of a library that holds the page of a policy, if the library has pages."""
    return directory / "policies" / policy / "README.md"


def _rules(templates: Iterable[ConstraintTemplate], directory: Path, stated: str | None) -> Iterator[RuleInfo]:
    option = "" if stated is None else f" --library {shlex.quote(stated)}"
    for template in templates:
        page = policy_page(directory, template.policy)
        shown, explain = (str(page), f"pullguard explain {template.policy}{option}") if page.is_file() else ("", "")
        text = dig(template.object, "metadata", "annotations", "description")
        description = text if isinstance(text, str) else ""
        for rule in template.rules.values() or (rule_of(template, None),):
            yield RuleInfo(rule.id, rule.severity, rule.title, template.policy, description, shown, explain)


def _require_accepted(library: Library, templates: Mapping[str, ConstraintTemplate]) -> None:
    """Raise if Gatekeeper would refuse a constraint: one with a string in the place of a list would match nothing here.

    Patterns in schemas are not looked at. Neither are files that still are what pullguard wrote, as that takes time.
    """
    manifest = library.directory / MANIFEST
    written = set()
    if manifest.is_file():
        written = {line[:64] for line in manifest.read_text(encoding="utf-8", errors="replace").splitlines()}
    for constraint in library.constraints:
        template = templates.get(constraint.kind)
        if template is None or hashlib.sha256(Path(constraint.file).read_bytes()).hexdigest() in written:
            continue
        from pullguard.evaluate.acceptance.constraint_check import ConstraintChecker  # noqa: PLC0415 - slow, and seldom needed

        checker = ConstraintChecker(template, lambda _pattern, _text: True)
        found = checker.refusal(with_defaults(constraint.object, template))
        if found is not None:
            raise PullguardError(
                f"Gatekeeper refuses the constraint {constraint.name}: {found.message}", file=constraint.file
            )


def library_directory(stated: str | None) -> tuple[Path, str, list[str]]:
    """Return the folder of the library, what it is called, and what is to be said about the choice.

    Args:
        stated: The folder. None: ./library if there is one, else the one in pullguard.
    """
    if stated is not None:
        return Path(stated), stated, []
    default = Path(_DEFAULT_LIBRARY)
    if (default / MANIFEST).is_file() or next(default.rglob("template.yaml"), None) is not None:
        return default, f"./{_DEFAULT_LIBRARY}", []
    # Many projects have a folder of that name, for other things.
    notes = [f"./{_DEFAULT_LIBRARY} holds no template.yaml, so it was not used"] if default.is_dir() else []
    return packaged_library(), "the one that comes with pullguard", notes


def _prepared(constraint: Constraint, template: ConstraintTemplate, *, everywhere: bool) -> Constraint:
    obj = with_defaults(constraint.object, template)
    match = dig(obj, "spec", "match")
    if everywhere and isinstance(match, Mapping):
        rest = {key: value for key, value in match.items() if key not in _NAMESPACE_MATCHES}
        obj = {**obj, "spec": {**obj["spec"], "match": rest}}
    return replace(constraint, object=obj)
