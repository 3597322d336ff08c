"""The library that manifests are judged by, as far as it can be run outside a cluster."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate, Summary, needs_cluster, rule_from
from pullguard.engine.groups import Group, groups
from pullguard.library.bundle import MANIFEST, Bundle, in_all_namespaces

if TYPE_CHECKING:
    from pullguard.core.findings import RuleInfo
    from pullguard.engine.protocol import Engine
    from pullguard.library.choice import Choice
    from pullguard.library.store import Library


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What manifests are judged by.

    Attributes:
        groups: The policies and their constraints; none if they are those of a bundle.
        policies: What is to be known of the policies, by the names that engines have for them.
        library: Where they come from, as people name it.
        notes: What of the library is not used, and why.
        unused: The policies of the library that nothing is judged by.
        needing_cluster: Those of them that ask what is in a cluster, by their kinds.
        directory: Its folder.
        stated: The folder as a user states it; None if nobody does.
        doubt: Why the library is not to be relied on; "" if there is no reason.
        policy_aliases: What the policies of the library are called now, by the names that they had before.
    """

    groups: Sequence[Group]
    policies: Mapping[str, Summary | ConstraintTemplate]
    library: str
    notes: tuple[str, ...]
    unused: tuple[str, ...]
    needing_cluster: tuple[str, ...]
    directory: Path
    stated: str | None
    doubt: str = ""
    policy_aliases: Mapping[str, str] = field(default_factory=dict)

    def rules(self) -> "tuple[RuleInfo, ...]":
        """Return what reports say of its rules, sorted by policy."""
        from pullguard.core.findings import RuleInfo, rule_of  # noqa: PLC0415 - the engine is not to wait for it

        option = "" if self.stated is None else f" --library {shlex.quote(self.stated)}"
        found: list[RuleInfo] = []
        for template in self.policies.values():
            page = policy_page(self.directory, template.policy)
            shown, explain = (str(page), f"pullguard explain {template.policy}{option}") if page.is_file() else ("", "")
            found.extend(
                RuleInfo(
                    id=rule.id,
                    severity=rule.severity,
                    title=rule.title,
                    policy=template.policy,
                    description=template.description,
                    page=shown,
                    explain=explain,
                    aliases=rule.aliases,
                    deprecated=rule.deprecated,
                )
                for rule in template.rules.values() or (rule_of(template, None),)
            )
        return tuple(sorted(found, key=lambda rule: (rule.policy, rule.id)))


def from_bundle(engine: "Engine", choice: "Choice", bundle: Bundle, stated: str | None) -> Ruleset:
    """Return what manifests are judged by, if the engine judges by a bundle."""
    judging = {name: entry for name, entry in bundle.policies.items() if not entry["needsCluster"]}
    left_out = {name: entry["kind"] for name, entry in bundle.policies.items() if entry["needsCluster"]}
    return Ruleset(
        groups=(),
        policies={
            name: Summary(
                name=entry["kind"].lower(),
                kind=entry["kind"],
                policy=name,
                rules={reason: rule_from(rule) for reason, rule in entry["rules"].items()},
                description=entry["description"],
                aliases=tuple(entry.get("aliases", ())),
            )
            for name, entry in judging.items()
        },
        directory=Path(choice.folder),
        stated=stated,
        library=choice.shown,
        notes=tuple(choice.notes),
        needing_cluster=tuple(left_out.values()),
        unused=tuple(left_out),
        policy_aliases=_policy_aliases({name: entry.get("aliases", ()) for name, entry in bundle.policies.items()}),
        doubt=_doubt(engine, choice),
    )


def from_templates(engine: "Engine", choice: "Choice", stated: str | None, *, everywhere: bool) -> Ruleset:
    """Return what manifests are judged by, as its templates and constraints say.

    Args:
        engine: What reads them.
        choice: The library.
        stated: What the user calls it; None if nobody does.
        everywhere: Whether to drop what the constraints say of namespaces.

    Raises:
        PullguardError: The library cannot be read, Gatekeeper would refuse a constraint in it, or there is nothing in
            it that can be run.
    """
    from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults  # noqa: PLC0415 - a bundle needs none
    from pullguard.library.store import load  # noqa: PLC0415 - as above

    directory, shown, notes = Path(choice.folder), choice.shown, list(choice.notes)
    library = load(engine, directory)
    kinds = {constraint.kind for constraint in library.constraints}
    for template in library.templates:
        if template.kind not in kinds:
            notes.append(f"{template.kind} has no constraint in the library, so nothing was judged by it")
        elif template.source is None:
            notes.append(f"{template.kind} has no Rego, so nothing was judged by it")
    asking = tuple(
        template.kind
        for template in library.templates
        if template.kind in kinds and template.source is not None and needs_cluster(template)
    )
    used = {
        template.kind: template
        for template in library.templates
        if template.kind in kinds and template.source is not None and template.kind not in asking
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
        constraints = [replace(constraint, object=in_all_namespaces(constraint.object)) for constraint in constraints]
    return Ruleset(
        groups=groups(list(used.values()), constraints),
        policies={template.name: template for template in used.values()},
        library=shown,
        notes=tuple(notes),
        needing_cluster=asking,
        directory=directory,
        stated=stated,
        unused=tuple(template.policy for template in library.templates if template.kind not in used),
        policy_aliases=_policy_aliases({template.policy: template.aliases for template in library.templates}),
        doubt=_doubt(engine, choice),
    )


def _policy_aliases(policies: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what policies are called now, by the former names that are the name of no policy and of one alone."""
    counted = Counter(old for aliases in policies.values() for old in set(aliases))
    return {
        old: name for name, aliases in policies.items() for old in aliases if old not in policies and counted[old] == 1
    }


def _doubt(engine: "Engine", choice: "Choice") -> str:
    if not choice.is_unnamed:
        return ""
    from pullguard.library import provenance  # noqa: PLC0415 - only where no library is named

    return provenance.doubt(engine, choice.folder)


def policy_page(directory: Path, policy: str) -> Path:
    """Return the file of a library that holds the page of a policy, if the library has pages."""
    return directory / "policies" / policy / "README.md"


def _require_accepted(
    library: "Library", templates: Mapping[str, ConstraintTemplate], constraints: Sequence[Constraint]
) -> None:
    """Raise if Gatekeeper would refuse a constraint: one with a string in the place of a list would match nothing here.

    Patterns in schemas are not looked at. Neither are files that still are what pullguard wrote, as that takes time.
    """
    import hashlib  # noqa: PLC0415 - a bundle needs nothing of this

    from pullguard.core.text_files import read_text  # noqa: PLC0415 - as above

    manifest = library.directory / MANIFEST
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
