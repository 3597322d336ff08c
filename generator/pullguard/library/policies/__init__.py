"""rego/policies -> Policy."""

from pullguard.library.policies.model import (
    LEVELS,
    AssignField,
    Assigns,
    CelRules,
    CelVariable,
    Contradiction,
    Elsewhere,
    Example,
    Guide,
    MatchKinds,
    Mutation,
    Policy,
    SourceFile,
    Sources,
    SyncKinds,
)
from pullguard.library.policies.read import check_name, read

__all__ = [
    "LEVELS",
    "AssignField",
    "Assigns",
    "CelRules",
    "CelVariable",
    "Contradiction",
    "Elsewhere",
    "Example",
    "Guide",
    "MatchKinds",
    "Mutation",
    "Policy",
    "SourceFile",
    "Sources",
    "SyncKinds",
    "check_name",
    "read",
]
