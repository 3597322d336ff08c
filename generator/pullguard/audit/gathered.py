"""What was read for an audit so far, from all sources."""

from collections.abc import Mapping
from typing import Any

from pullguard.audit.constraints import action_of, key_of, result_of
from pullguard.audit.model import ConstraintKey, Result
from pullguard.cluster.owners import Owners
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import (
    Constraint,
    ConstraintTemplate,
    constraint_from,
    is_constraint,
    is_expansion,
    is_template,
    template_from,
)
from pullguard.core.inputs.problems import InputError


class Gathered:
    """Results, and the objects that explain them.

    Attributes:
        results: What the sources report about constraints.
        constraints: The constraints, by key.
        templates: The templates, by kind.
        expansions: The ExpansionTemplates.
        owners: What is known of other objects and their owners.
        errors: What could not be read.
        notes: Other things that users should know.
    """

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.constraints: dict[ConstraintKey, Constraint] = {}
        self.templates: dict[str, ConstraintTemplate] = {}
        self.expansions: list[Mapping[str, Any]] = []
        self.owners = Owners()
        self.errors: list[InputError] = []
        self.notes: list[str] = []

    @property
    def actions(self) -> dict[ConstraintKey, str]:
        """The enforcementActions of the constraints."""
        return {key: action_of(constraint.object) for key, constraint in self.constraints.items()}

    @property
    def unaudited(self) -> list[Constraint]:
        """The constraints without a result."""
        known = {result.constraint for result in self.results}
        return [constraint for key, constraint in self.constraints.items() if key not in known]

    def take(self, obj: Mapping[str, Any], source: str) -> None:
        """Record an object of any kind.

        Args:
            obj: The object, a JSON value with a kind.
            source: Where it was read, for people.

        Raises:
            PullguardError: The object is a constraint or a template that cannot be read.
        """
        if is_constraint(obj):
            key = key_of(obj)
            result = result_of(obj, source)
            self.constraints.setdefault(key, constraint_from(obj, source))
            if result is not None:
                self.results.append(result)
        elif is_template(obj):
            template = template_from(obj, source)
            self.templates.setdefault(template.kind, template)
        elif is_expansion(obj):
            self.expansions.append(obj)
        else:
            self.owners.add([obj])

    def fail(self, source: str, error: PullguardError, line: int | None = None) -> None:
        """Record that something could not be read."""
        text = f"{error.message}; {error.remedy}" if error.remedy else error.message
        self.errors.append(InputError(source, line, None, text))
