"""Templates that can be loaded together, and their constraints, as engines load them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate
from pullguard.core.resources import rego_directory


@dataclass(frozen=True, slots=True)
class Group:
    """Templates that can be loaded together, and their constraints with defaults filled in."""

    version: str
    templates: tuple[ConstraintTemplate, ...]
    constraints: tuple[Constraint, ...]

    def modules(self, *folders: str) -> dict[str, str]:
        """Return the modules of the templates, and those below folders of rego/, by the names that errors show.

        Raises:
            PullguardError: A template has a name that no template can have.
        """
        from pullguard.engine.modules import template_modules  # noqa: PLC0415 - a bundle needs none

        found: dict[str, str] = {}
        for template in self.templates:
            if "/" in template.name:
                raise PullguardError(f"{template.name} is not a name for a template", file=template.file)
            found.update((module.path, module.text) for module in template_modules(template))
        rego = Path(rego_directory())
        for folder in folders:
            for file in sorted((rego / folder).rglob("*.rego")):
                if not file.stem.endswith("_test"):
                    found[f"pullguard/{file.relative_to(rego)}"] = file.read_text(encoding="utf-8")
        return found

    def data(self, **settings: Any) -> dict[str, Any]:
        """Return data.pullguard, as rego/gatekeeper/batch reads it, with more settings in it."""
        names = {template.kind: template.name for template in self.templates}
        entries = [
            {"policy": names[constraint.kind], "constraint": constraint.object} for constraint in self.constraints
        ]
        return {"constraints": entries, **settings}

    def for_engine(self, **settings: Any) -> dict[str, Any]:
        """Return the group as a setup of the engine has it, with more settings in data.pullguard."""
        return {"regoVersion": self.version, "modules": self.modules("gatekeeper"), "data": self.data(**settings)}


def groups(templates: Sequence[ConstraintTemplate], constraints: Sequence[Constraint]) -> list[Group]:
    """Return the groups in which templates with Rego and constraints can be evaluated."""
    from pullguard.engine.modules import compatible_groups  # noqa: PLC0415 - as above

    found = []
    for members in compatible_groups(templates):
        kinds = {template.kind for template in members}
        version = next(template.source.version for template in members if template.source is not None)
        own = tuple(constraint for constraint in constraints if constraint.kind in kinds)
        if own:
            found.append(Group(version, tuple(members), own))
    return found
