"""Templates that can be loaded together, and their constraints, as engines load them."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import Constraint, ConstraintTemplate
from pullguard.engine.modules import compatible_groups, template_modules


@dataclass(frozen=True, slots=True)
class Group:
    """Templates that can be loaded together, and their constraints with defaults filled in."""

    version: str
    templates: tuple[ConstraintTemplate, ...]
    constraints: tuple[Constraint, ...]

    def write(self, folder: Path, *sources: Path) -> None:
        """Write the modules of the templates to a folder, and copies of those in folders of pullguard.

        Raises:
            PullguardError: A template has a name that no template can have.
        """
        for template in self.templates:
            for module in template_modules(template):
                path = folder / module.path
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise PullguardError(f"{template.name} is not a name for a template", file=template.file)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(module.text, encoding="utf-8")
        for source in sources:
            shutil.copytree(source, folder / "pullguard" / source.name, ignore=shutil.ignore_patterns("*_test.rego"))

    def data(self, **settings: Any) -> str:
        """Return data.pullguard, as rego/gatekeeper/batch reads it, with more settings in it."""
        names = {template.kind: template.name for template in self.templates}
        entries = [
            {"policy": names[constraint.kind], "constraint": constraint.object} for constraint in self.constraints
        ]
        return json.dumps({"pullguard": {"constraints": entries, **settings}})


def groups(templates: Sequence[ConstraintTemplate], constraints: Sequence[Constraint]) -> list[Group]:
    """Return the groups in which templates with Rego and constraints can be evaluated."""
    found = []
    for members in compatible_groups(templates):
        kinds = {template.kind for template in members}
        version = next(template.source.version for template in members if template.source is not None)
        own = tuple(constraint for constraint in constraints if constraint.kind in kinds)
        if own:
            found.append(Group(version, tuple(members), own))
    return found
