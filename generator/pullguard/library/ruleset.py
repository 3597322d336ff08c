"""Which library manifests are judged by, and what of it can be run outside a cluster."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullguard.core.default_library import BUILTIN, DEFAULT, is_own
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate, Summary, dig, needs_cluster
from pullguard.core.resources import packaged_library
from pullguard.engine.groups import Group, PrecompiledGroup, groups
from pullguard.library import bundle

if TYPE_CHECKING:
    from pullguard.core.findings import RuleInfo
    from pullguard.engine.protocol import Engine
    from pullguard.library.store import Library

# What ./library is called where nobody named it.
_DEFAULT_SHOWN = f"./{DEFAULT}"
_NAMESPACE_MATCHES = ("namespaces", "excludedNamespaces", "namespaceSelector")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What manifests are judged by.

    Attributes:
        groups: The policies and their constraints.
        policies: What is to be known of the policies, by the names that engines have for them.
        library: Where they come from, as people name it.
        notes: What of the library is not used, and why.
        unused: The policies of the library that nothing is judged by.
        directory: Its folder.
        stated: The folder as a user states it; None if nobody does.
        doubt: Why the library is not to be relied on; "" if there is no reason.
    """

    groups: Sequence[Group | PrecompiledGroup]
    policies: Mapping[str, Summary | ConstraintTemplate]
    library: str
    notes: tuple[str, ...]
    unused: tuple[str, ...]
    directory: Path
    stated: str | None
    doubt: str = ""

    def rules(self) -> "tuple[RuleInfo, ...]":
        """Return what reports say of its rules, sorted by policy."""
        from pullguard.core.findings import RuleInfo, rule_of  # noqa: PLC0415 - the engine is not to wait for it

        option = "" if self.stated is None else f" --library {shlex.quote(self.stated)}"
        found: list[RuleInfo] = []
        for template in self.policies.values():
            page = policy_page(self.directory, template.policy)
            shown, explain = (str(page), f"pullguard explain {template.policy}{option}") if page.is_file() else ("", "")
            found.extend(
                RuleInfo(rule.id, rule.severity, rule.title, template.policy, template.description, shown, explain)
                for rule in template.rules.values() or (rule_of(template, None),)
            )
        return tuple(sorted(found, key=lambda rule: (rule.policy, rule.id)))


def choose(engine: "Engine", stated: str | None, *, everywhere: bool, precompiled: bool) -> Ruleset:
    """Return what manifests are judged by.

    Args:
        engine: What reads a library that pullguard did not write.
        stated: The folder of the library. None: ./library if pullguard wrote it, else the one in pullguard.
        everywhere: Whether to drop what the constraints say of namespaces.
        precompiled: Whether the bundle of a library will do, which is read many times as fast. It is used only if
            everything in it and the templates and constraints beside it are what pullguard wrote.

    Raises:
        PullguardError: The library cannot be read, Gatekeeper would refuse a constraint in it, or there is nothing in
            it that can be run.
    """
    directory, shown, notes = library_directory(stated)
    doubt = ""
    if stated is None and shown == _DEFAULT_SHOWN:
        from pullguard.library import provenance  # noqa: PLC0415 - only where no library is named

        doubt = provenance.doubt(engine, directory)
    found = bundle.load(str(directory)) if precompiled else None
    if found is None:
        return replace(_from_templates(engine, directory, shown, notes, stated, everywhere=everywhere), doubt=doubt)
    entries = [
        {**entry, "constraint": _everywhere(entry["constraint"])} if everywhere else entry
        for entry in found.constraints
    ]
    return Ruleset(
        groups=[PrecompiledGroup(os.path.abspath(found.folder), entries)],  # noqa: PTH100 - no Path is needed
        policies=found.policies,
        directory=directory,
        stated=stated,
        library=shown,
        notes=(*notes, *(_needs_cluster(kind) for kind in found.left_out.values())),
        unused=tuple(found.left_out),
        doubt=doubt,
    )


def _from_templates(
    engine: "Engine", directory: Path, shown: str, notes: Sequence[str], stated: str | None, *, everywhere: bool
) -> Ruleset:
    from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults  # noqa: PLC0415 - a bundle needs none
    from pullguard.library.store import load  # noqa: PLC0415 - as above

    library = load(engine, directory)
    kinds = {constraint.kind for constraint in library.constraints}
    notes = list(notes)
    for template in library.templates:
        if template.kind not in kinds:
            notes.append(f"{template.kind} has no constraint in the library, so nothing was judged by it")
        elif template.source is None:
            notes.append(f"{template.kind} has no Rego, so nothing was judged by it")
        elif needs_cluster(template):
            notes.append(_needs_cluster(template.kind))
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
    constraints = [
        replace(constraint, object=with_defaults(constraint.object, used[constraint.kind]))
        for constraint in library.constraints
        if constraint.kind in used
    ]
    _require_accepted(library, used, constraints)
    if everywhere:
        constraints = [replace(constraint, object=_everywhere(constraint.object)) for constraint in constraints]
    return Ruleset(
        groups=groups(list(used.values()), constraints),
        policies={template.name: template for template in used.values()},
        library=shown,
        notes=tuple(notes),
        directory=directory,
        stated=stated,
        unused=tuple(template.policy for template in library.templates if template.kind not in used),
    )


def policy_page(directory: Path, policy: str) -> Path:
    """Return the file of a library that holds the page of a policy, if the library has pages."""
    return directory / "policies" / policy / "README.md"


def _needs_cluster(kind: str) -> str:
    return f"{kind} asks what is in a cluster, so nothing was judged by it"


def _require_accepted(
    library: "Library", templates: Mapping[str, ConstraintTemplate], constraints: Sequence[Constraint]
) -> None:
    """Raise if Gatekeeper would refuse a constraint: one with a string in the place of a list would match nothing here.

    Patterns in schemas are not looked at. Neither are files that still are what pullguard wrote, as that takes time.
    """
    import hashlib  # noqa: PLC0415 - a bundle needs nothing of this

    from pullguard.core.text_files import read_text  # noqa: PLC0415 - as above

    manifest = library.directory / bundle.MANIFEST
    written = set()
    if manifest.is_file():
        written = {line[:64] for line in read_text(manifest, tree=library.directory).splitlines()}
    for constraint in constraints:
        if hashlib.sha256(read_text(Path(constraint.file), tree=library.directory).encode()).hexdigest() in written:
            continue
        from pullguard.library.gatekeeper_validation.constraint_check import ConstraintChecker  # noqa: PLC0415 - slow, and seldom needed

        checker = ConstraintChecker(templates[constraint.kind], lambda _pattern, _text: True)
        found = checker.refusal(constraint.object)
        if found is not None:
            raise PullguardError(
                f"Gatekeeper refuses the constraint {constraint.name}: {found.message}", file=constraint.file
            )


def library_directory(stated: str | None) -> tuple[Path, str, list[str]]:
    """Return the folder of the library, what it is called, and what is to be said about the choice.

    Args:
        stated: The folder, or BUILTIN. None: ./library if pullguard wrote it, else the one in pullguard.
    """
    if stated is not None and stated != BUILTIN:
        return Path(stated), stated, []
    notes = []
    if stated is None and Path(DEFAULT).is_dir():
        if is_own(DEFAULT):
            return Path(DEFAULT), _DEFAULT_SHOWN, []
        # Many projects have a folder of that name, for other things.
        notes = [
            f"./{DEFAULT} was not written by pullguard, so it was not used; if it is meant, add --library ./{DEFAULT}"
        ]
    return packaged_library(), "the one that comes with pullguard", notes


def _everywhere(constraint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constraint without what it says of namespaces."""
    match = dig(constraint, "spec", "match")
    if not isinstance(match, Mapping):
        return dict(constraint)
    rest = {key: value for key, value in match.items() if key not in _NAMESPACE_MATCHES}
    return {**constraint, "spec": {**constraint["spec"], "match": rest}}
