"""rego/policies -> Policy."""

from pullguard.policies.model import (
    LEVELS,
    AssignField,
    Assigns,
    CelRules,
    CelVariable,
    Contradiction,
    Example,
    Guide,
    MatchKinds,
    Mutation,
    Policy,
    SourceFile,
    Sources,
    SyncKinds,
)
from pullguard.policies.read import read

__all__ = [
    "LEVELS",
    "AssignField",
    "Assigns",
    "CelRules",
    "CelVariable",
    "Contradiction",
    "Example",
    "Guide",
    "MatchKinds",
    "Mutation",
    "Policy",
    "SourceFile",
    "Sources",
    "SyncKinds",
    "read",
]
