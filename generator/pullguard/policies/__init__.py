"""rego/policies -> Policy."""

from pullguard.policies.model import (
    LEVELS,
    Contradiction,
    Example,
    Guide,
    MatchKinds,
    Policy,
    SourceFile,
    Sources,
    SyncKinds,
)
from pullguard.policies.read import read

__all__ = [
    "LEVELS",
    "Contradiction",
    "Example",
    "Guide",
    "MatchKinds",
    "Policy",
    "SourceFile",
    "Sources",
    "SyncKinds",
    "read",
]
