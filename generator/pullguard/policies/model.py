"""A policy as it stands in rego/policies, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.gatekeeper import Rule


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of rego/, verbatim.

    Attributes:
        path: Relative to rego/, with slashes.
        text: The whole text; its UTF-8 form is the file, byte for byte.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class MatchKinds:
    """Objects that a policy judges: every one of the kinds in every one of the groups.

    Attributes:
        api_groups: API groups, "" for the core group.
        kinds: Kinds.
    """

    api_groups: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One folder of rego/policies.

    Attributes:
        name: The folder's name.
        title: One line for people.
        description: What the policy demands, and why.
        kind: The kind of its constraints.
        version: Semantic version.
        rules: By the reason in a violation's details.
        kinds: What its constraints match.
        kinds_from_parameter: The list parameter whose entries (with group and kind) are matched as well, if it has one.
        operations: Admission operations that it judges.
        parameters: The structural schema of its parameters; valid, with valid defaults.
        module: The module with `violation`.
        libs: What the module imports, transitively, in the order of the paths.
        suite: The gator Suite.
        samples: The files below samples/, in the order of the paths.
    """

    name: str
    title: str
    description: str
    kind: str
    version: str
    rules: Mapping[str, Rule]
    kinds: tuple[MatchKinds, ...]
    kinds_from_parameter: str | None
    operations: tuple[str, ...]
    parameters: Mapping[str, Any]
    module: SourceFile
    libs: tuple[SourceFile, ...]
    suite: SourceFile
    samples: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What rego/ holds for the generator.

    Attributes:
        policies: In the order of the names.
        conftest: The adapter for conftest with everything that it imports, in the order of the paths; empty if there
            is none.
    """

    policies: tuple[Policy, ...]
    conftest: tuple[SourceFile, ...]
